"""Configurations that an earlier study found best, with which the searches of a new one begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from study.errors import UsageError
from study.search.database import owners
from study.search.trial_spec import Parameters
from study.settings.schema import StudySettings, cell_key
from study.settings.sources import stored_settings
from study.settings.space import MOST_WARM
from study.settings.study_folder import StudyHome, existing_home


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
    if not owners(url, settings.name):
        raise UsageError(f"search.warm_start names {which}, but its ledger {url} does not hold that study.")
    return study, settings


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
            cells[cell_key(dataset, name)] = distinct[:MOST_WARM]
    return cells
