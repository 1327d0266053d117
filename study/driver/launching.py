"""From what a user asks for to a study that can run: settings loaded, everything checked, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from study.driver.ownership.claims import check_ownership
from study.driver.preflight import check_addresses, check_inputs, check_name, check_resources
from study.driver.resume import resumed
from study.driver.starts.start_weights import check_start
from study.driver.starts.warm_start import source_study
from study.settings.addresses import with_absolute_addresses
from study.settings.fitting import without_untrained_encoders
from study.settings.schema import StudySettings
from study.settings.sources import load_settings, preset_or_file, stored_settings
from study.settings.study_folder import StudyHome

Source = str | Path | Mapping[str, Any] | StudySettings
"""A preset's name, a YAML file, or what stands in one."""


@dataclass(frozen=True)
class Launch:
    """A study that can run.

    Attributes:
        settings: The study.
        folder: Its folder.
        home: The folder of all studies, as the user gave it.
        ray_address: Of a running cluster; None takes RAY_ADDRESS, or starts one on this machine.
        retry_failed: Whether trials and finals that failed are tried again.
        note: What was left out of the study, in a sentence; empty if nothing was.
    """

    settings: StudySettings
    folder: StudyHome
    home: Path
    ray_address: str | None
    retry_failed: bool = False
    note: str = ""


def new_launch(
    source: Source,
    changes: dict[str, Any],
    *,
    home: Path,
    datasets: dict[str, Any] | None = None,
    ray_address: str | None = None,
) -> Launch:
    """Check a study that is to be started.

    Args:
        source: Its settings.
        changes: Nested values that win over source and environment.
        home: The folder of all studies.
        datasets: Take the place of the source's datasets.
        ray_address: See `Launch`.

    Raises:
        UsageError: One sentence per thing that cannot be used.
    """
    settings, note = without_untrained_encoders(load_settings(_content(source), changes, datasets))
    folder = check_name(home, settings)
    if settings.search.warm_start is not None:
        source_study(home, settings.search.warm_start)
    return _checked(check_start(settings), folder, home, ray_address, note)


def resumed_launch(
    source: Source | None,
    changes: dict[str, Any],
    *,
    home: Path,
    name: str | None = None,
    ray_address: str | None = None,
    retry_failed: bool = False,
) -> Launch:
    """Check a study that is to go on.

    Args:
        source: Settings that stand for the stored ones, and are compared with them; None takes the stored ones.
        changes: Nested values that win over source and environment.
        home: The folder of all studies.
        name: The study's; None takes it from `source`.
        ray_address: See `Launch`.
        retry_failed: See `Launch`.

    Raises:
        UsageError: If there is no such study, or a setting differs that may not, or something cannot be used.
    """
    given = None
    if source is not None:
        given, _ = without_untrained_encoders(load_settings(_content(source), changes))
    settings, folder = resumed(home, name, given, changes)
    note = _more_replicates(stored_settings(folder.settings_file), settings)
    return replace(_checked(settings, folder, home, ray_address, note), retry_failed=retry_failed)


def _more_replicates(stored: StudySettings, settings: StudySettings) -> str:
    """What it costs to go on after an end that was fixed."""
    if settings.replicates == stored.replicates or settings.verdict.until == "decided":
        return ""
    return (
        f"The study goes on from {stored.replicates} to {settings.replicates} replicates: if its results were looked "
        "at, that look is spent, and the verdict charges every look (alpha spending)."
    )


def _content(source: Source) -> Path | Mapping[str, Any]:
    if isinstance(source, StudySettings):
        return source.model_dump(mode="json")
    return source if isinstance(source, Mapping) else preset_or_file(str(source))


def _checked(
    settings: StudySettings, folder: StudyHome, home: Path, ray_address: str | None, note: str = ""
) -> Launch:
    settings = with_absolute_addresses(settings)
    check_inputs(settings)
    check_resources(settings, ray_address)
    check_addresses(settings, ray_address)
    check_ownership(settings, folder)
    return Launch(settings, folder, home, ray_address, note=note)
