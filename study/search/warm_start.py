"""Configurations that an earlier study found best, with which the searches of a new one begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna

from study.errors import UsageError
from study.search.database import holds_study, open_storage
from study.search.trial_spec import Parameters
from study.settings.schema import StudySettings, cell_key
from study.settings.sources import stored_settings
from study.settings.study_folder import StudyHome, existing_home

MOST = 3
"""Configurations that a cell begins with; one of each cell of the earlier study that has the same architecture."""


def source_study(home: Path, which: str) -> tuple[StudyHome, StudySettings]:
    """The earlier study that `search.warm_start` names.

    Args:
        home: The folder of all studies.
        which: Its name there, or its folder.

    Raises:
        UsageError: There is none, or its ledger is gone.
    """
    folder = StudyHome(Path(which).absolute())
    study = folder if folder.settings_file.is_file() else existing_home(home, which)
    settings = stored_settings(study.settings_file)
    url = study.ledger_url(settings)
    if not holds_study(url, settings.name):
        raise UsageError(f"search.warm_start names {which}, but its ledger {url} does not hold that study.")
    return study, settings


def best_configurations(study: StudyHome, settings: StudySettings) -> dict[str, list[tuple[str, Parameters]]]:
    """The best complete trial of each search of a study, by architecture, with the dataset that it was found on."""
    storage = open_storage(study.ledger_url(settings))
    found: dict[str, list[tuple[str, Parameters]]] = {}
    for name in sorted(optuna.study.get_all_study_names(storage)):
        dataset, _, rest = name.removeprefix(f"{settings.name}/").partition("/")
        architecture, _, part = rest.partition("/")
        if not name.startswith(f"{settings.name}/") or part == "finals" or dataset not in settings.datasets:
            continue
        complete = optuna.load_study(study_name=name, storage=storage).get_trials(
            deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)
        )
        if complete:
            best = min(complete, key=lambda trial: (trial.value, trial.number))
            found.setdefault(architecture, []).append((dataset, dict(best.params)))
    return found


def warm_configurations(
    settings: StudySettings, found: Mapping[str, Sequence[tuple[str, Parameters]]]
) -> dict[str, list[Parameters]]:
    """What each cell of a study begins with: found on a dataset of the same name first, nothing twice.

    Args:
        settings: The new study.
        found: From `best_configurations`.
    """
    cells: dict[str, list[Parameters]] = {}
    for dataset in settings.datasets:
        for name in settings.architectures:
            ordered = sorted(found.get(name, []), key=lambda one: one[0] != dataset)
            distinct = [
                params for i, (_, params) in enumerate(ordered) if params not in [p for _, p in ordered[:i]]
            ]
            cells[cell_key(dataset, name)] = distinct[:MOST]
    return cells
