"""`python -m study.status`: show how far the studies of a folder are."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.options import add_home
from study.errors import StudyError, UsageError

if TYPE_CHECKING:
    from study.status.reading import StudyStatus

_SECONDS = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_status, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m study.status",
        description="Show how far studies are, from their folders and ledgers. Nothing is written, and a running study "
        "does not notice.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="list | show NAME | watch NAME")
    shown = actions.add_parser("list", help="every study of a folder", prog="python -m study.status list")
    one = actions.add_parser("show", help="one study by cells", prog="python -m study.status show")
    watched = actions.add_parser(
        "watch", help="the same, again and again until its driver ends", prog="python -m study.status watch"
    )
    for action in (one, watched):
        action.add_argument("name", help="the study's name")
    for action in (shown, one, watched):
        add_home(action)
    for action in (shown, one):
        action.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")
    return parser


def _status(arguments: list[str], console: Console) -> int:
    options = _parser().parse_args(arguments)
    if options.action == "list":
        return _list(options.home, options.format == "json", console)

    from study.settings.study_folder import existing_home
    from study.status.reading import read_status
    from study.status.tables import as_json

    home = existing_home(options.home, options.name)
    if options.action == "watch":
        return _watch(lambda: read_status(home), console)
    one = read_status(home)
    if options.format == "json":
        print(json.dumps(as_json(one), indent=2))
    else:
        _show(one, console)
    return 0


def _list(home: Path, as_text: bool, console: Console) -> int:
    names = sorted(path.parent.name for path in home.glob("*/study.yaml"))
    if not names:
        raise UsageError(f"There is no study in {home}; give --home the folder of all studies.")

    from study.settings.study_folder import existing_home
    from study.status.reading import read_status
    from study.status.tables import as_json, list_table

    found: dict[str, StudyStatus | str] = {}
    for name in names:
        try:
            found[name] = read_status(existing_home(home, name))
        except StudyError as error:
            found[name] = str(error)
    if as_text:
        rows = [
            {"name": name, "error": one} if isinstance(one, str) else as_json(one)
            for name, one in found.items()
        ]
        print(json.dumps(rows, indent=2))
    else:
        console.print(list_table(found))
    return 0


def _show(one: StudyStatus, console: Console) -> None:
    from study.status.tables import study_table

    console.print(study_table(one))
    say(console, f"Disk:     {one.bytes / 1e6:.0f} MB in the study's folder")
    for what, address in one.addresses.items():
        say(console, f"{what.capitalize() if what.islower() else what}:".ljust(10) + address)


def _watch(read: Callable[[], StudyStatus], console: Console) -> int:
    """Show a study until nobody runs it."""
    from rich.live import Live

    from study.status.reading import StudyState
    from study.status.tables import study_table

    one = read()
    with Live(study_table(one), console=console, auto_refresh=False) as live:
        while one.state is StudyState.RUNNING:
            started = time.monotonic()
            one = read()
            live.update(study_table(one), refresh=True)
            # Reading a large ledger takes its time; a tenth of it may go to watching.
            time.sleep(max(_SECONDS, 10 * (time.monotonic() - started)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
