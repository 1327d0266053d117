"""`python -m study.launch`: start, resume or plan a study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from data_utils.addresses import is_address, name_of
from data_utils.dataset_names import safe_names
from study.cli.command import FAILED, Parser, run_command, say
from study.cli.interruption import INTERRUPTED, leave
from study.cli.notify import notify
from study.cli.options import add_study_options
from study.errors import StudyError, UsageError

if TYPE_CHECKING:
    from study.driver.launching import Launch


_OUTCOMES = {
    0: "has finished.",
    FAILED: "has ended, but not everything went well; see its console.",
    INTERRUPTED: "was interrupted and can be resumed.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point.

    Returns:
        0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
    """
    return run_command(_launch, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    from study.settings.reference import settings_reference
    from study.settings.sources import preset_names

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
        type=_images,
        metavar="DIR",
        help="a folder of images, or an address of one (s3://…), instead of the study's datasets; may be repeated",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the study of this name")
    parser.add_argument(
        "--retry-failed", action="store_true", help="with --resume: try trials and finals that failed again"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, print the plan, write nothing"
    )
    parser.add_argument(
        "--show",
        action="store_true",
        help="print the preset or file and end: what a file of one's own starts from",
    )
    parser.add_argument(
        "--ray-address", metavar="A", help="a running Ray cluster (default: RAY_ADDRESS, or one of its own)"
    )
    parser.add_argument(
        "--notify",
        metavar="URL or COMMAND",
        help='told when the study ends or stops: a web hook ({"text": …}), or a command that gets the sentence',
    )
    parser.add_argument(
        "--skip-bad-images", action="store_true", help="go on without files that cannot be read"
    )
    return parser


def _images(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; give a folder of images")
    return text if is_address(text) else str(Path(text))


def _launch(arguments: list[str], console: Console) -> int:
    from study.settings.flags import nested_flags, split_flags

    parser = _parser()
    own, settings_flags = split_flags(arguments, parser._option_string_actions)
    options = parser.parse_args(own)
    if options.show:
        from study.settings.sources import preset_text

        sys.stdout.write(preset_text(options.study or "demo"))
        return 0
    launch = _checked(options, nested_flags(settings_flags))
    if launch.note:
        say(console, launch.note)

    from study.driver.pipeline import run_pipeline, show_plan

    if options.dry_run:
        show_plan(launch, console)
        return 0

    try:
        code = run_pipeline(launch, console)
    except StudyError as error:
        _tell(options.notify, launch.settings.name, f"stopped: {error}", console)
        raise
    _tell(options.notify, launch.settings.name, _OUTCOMES[code], console)
    return code


def _tell(target: str | None, name: str, outcome: str, console: Console) -> None:
    if target and (problem := notify(target, f"The study {name} {outcome}")):
        say(console, problem)


def _checked(options: argparse.Namespace, flags: dict[str, Any]) -> Launch:
    from study.driver.launching import new_launch, resumed_launch

    if options.name:
        flags["name"] = options.name
    if options.skip_bad_images:
        flags["skip_bad_images"] = True
    where = {"home": options.home, "ray_address": options.ray_address}
    if not options.resume:
        if options.retry_failed:
            raise UsageError("--retry-failed goes on with a study; give --resume too.")
        return new_launch(options.study or "demo", flags, datasets=_datasets(options.data), **where)
    if options.data:
        raise UsageError(
            "--data starts a study; with --resume, give a moved folder as --datasets.NAME.root DIR."
        )
    return resumed_launch(options.study, flags, name=options.name, retry_failed=options.retry_failed, **where)


def _datasets(roots: list[str] | None) -> dict[str, Any] | None:
    """Datasets named by their folders."""
    if not roots:
        return None
    names = safe_names(name_of(root) if is_address(root) else root for root in roots)
    return {name: {"root": root} for name, root in zip(names, roots, strict=True)}


if __name__ == "__main__":
    leave(main())
