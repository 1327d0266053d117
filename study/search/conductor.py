"""The rules of a study: which trial comes next, and when one is stopped.

The conductor knows neither Ray nor MLflow. It asks the ledger, and tells its listeners what happened; the adapters of
Ray Tune (`study.backend.ray_adapters`) drive it on a cluster, and a simulated clock can drive it without one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from models.architectures import architecture
from models.metrics import OBJECTIVE
from study.search import attributes as keys
from study.search.cell_progress import Progress
from study.search.cells import Stage, derived_seed
from study.search.ledger import CellLedger, StudyLedger
from study.search.search_space import distributions, within
from study.search.trial_spec import End, LedgerTrial, Listener, Report, TrialSpec, TrialState, divergence
from study.settings.schema import StudySettings


class Conductor:
    """Hands out trials and decides about their reports.

    Args:
        settings: The study.
        ledger: Its ledger.
        listeners: Told of everything that happens.
    """

    def __init__(
        self, settings: StudySettings, ledger: StudyLedger, listeners: Sequence[Listener] = ()
    ) -> None:
        self._settings = settings
        self._listeners = listeners
        self._progress = {
            cell.key: Progress(cell, ledger.search(cell.key), ledger.finals(cell.key), settings)
            for cell in ledger.cells
        }
        self._seconds: dict[str, dict[int, float]] = {}
        self._orphans = [
            (progress, stage, entry)
            for progress in self._progress.values()
            for stage in Stage
            for entry in progress.book(stage).running()
        ]

    def explain(self) -> None:
        """Say what an earlier run of the study decided and this one does not change."""
        for progress in self._progress.values():
            self._explain(progress)

    def _explain(self, progress: Progress) -> None:
        if progress.finals_stand:
            self._note(
                f"{progress.cell.key}: the search goes on, but the finals and their test results stand, since the test "
                "split is evaluated once; for finals of what is found now, start a study of another name."
            )
        if progress.failing:
            self._note(self._gives_up(progress))

    @property
    def finished(self) -> bool:
        """Whether nothing is running and nothing is left to hand out, now or later."""
        return not self._orphans and all(
            not progress.running and progress.searched and not progress.finals_left
            for progress in self._progress.values()
        )

    def next(self) -> TrialSpec | None:
        """The next trial: orphans first, then that of the runnable cell which has spent least.

        Returns:
            None if nothing can be started before a running trial ends, or if the study is finished.
        """
        if self._orphans:
            progress, stage, entry = self._orphans.pop(0)
            entry = progress.book(stage).complete_parameters(entry.number, self._space(progress))
            return self._hand_out(progress, stage, entry)
        for progress in sorted(self._progress.values(), key=lambda one: one.spent):
            if progress.search_left and self._ready(progress):
                if progress.search.empty:
                    self._open(progress)
                return self._hand_out(progress, Stage.SEARCH, progress.begin_search(self._space(progress)))
            if progress.searched and progress.finals_left:
                return self._hand_out(progress, Stage.FINAL, progress.begin_final(self._space(progress)))
        return None

    def _giver(self, progress: Progress) -> Progress | None:
        return self._progress.get(progress.cell.pretrained_by or "")

    def _ready(self, progress: Progress) -> bool:
        giver = self._giver(progress)
        return giver is None or giver.searched

    def _open(self, progress: Progress) -> None:
        """Decide once what the cell's search space is, and enqueue what its search begins with."""
        giver = self._giver(progress)
        pretrained = giver is not None and giver.states[TrialState.COMPLETE] > 0
        progress.search.remember(keys.PRETRAINED, pretrained)
        if giver and not pretrained:
            self._note(
                f"{giver.cell.key} has no finished trial, so {progress.cell.key} is trained from scratch alone."
            )
        first = within(architecture(progress.cell.architecture).first_trials(), self._space(progress))
        for params in first[: self._settings.budget.trials]:
            progress.search.enqueue(params)

    def _space(self, progress: Progress) -> dict[str, Any]:
        name = progress.cell.architecture
        overrides = self._settings.search.space.get(name, {})
        return dict(
            distributions(name, overrides, pretrained=bool(progress.search.attributes.get(keys.PRETRAINED)))
        )

    def _hand_out(self, progress: Progress, stage: Stage, entry: LedgerTrial) -> TrialSpec:
        book = progress.book(stage)
        seed = entry.attributes.get(keys.SEED)
        if seed is None:
            seed = derived_seed(self._settings.seed, progress.cell.key, "trial", entry.number)
            book.annotate(entry.number, keys.SEED, seed)
        progress.running.add((stage, entry.number))
        spec = TrialSpec(
            progress.cell.dataset,
            progress.cell.architecture,
            stage,
            entry.number,
            entry.params,
            seed,
            epochs=entry.attributes.get(keys.EPOCHS, progress.cell.epochs),
            generator_from=self._generator_of(progress, book, entry),
            continues=entry.attributes.get(keys.CONTINUES),
            inherited_epochs=entry.attributes.get(keys.INHERITED_EPOCHS, 0),
        )
        for listener in self._listeners:
            listener.started(spec)
        return spec

    def _generator_of(self, progress: Progress, book: CellLedger, entry: LedgerTrial) -> int | None:
        """Whose weights start the generator; decided once, when the trial begins."""
        giver = self._giver(progress)
        start = architecture(progress.cell.architecture).start_parameter
        chosen: int | None = entry.attributes.get(keys.GENERATOR_FROM)
        if chosen is None and giver and start and entry.params.get(start) == giver.cell.architecture:
            chosen = giver.complete()[0].number
            book.annotate(entry.number, keys.GENERATOR_FROM, chosen)
        return chosen

    def place(self, spec: TrialSpec, node: str) -> None:
        """Remember that a trial now reports from a node."""
        progress = self._progress[spec.cell]
        if (spec.stage, spec.number) not in progress.running:
            return
        book = progress.book(spec.stage)
        nodes = book.nodes(spec.number)
        if nodes[-1:] != [node]:
            nodes.append(node)
            for listener in self._listeners:
                listener.placed(spec, nodes)
            book.annotate(spec.number, keys.NODES, nodes)

    def report(
        self,
        spec: TrialSpec,
        reports: Sequence[Report],
        test: Report | None = None,
        picture: str | None = None,
    ) -> bool:
        """Take a trial's new reports and decide.

        Args:
            spec: The trial.
            reports: Metrics by name, with `epoch`; after a restart earlier epochs may come again.
            test: Metrics of the test split, with the last report of a final.
            picture: Key of a picture of the predictions after the last report.

        Returns:
            True if the trial is to be stopped: complete, pruned or diverged.
        """
        progress = self._progress[spec.cell]
        if (spec.stage, spec.number) not in progress.running:
            return True  # a process that was lost and came back after the trial had ended
        book = progress.book(spec.stage)
        for report in reports:
            for listener in self._listeners:
                listener.reported(spec, report)
            epoch = int(report["epoch"])
            if epoch > spec.inherited_epochs:
                self._charge_epoch(spec, epoch, report.get("device_seconds", 0.0))
            if reason := divergence(architecture(spec.architecture), report):
                self._end(spec, TrialState.FAIL, reason)
                return True
            book.report(spec.number, epoch, report[OBJECTIVE])
        if picture:
            for listener in self._listeners:
                listener.pictured(spec, int(reports[-1]["epoch"]), picture)
        if reports[-1]["epoch"] >= spec.epochs:
            if test is not None:
                book.record_test(spec.number, test)
            self._end(spec, TrialState.COMPLETE, "", test)
            return True
        if spec.stage is Stage.SEARCH and book.should_prune(spec.number):
            self._end(
                spec,
                TrialState.PRUNED,
                f"weaker than its cell's earlier trials at epoch {int(reports[-1]['epoch'])}",
            )
            return True
        return False

    def _charge_epoch(self, spec: TrialSpec, epoch: int, seconds: float) -> None:
        charged = self._seconds.setdefault(spec.key, {})
        if epoch not in charged:
            charged[epoch] = seconds
            self._progress[spec.cell].device_seconds += seconds

    def give_back(self, spec: TrialSpec) -> None:
        """A trial whose process was lost before it began; it is handed out again."""
        progress = self._progress[spec.cell]
        entries = {entry.number: entry for entry in progress.book(spec.stage).running()}
        if spec.number in entries:
            self._orphans.append((progress, spec.stage, entries[spec.number]))

    def fail(self, spec: TrialSpec, reason: str) -> None:
        """A trial that was retried often enough is told FAIL with its reason."""
        if (spec.stage, spec.number) in self._progress[spec.cell].running:
            self._end(spec, TrialState.FAIL, reason)

    def _end(self, spec: TrialSpec, state: TrialState, reason: str, test: Report | None = None) -> None:
        progress = self._progress[spec.cell]
        book = progress.book(spec.stage)
        seconds_by_epoch = self._seconds.pop(spec.key, {})
        seconds = sum(seconds_by_epoch.values())
        epochs = max(seconds_by_epoch, default=spec.inherited_epochs) - spec.inherited_epochs
        progress.epochs += epochs
        given_up = progress.failing
        if spec.stage is Stage.SEARCH:
            progress.states[state] += 1
            if state is TrialState.COMPLETE:
                progress.best = min(book.best_value(spec.number), progress.best)
        best = progress.best if math.isfinite(progress.best) else None
        value = book.best_value(spec.number)
        end = End(
            state,
            reason,
            value if math.isfinite(value) else None,
            epochs,
            seconds,
            test,
            progress.states.total(),
            best,
        )
        for listener in self._listeners:
            listener.ended(spec, end)
        book.finish(spec.number, state, reason=reason, device_seconds=seconds)
        progress.running.discard((spec.stage, spec.number))
        if progress.failing and not given_up:
            self._note(self._gives_up(progress))

    def _gives_up(self, progress: Progress) -> str:
        failed, ended = progress.states[TrialState.FAIL], progress.states.total()
        return (
            f"{progress.cell.key} stops: {failed} of its {ended} trials failed; mend the cause, or raise "
            f"resources.max_failed_share ({self._settings.resources.max_failed_share:g}), and go on with --resume."
        )

    def _note(self, sentence: str) -> None:
        for listener in self._listeners:
            listener.noted(sentence)
