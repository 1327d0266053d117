"""What is trained after a cell's search: its winners again, and a control beside each that began as another network."""

from __future__ import annotations

from typing import Any

from study.search import attributes as keys
from study.search.cell_ledger import CellLedger
from study.search.cells import Cell, derived_seed
from study.search.trial_spec import LedgerTrial, TrialState
from study.settings.schema import StudySettings


def enqueue_finals(
    cell: Cell, search: CellLedger, finals: CellLedger, winners: list[int], settings: StudySettings
) -> None:
    """Queue the retrainings of a cell's winners that are not in the ledger yet, each with a fresh seed.

    Args:
        cell: The cell.
        search: Its search.
        finals: Its finals.
        winners: Numbers of complete trials of the search.
        settings: The study.
    """
    enqueued = {trial.attributes[keys.SEED] for trial in finals.trials()}
    complete = {trial.number: trial for trial in search.trials(TrialState.COMPLETE)}
    for number in winners:
        winner = complete[number]
        for repeat in range(settings.finals.seeds):
            seed = derived_seed(settings.seed, cell.key, "final", number, repeat)
            attributes = {keys.SEED: seed, keys.CONFIGURATION: number, keys.EPOCHS: winner.epochs}
            if keys.GENERATOR_FROM in winner.attributes:
                attributes[keys.GENERATOR_FROM] = winner.attributes[keys.GENERATOR_FROM]
            if seed not in enqueued:
                finals.enqueue(winner.params, attributes)


def pretrained(finals: CellLedger) -> list[LedgerTrial]:
    """The complete finals that started from a trained network."""
    return [trial for trial in finals.trials(TrialState.COMPLETE) if keys.GENERATOR_FROM in trial.attributes]


def controlled(controls: CellLedger) -> set[int]:
    """Numbers of the finals whose control was begun."""
    return {
        trial.attributes[keys.CONTROLLED]
        for trial in controls.trials()
        if trial.state is not TrialState.WAITING
    }


def enqueue_control(number: int, finals: CellLedger, controls: CellLedger, parent: CellLedger) -> None:
    """Queue the control of a final, unless it waits already.

    It trains the same start for as many epochs with the same seed, and the same learning rate and whatever else the
    two networks' hyperparameters have in common.

    Args:
        number: The final's.
        finals: The finals that it is one of.
        controls: The controls of the same cell.
        parent: The search that the start comes from.
    """
    if any(one.attributes[keys.CONTROLLED] == number for one in controls.trials(TrialState.WAITING)):
        return
    final = next(one for one in finals.trials(TrialState.COMPLETE) if one.number == number)
    start = final.attributes[keys.GENERATOR_FROM]
    params = next(one for one in parent.trials() if one.number == start).params
    shared = {name: value for name, value in final.params.items() if name in params}
    attributes: dict[str, Any] = {
        name: final.attributes[name] for name in (keys.SEED, keys.GENERATOR_FROM, keys.EPOCHS)
    }
    controls.enqueue({**params, **shared}, {**attributes, keys.CONTROLLED: number})


def enqueue_continuation(search: CellLedger, trial: LedgerTrial) -> None:
    """Queue the continuation of a complete trial under a longer budget, unless it is queued already."""
    waiting = search.trials(TrialState.WAITING)
    if any(one.attributes.get(keys.CONTINUES) == trial.number for one in waiting):
        return
    kept = {
        name: trial.attributes[name] for name in (keys.SEED, keys.GENERATOR_FROM) if name in trial.attributes
    }
    inherited = {keys.CONTINUES: trial.number, keys.INHERITED_EPOCHS: trial.epochs}
    search.enqueue(trial.params, kept | inherited)
