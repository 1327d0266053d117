"""A study from its settings to its report."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from study.cli.command import program, say
from study.cli.interruption import INTERRUPTED, Interruption
from study.driver.launching import Launch
from study.errors import StudyError
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome

if TYPE_CHECKING:
    from study.tracking.record import StudyRecord


def run_pipeline(launch: Launch, console: Console, *, second_signal_ends: bool = True) -> int:
    """Prepare the data, run the study, publish the models and write the report.

    Args:
        launch: What to run.
        console: Where progress is shown.
        second_signal_ends: See `Interruption`.

    Returns:
        The exit code: 0 done, 1 no cell has a finished trial, 130 interrupted.

    Raises:
        UsageError: If data, ledger or cluster cannot be used; nothing was started.
        StudyError: If the study cannot go on.
    """

    def how_to_go_on() -> str:
        if not launch.folder.settings_file.exists():
            return "Interrupted before the study began; start it again with the same command."
        return f"Interrupted. Go on with:\n  {_resume_command(launch)}"

    with Interruption(how_to_go_on, second_signal_ends) as interruption:
        try:
            return _run_to_the_end(launch, interruption, console)
        except KeyboardInterrupt:
            say(console, how_to_go_on())
            return INTERRUPTED


def _run_to_the_end(launch: Launch, interruption: Interruption, console: Console) -> int:
    from study.driver.closing_summary import conclude
    from study.driver.replicates import add_replicates
    from study.driver.run import run_study
    from study.training.data import prepare

    settings, home = launch.settings, launch.folder
    prepared = prepare(settings, partial(say, console))
    _print_facts(settings, prepared.facts(settings), console)
    going_on = True
    while going_on:
        outcome = run_study(settings, home, prepared, launch.ray_address, interruption, console)
        going_on = (
            outcome.finished
            and outcome.delivered
            and add_replicates(settings, home, _in_contention, partial(say, console))
        )
    if not outcome.delivered:
        say(
            console,
            "MLflow has not received everything; deliver the rest and publish the models with:\n"
            f"  {program('python')} -m study.sync --name {settings.name}{_home_flag(launch)}",
        )
    if not outcome.finished:
        raise KeyboardInterrupt
    if not outcome.delivered:  # the table, the report and the models are made from what MLflow has
        return 0
    _publish(settings, home, console)
    return conclude(settings, home, console)


def _in_contention(record: StudyRecord) -> set[tuple[str, str]]:
    from study.comparison.verdict import in_contention

    return in_contention(record)


def _publish(settings: StudySettings, home: StudyHome, console: Console) -> None:
    """Models are published after the results: a failure here can be retried and costs no trial."""
    from study.deployment.publish import publish_models

    say(console, "Publishing the models in MLflow …")
    try:
        publish_models(settings, home, partial(say, console))
    except StudyError as error:
        say(console, str(error))


def _home_flag(launch: Launch) -> str:
    return "" if launch.home == Path("runs") else f" --home {shlex.quote(str(launch.home))}"


def _resume_command(launch: Launch) -> str:
    address = f" --ray-address {shlex.quote(launch.ray_address)}" if launch.ray_address else ""
    name = f"--name {launch.settings.name}{_home_flag(launch)}"
    return f"{program('python')} -m study.launch {name}{address} --resume"


def _print_facts(settings: StudySettings, facts: dict[str, Any], console: Console) -> None:
    for name, one in facts["datasets"].items():
        what = "drawn images, not photographs" if one["drawn"] else f"images ({one['layout']})"
        subset = (
            f" of {one['train_available']}, a random subset" if one["train"] < one["train_available"] else ""
        )
        refused = f"; {len(one['refused'])} files refused" if one["refused"] else ""
        say(
            console,
            f"{name}: {one['images']} {what}; {one['train']} train{subset}, {one['validation']} validation, "
            f"{one['test']} test{refused}",
        )
    if facts["vgg16"]:
        say(console, f"VGG16 weights: {facts['vgg16']}")
