"""A study started or resumed from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from study.cli.command import say
from study.cli.interruption import INTERRUPTED
from study.driver.launching import Source, new_launch, resumed_launch
from study.driver.pipeline import run_pipeline
from study.errors import StudyError
from study.notebook.study import HOME, Study, open


def run(
    settings: Source | None = None,
    *,
    name: str | None = None,
    home: str | Path = HOME,
    resume: bool = False,
    retry_failed: bool = False,
    ray_address: str | None = None,
    **changes: Any,
) -> Study:
    """Run a study to its end, as `python -m study.launch` does.

    An interruption of the notebook's kernel stops the study; `resume` carries on where it was.

    Args:
        settings: A preset's name, a YAML file, or what stands in one; environment variables `STUDY_…` win over it.
            None is the preset `demo`, or with `resume` the settings that the study was started with.
        name: The study's name and folder.
        home: The folder of all studies.
        resume: Go on with the study of this name.
        retry_failed: With `resume`: try trials and finals that failed again.
        ray_address: A running Ray cluster; None takes RAY_ADDRESS, or starts one on this machine.
        changes: Sections of settings that win, such as `budget={"trials": 4}`. `datasets` takes the place of all
            others, unless a study is resumed.

    Returns:
        The study with its results.

    Raises:
        UsageError: If a setting, the data or the cluster cannot be used, or a study of that name exists already;
            nothing was started.
        StudyError: If the study cannot go on, or none of its trials is complete.
        KeyboardInterrupt: If it was interrupted.

    Example:
        >>> photos = study.run("quick", name="photos", datasets={"mine": {"root": "PHOTOS"}})  # doctest: +SKIP
        >>> photos = study.run(name="photos", resume=True, budget={"trials": 40})  # doctest: +SKIP
    """
    if name is not None:
        changes["name"] = name
    if resume:
        launch = resumed_launch(
            settings,
            changes,
            home=Path(home),
            name=name,
            ray_address=ray_address,
            retry_failed=retry_failed,
        )
    else:
        datasets = changes.pop("datasets", None)
        launch = new_launch(
            "demo" if settings is None else settings,
            changes,
            home=Path(home),
            datasets=datasets,
            ray_address=ray_address,
        )
    console = Console()
    if launch.note:
        say(console, launch.note)
    code = run_pipeline(launch, console, second_signal_ends=False)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise StudyError(f"No trial of the study {launch.settings.name} is complete; study.open shows why.")
    return open(launch.settings.name, home=home)
