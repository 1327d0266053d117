"""`python -m study.publish`: give a champion to others, as a folder or on Hugging Face."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.options import add_study_options
from study.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_publish, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> Parser:
    parser = Parser(
        prog="python -m study.publish",
        description="Write a study's champion, its card and a program that colours into a folder, or to Hugging Face.",
    )
    add_study_options(parser)
    parser.add_argument("--dataset", metavar="D", help="which of the study's champions, if it has several")
    parser.add_argument("--to", required=True, metavar="WHERE", help="a new folder, or hf://USER/NAME")
    parser.add_argument(
        "--license",
        default="other",
        metavar="L",
        help="of the weights, as Hugging Face abbreviates it, such as cc-by-4.0; the training images' terms must "
        "allow it (default: other)",
    )
    parser.add_argument("--private", action="store_true", help="make a new repository that only you see")
    return parser


def _publish(arguments: list[str], console: Console) -> int:
    options = _parser().parse_args(arguments)

    from study.comparison.selection import champion_of
    from study.deployment.model_source import champion_folder, chosen_dataset
    from study.publish.contents import write_contents
    from study.publish.hub import SCHEME, repository, upload
    from study.settings.identity import NOBODY
    from study.settings.sources import changed_settings
    from study.settings.study_folder import existing_home
    from study.tracking.record import StudyRecord

    name = repository(options.to) if options.to.startswith(SCHEME) else ""
    home = existing_home(options.home, options.name)
    settings = changed_settings(home.settings_file, {})
    dataset = chosen_dataset(options.name, list(settings.datasets), options.dataset)
    model = champion_folder(options.name, home, dataset)
    record = StudyRecord(home.tracking_uri(settings), options.name, home.identity or NOBODY)
    champion = champion_of(record, dataset)
    if champion is None:
        raise UsageError(f"MLflow at {record.uri} has no finished trial of {dataset}.")
    if not name:
        write_contents(record, champion, model, Path(options.to), options.license)
        say(console, f"Wrote the champion of {dataset} to {options.to}.")
        return 0
    with TemporaryDirectory() as temporary:
        folder = Path(temporary, "model")
        write_contents(record, champion, model, folder, options.license)
        say(
            console,
            f"Published the champion of {dataset} at {upload(folder, name, private=options.private)}.",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
