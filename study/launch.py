"""`python -m study.launch`: start, resume or plan a study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from study.cli.command import Parser, run_command
from study.cli.interruption import leave
from study.cli.options import add_study_options
from study.driver.pipeline import Launch, run_pipeline
from study.errors import UsageError
from study.settings.schema import StudySettings
from study.settings.sources import load_settings, nested_flags, preset_names, preset_or_file, split_flags
from study.settings.study_folder import StudyHome


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point.

    Returns:
        0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
    """
    return run_command(_launch, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    from study.settings.reference import settings_reference

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
    add_study_options(parser, required=False)
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
        from study.driver.resume import resumed

        if options.data:
            raise UsageError(
                "--data starts a study; with --resume, give a moved folder as --datasets.NAME.root DIR."
            )
        settings, home = resumed(options.home, options.name, options.study, flags)
    else:
        settings, home = _new_study(options, flags)
    from study.driver.preflight import check_addresses, check_inputs, check_name

    if not options.resume:
        home = check_name(options.home, settings)
    counts = check_inputs(settings)
    check_addresses(settings, options.ray_address)
    if options.dry_run:
        from study.driver.plan import print_plan

        print_plan(settings, counts, console)
        return 0
    return run_pipeline(settings, home, Launch(options.home, options.ray_address), console)


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


if __name__ == "__main__":
    leave(main())
