"""The rules of a study: which trial comes next, and when one is stopped.

The conductor knows neither Ray nor MLflow. It asks the ledger and tells its listeners what happened; the adapters of
Ray Tune (`study.backend.ray_adapters`) drive it on a cluster, and a simulated clock can drive it without one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from data_utils.wording import counted
from models.architectures import architecture
from models.hyperparameters import Space
from study.search import attributes as keys
from study.search.cell_progress import CellProgress
from study.search.cells import Stage, derived_seed
from study.search.ledger import StudyLedger
from study.search.search_space import Warm, opening
from study.search.trial_spec import (
    LedgerTrial,
    Listener,
    Report,
    TrialSpec,
    TrialState,
    divergence,
    spec_of_trial,
)
from study.settings.choices.samplers import SAMPLERS
from study.settings.schema import StudySettings
from study.settings.space import first_trials, searched


class Conductor:
    """Hands out trials and decides about their reports.

    Args:
        settings: The study.
        ledger: Its ledger.
        listeners: Notified of everything that happens.
        warm: Configurations of an earlier study by cell, which are tried before all others.
    """

    def __init__(
        self,
        settings: StudySettings,
        ledger: StudyLedger,
        listeners: Sequence[Listener] = (),
        warm: Warm | None = None,
    ) -> None:
        self._settings = settings
        self._warm = warm or {}
        self._listeners = listeners
        self._cells = {one.key: CellProgress(one, ledger.parts(one.key), settings) for one in ledger.cells}
        self._interrupted = [
            (progress, stage, number)
            for progress in self._cells.values()
            for stage, number in progress.interrupted()
        ]

    @property
    def cells(self) -> Collection[CellProgress]:
        """The progress of each cell."""
        return self._cells.values()

    @property
    def finished(self) -> bool:
        """Whether nothing is running and nothing is left to hand out, now or later."""
        return not self._interrupted and all(
            one.idle and one.searched and not one.finals_left and not one.controls_left for one in self.cells
        )

    def explain(self) -> None:
        """Note what an earlier run of the study decided for good."""
        for progress in self.cells:
            if progress.finals_stand:
                self._note(
                    f"{progress.cell.key}: the search continues, but the finals stand, since the test split is "
                    "evaluated once; for finals of what is found now, start a study of another name."
                )
            if progress.failing:
                self._note(self._gives_up(progress))

    def next(self) -> TrialSpec | None:
        """The next trial: interrupted ones first, then that of the runnable cell which has spent least.

        Earlier replicates come first, so that a study which is interrupted has whole replicates.

        Returns:
            None if nothing can be started before a running trial ends, or if the study is finished.
        """
        if self._interrupted:
            progress, stage, number = self._interrupted.pop(0)
            whose = self._parent(progress) if stage is Stage.CONTROL else progress
            trial = progress.ledger(stage).complete_parameters(number, self._space(whose or progress))
            return self._hand_out(progress, stage, trial)
        for progress in sorted(self.cells, key=lambda one: (one.cell.replicate, one.spent)):
            if progress.search_left and self._ready(progress):
                if progress.search.empty:
                    self._open(progress)
                return self._hand_out(progress, Stage.SEARCH, progress.begin_search(self._space(progress)))
            if progress.searched and progress.finals_left:
                return self._hand_out(progress, Stage.FINAL, progress.begin_final(self._space(progress)))
            if progress.controls_left and (parent := self._parent(progress)):
                control = progress.begin_control(parent, self._space(parent))
                return self._hand_out(progress, Stage.CONTROL, control)
        return None

    def _parent(self, progress: CellProgress) -> CellProgress | None:
        """The cell whose best weights may start this cell's generators."""
        return self._cells.get(progress.cell.pretrained_by or "")

    def _ready(self, progress: CellProgress) -> bool:
        return (parent := self._parent(progress)) is None or parent.searched

    def _open(self, progress: CellProgress) -> None:
        """Fix the cell's search space, and enqueue the configurations that its search begins with."""
        cell, parent = progress.cell, self._parent(progress)
        pretrained = parent is not None and parent.states[TrialState.COMPLETE] > 0
        progress.search.remember(keys.PRETRAINED, pretrained)
        if parent and not pretrained:
            self._note(f"{parent.cell.key} has no finished trial: {cell.key} trains from scratch alone.")
        space, sampler = self._space(progress), SAMPLERS.find(self._settings.search.sampler)
        if drawn := sampler.left_to_chance(space):
            self._note(f"{cell.key}: {sampler.name} does not propose {', '.join(drawn)}; drawn at random.")
        own = first_trials(self._settings, cell.architecture)
        first = opening(self._warm.get(cell.key, ()), own, space)
        for params in first[: self._settings.budget.trials]:
            progress.search.enqueue(params)

    def _space(self, progress: CellProgress) -> Space:
        name = progress.cell.architecture
        pretrained = bool(progress.search.attributes.get(keys.PRETRAINED))
        return searched(name, self._settings.search.space.get(name, {}), pretrained=pretrained)

    def _hand_out(self, progress: CellProgress, stage: Stage, trial: LedgerTrial) -> TrialSpec:
        fixed = self._fixed_when_handed_out(progress, trial)
        for key, value in fixed.items():
            progress.ledger(stage).annotate(trial.number, key, value)
        spec = spec_of_trial(progress.cell, stage, replace(trial, attributes={**trial.attributes, **fixed}))
        for listener in self._listeners:
            listener.started(spec)
        return spec

    def _fixed_when_handed_out(self, progress: CellProgress, trial: LedgerTrial) -> dict[str, int]:
        """The seed, and the number of the parent cell's trial that starts the generator, if they are still open."""
        fixed, key, parent = {}, progress.cell.key, self._parent(progress)
        if keys.SEED not in trial.attributes:
            fixed[keys.SEED] = derived_seed(self._settings.seed, key, "trial", trial.number)
        start = architecture(progress.cell.architecture).start_parameter
        starts = parent and start and trial.params.get(start) == parent.cell.architecture
        if parent and starts and keys.GENERATOR_FROM not in trial.attributes:
            fixed[keys.GENERATOR_FROM] = parent.complete()[0].number
        return fixed

    def hand_out_again(self, spec: TrialSpec) -> None:
        """Queue a trial whose process was lost before it began, ahead of new ones."""
        progress = self._cells[spec.cell]
        if progress.is_running(spec):
            self._interrupted.append((progress, spec.stage, spec.number))

    def place(self, spec: TrialSpec, node: str) -> None:
        """Record the node that a trial reports from."""
        progress = self._cells[spec.cell]
        if not progress.is_running(spec):
            return
        ledger = progress.ledger(spec.stage)
        nodes = ledger.nodes(spec.number)
        if nodes[-1:] != [node]:
            nodes.append(node)
            for listener in self._listeners:
                listener.placed(spec, nodes)
            ledger.annotate(spec.number, keys.NODES, nodes)

    def report(
        self,
        spec: TrialSpec,
        reports: Sequence[Report],
        test: Report | None = None,
        picture: str | None = None,
    ) -> bool:
        """Record a trial's new reports and decide whether it goes on.

        Args:
            spec: The trial.
            reports: Metrics by name, with `epoch`; after a restart, earlier epochs may be reported again.
            test: Metrics of the test split, with the last report of a final.
            picture: Key of a picture of the predictions after the last report.

        Returns:
            True if the trial is to be stopped: complete, pruned or diverged.
        """
        progress = self._cells[spec.cell]
        if not progress.is_running(spec):
            return True  # from a process that was believed lost; its trial has ended since
        ledger = progress.ledger(spec.stage)
        for report in reports:
            for listener in self._listeners:
                listener.reported(spec, report)
            progress.charge(spec, report)
            if reason := divergence(spec.network, report):
                self._end(spec, TrialState.FAIL, reason)
                return True
            ledger.report(spec.number, int(report["epoch"]), report[self._settings.objective])
        epoch = int(reports[-1]["epoch"])
        if picture:
            for listener in self._listeners:
                listener.pictured(spec, epoch, picture)
        if epoch >= spec.epochs:
            if test is not None:
                ledger.record_test(spec.number, test)
            self._end(spec, TrialState.COMPLETE, test=test)
            return True
        if spec.stage is Stage.SEARCH and ledger.should_prune(spec.number):
            self._end(spec, TrialState.PRUNED, f"weaker than its cell's earlier trials at epoch {epoch}")
            return True
        return False

    def fail(self, spec: TrialSpec, reason: str) -> None:
        """End a trial as FAIL once its retries are used up."""
        if self._cells[spec.cell].is_running(spec):
            self._end(spec, TrialState.FAIL, reason)

    def _end(self, spec: TrialSpec, state: TrialState, reason: str = "", test: Report | None = None) -> None:
        progress = self._cells[spec.cell]
        given_up = progress.failing
        end = progress.end(spec, state, reason, test)
        for listener in self._listeners:
            listener.ended(spec, end)
        ledger, seconds = progress.ledger(spec.stage), end.device_seconds
        ledger.finish(spec.number, state, reason=reason, device_seconds=seconds)
        if progress.failing and not given_up:
            self._note(self._gives_up(progress))

    def _gives_up(self, progress: CellProgress) -> str:
        failed, ended = progress.states[TrialState.FAIL], progress.states.total()
        return (
            f"{progress.cell.key} stops: {failed} of its {counted(ended, 'trial')} failed; fix the cause and continue "
            "with --resume --retry-failed, or raise resources.max_failed_share and continue with --resume."
        )

    def _note(self, sentence: str) -> None:
        for listener in self._listeners:
            listener.noted(sentence)
