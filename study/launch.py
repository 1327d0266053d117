"""`python -m study.launch`: start, resume or plan a study."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from study.command import Parser, program, run_command
from study.config import StudySettings
from study.errors import StudyError, UsageError
from study.flags import load_settings, nested_flags, preset_names, preset_or_file, split_flags
from study.home import StudyHome
from study.interruption import INTERRUPTED, Interruption, leave


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point.

    Returns:
        0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
    """
    return run_command(_launch, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    from study.reference import settings_reference

    parser = Parser(
        prog="python -m study.launch",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run a hyperparameter study of auto-colorization architectures.",
        epilog=settings_reference(),
    )
    parser.add_argument(
        "study",
        nargs="?",
        metavar="PRESET or FILE.yaml",
        help=f"{', '.join(preset_names())}, or a file of settings (default: demo)",
    )
    parser.add_argument("--name", help="the study's name and folder")
    parser.add_argument("--home", type=Path, default=Path("runs"), help="where studies lie (default: runs)")
    parser.add_argument(
        "--data",
        action="append",
        type=Path,
        metavar="DIR",
        help="a folder of images instead of the study's datasets; may be repeated",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the study of this name")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, print the plan, write nothing"
    )
    parser.add_argument(
        "--ray-address", metavar="A", help="a running Ray cluster (default: RAY_ADDRESS, or one of its own)"
    )
    parser.add_argument(
        "--skip-bad-images", action="store_true", help="go on without files that cannot be read"
    )
    return parser


def _launch(arguments: list[str], console: Console) -> int:
    parser = _parser()
    own, settings_flags = split_flags(arguments, parser._option_string_actions)
    options = parser.parse_args(own)
    flags = nested_flags(settings_flags)
    _add_options(flags, options)
    if options.resume:
        from study.resume import resumed

        if options.data:
            raise UsageError(
                "--data starts a study; with --resume, give a moved folder as --datasets.NAME.root DIR."
            )
        settings, home = resumed(options.home, options.name, options.study, flags)
    else:
        settings, home = _new_study(options, flags)
    from study.preflight import check_addresses, check_inputs, check_name

    if not options.resume:
        home = check_name(options.home, settings)
    counts = check_inputs(settings)
    check_addresses(settings, options.ray_address)
    if options.dry_run:
        from study.plan import print_plan

        print_plan(settings, counts, console)
        return 0
    return _run(settings, home, options, console)


def _add_options(flags: dict[str, Any], options: argparse.Namespace) -> None:
    if options.name:
        flags["name"] = options.name
    if options.skip_bad_images:
        flags["skip_bad_images"] = True


def _new_study(options: argparse.Namespace, flags: dict[str, Any]) -> tuple[StudySettings, StudyHome]:
    file = preset_or_file(options.study or "demo")
    settings = load_settings(file, flags, _datasets(options.data))
    return settings, StudyHome((options.home / settings.name).absolute())


def _datasets(folders: list[Path] | None) -> dict[str, Any] | None:
    """Datasets named by their folders."""
    if not folders:
        return None
    datasets = {
        folder.resolve().name.replace(" ", "-") or "images": {"root": str(folder)} for folder in folders
    }
    if len(datasets) < len(folders):
        raise UsageError("Two --data folders have the same name; name them by --datasets.NAME.root DIR.")
    return datasets


def _run(settings: StudySettings, home: StudyHome, options: argparse.Namespace, console: Console) -> int:
    def how_to_go_on() -> str:
        if not home.settings_file.exists():
            return "Interrupted before the study began; start it again with the same command."
        return f"Interrupted. Go on with:\n  {_resume_command(settings, options)}"

    interruption = Interruption(how_to_go_on)
    try:
        return _run_to_the_end(settings, home, options, interruption, console)
    except KeyboardInterrupt:
        console.print(how_to_go_on(), highlight=False, soft_wrap=True)
        return INTERRUPTED


def _run_to_the_end(
    settings: StudySettings,
    home: StudyHome,
    options: argparse.Namespace,
    interruption: Interruption,
    console: Console,
) -> int:
    from study.farewell import conclude
    from study.preparation import prepare
    from study.run import run_study

    prepared = prepare(settings, partial(console.print, highlight=False))
    _print_facts(settings, prepared.facts(settings), console)
    outcome = run_study(settings, home, prepared, options.ray_address, interruption, console)
    if not outcome.delivered:
        console.print(
            "MLflow has not received everything; deliver the rest, and put the models there, with:\n"
            f"  {program('python')} -m study.sync --name {settings.name}{_home_flag(options)}",
            highlight=False,
            soft_wrap=True,
        )
    if not outcome.finished:
        raise KeyboardInterrupt
    if not outcome.delivered:  # the table, the report and the models are made from what MLflow has
        return 0
    _publish(settings, home, console)
    return conclude(settings, home, console)


def _publish(settings: StudySettings, home: StudyHome, console: Console) -> None:
    """Models come after the results: what goes wrong here can be repeated and costs no trial."""
    from study.champions import publish_models

    def say(sentence: str) -> None:
        console.print(sentence, highlight=False, soft_wrap=True)

    say("Putting the models into MLflow …")
    try:
        publish_models(settings, home, say)
    except StudyError as error:
        say(str(error))


def _home_flag(options: argparse.Namespace) -> str:
    return "" if options.home == Path("runs") else f" --home {shlex.quote(str(options.home))}"


def _resume_command(settings: StudySettings, options: argparse.Namespace) -> str:
    address = f" --ray-address {shlex.quote(options.ray_address)}" if options.ray_address else ""
    return (
        f"{program('python')} -m study.launch --name {settings.name}{_home_flag(options)}{address} --resume"
    )


def _print_facts(settings: StudySettings, facts: dict[str, Any], console: Console) -> None:
    for name, one in facts["datasets"].items():
        what = "drawn images, not photographs" if one["drawn"] else f"images ({one['layout']})"
        subset = (
            f" of {one['train_available']}, a random subset" if one["train"] < one["train_available"] else ""
        )
        refused = f"; {len(one['refused'])} files refused" if one["refused"] else ""
        console.print(
            f"{name}: {one['images']} {what}; {one['train']} train{subset}, {one['validation']} validation, "
            f"{one['test']} test{refused}",
            highlight=False,
            soft_wrap=True,
        )
    if facts["vgg16"]:
        console.print(f"VGG16 weights: {facts['vgg16']}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    leave(main())
