"""A study from its settings to its report."""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from data_utils.wording import counted
from study.cli.command import FAILED, program, say
from study.cli.interruption import INTERRUPTED, Interruption
from study.driver.launching import Launch
from study.driver.preflight import cluster_of
from study.driver.starts.start_weights import place_start, start_sentence
from study.errors import StudyError
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.storage.storage import Storage

if TYPE_CHECKING:
    from study.tracking.record import StudyRecord


def run_pipeline(launch: Launch, console: Console, *, second_signal_ends: bool = True) -> int:
    """Prepare the data, run the study, publish the models and write the report.

    Args:
        launch: What to run.
        console: Where progress is shown.
        second_signal_ends: See `Interruption`.

    Returns:
        The exit code: 0 done; 1 no cell has a finished trial, or MLflow has not received everything; 130 interrupted.

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


_SHOWN = 5


def show_plan(launch: Launch, console: Console) -> None:
    """Read the data as the run would, and print what the study is going to do; nothing but the cache is written.

    Raises:
        UsageError: If the data cannot be used.
    """
    from study.driver.plan import print_plan
    from study.training.data import prepare

    facts = prepare(launch.settings, partial(say, console), features=False).facts(launch.settings)
    settings = _with_epochs(launch.settings, facts)
    _print_facts(settings, facts, console)
    print_plan(settings, facts["datasets"], console)


def _with_epochs(settings: StudySettings, facts: dict[str, Any]) -> StudySettings:
    return settings.with_epochs({name: one["train"] for name, one in facts["datasets"].items()})


def _run_to_the_end(launch: Launch, interruption: Interruption, console: Console) -> int:
    from study.driver.closing_summary import conclude
    from study.driver.plan import expected_pace
    from study.driver.replicates import add_replicates
    from study.driver.run import run_study
    from study.training.data import prepare

    settings, home = launch.settings, launch.folder
    prepared = prepare(settings, partial(say, console))
    prepared = replace(prepared, start=place_start(settings, Storage(home.storage_uri(settings))))
    facts = prepared.facts(settings)
    settings = _with_epochs(settings, facts)
    _print_facts(settings, facts, console)
    here = cluster_of(launch.ray_address) == "local"
    pace = expected_pace(settings, facts["datasets"]) if here else None
    run = partial(run_study, settings, home, prepared, launch.ray_address, interruption, console, pace=pace)
    going_on, retry = True, launch.retry_failed
    while going_on:
        outcome = run(retry=retry)
        going_on, retry = outcome.finished and outcome.delivered, False
        going_on = going_on and add_replicates(settings, home, _in_contention, partial(say, console))
    if not outcome.delivered:
        say(
            console,
            "MLflow has not received everything; deliver the rest and publish the models with:\n"
            f"  {program('python')} -m study.sync --name {settings.name}{_home_flag(launch)}",
        )
    if outcome.failed:
        say(
            console,
            f"Failed: {counted(outcome.failed, 'trial')}; once the cause is mended, try again with:\n"
            f"  {_resume_command(launch)} --retry-failed",
        )
    if not outcome.finished:
        raise KeyboardInterrupt
    if not outcome.delivered:
        from study.tracking.replay import replayed

        say(console, "Table and report are made from the study's own journal.")
        with replayed(settings, home) as record:
            conclude(settings, home, console, record)
        return FAILED
    published = _publish(settings, home, console)
    code = conclude(settings, home, console)
    if outcome.refused:
        say(console, f"MLflow refused {counted(outcome.refused, 'result')}, kept in {home.outbox}.")
    return code if published and not outcome.refused else FAILED


def _in_contention(record: StudyRecord) -> set[tuple[str, str]]:
    from study.comparison.verdict import in_contention

    return in_contention(record)


def _publish(settings: StudySettings, home: StudyHome, console: Console) -> bool:
    """Models are published after the results: a failure here can be retried and costs no trial."""
    from study.deployment.publish import publish_models

    say(console, "Publishing the models in MLflow …")
    try:
        publish_models(settings, home, partial(say, console))
    except StudyError as error:
        say(console, str(error))
        return False
    return True


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
        refused = f"; {counted(len(one['refused']), 'file')} refused" if one["refused"] else ""
        say(
            console,
            f"{name}: {one['images']} {what}; {one['train']} train{subset}, {one['validation']} validation, "
            f"{one['test']} test{refused}",
        )
        for sentence in (*one["warnings"], *_one_picture(name, one)):
            say(console, sentence)
        if settings.budget.images is not None:
            epochs = settings.datasets[name].epochs or 0  # known by now
            say(
                console,
                f"{name}: {counted(epochs, 'epoch')}, so that a trial sees about {settings.budget.images} images",
            )
    if facts["start"]:
        fingerprints = {name: one["fingerprint"] for name, one in facts["datasets"].items()}
        say(console, start_sentence(facts["start"], fingerprints))
    if facts["vgg16"]:
        say(console, f"VGG16 weights: {facts['vgg16']}")


def _one_picture(name: str, facts: dict[str, Any]) -> list[str]:
    """Files that show one picture, and those of them that given splits part."""
    near, shared = len(facts["near_duplicates"]), facts["shared_pictures"]
    pairs = "1 pair of files shows" if near == 1 else f"{near} pairs of files show"
    found = [f"{name}: {pairs} one picture each (near-duplicates); a split never parts them."] if near else []
    if shared:
        more = f" and {len(shared) - _SHOWN} more" if len(shared) > _SHOWN else ""
        found = [f"{name}: one picture in two splits: {', '.join(shared[:_SHOWN])}{more}."]
    return found
