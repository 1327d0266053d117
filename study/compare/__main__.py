"""`python -m study.compare`: show two studies side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.options import add_home, add_tracking_uri

if TYPE_CHECKING:
    from study.tracking.record import StudyRecord


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_compare, list(sys.argv[1:] if arguments is None else arguments))


def _compare(arguments: list[str], console: Console) -> int:
    parser = Parser(
        prog="python -m study.compare",
        description="Show what differs between two studies: settings, data, and each architecture's test result, "
        "compared on the test images that both have.",
    )
    parser.add_argument("a", metavar="A", help="a study's name, or its folder")
    parser.add_argument("b", metavar="B", help="another one")
    add_home(parser)
    add_tracking_uri(parser)
    options = parser.parse_args(arguments)

    from study.compare.differences import differing_data, differing_settings
    from study.compare.results import compare_studies
    from study.compare.tables import differences_table, results_table
    from study.comparison.finals import Evidence
    from study.reporting.answer import answer

    a, b = (_record(one, options.home, options.tracking_uri) for one in (options.a, options.b))
    titles = _titles(a, b)
    for what, differences in (
        ("settings", differing_settings(a.settings, b.settings)),
        ("data", differing_data(a.data, b.data)),
    ):
        if differences:
            console.print(differences_table(f"What differs: {what}", titles, differences))
        else:
            say(console, f"Same {what}.")
    evidence = Evidence(a), Evidence(b)
    console.print(results_table(titles, compare_studies(*evidence)))
    for title, one in zip(titles, evidence, strict=True):
        for dataset in one.datasets:
            say(console, f"{title}, {dataset}: {answer(one, dataset).lead}")
    return 0


def _record(which: str, home: Path, tracking_uri: str | None) -> StudyRecord:
    from study.tracking.record import open_record

    folder = Path(which)
    if "/" in which and not tracking_uri:
        return open_record(folder.name, folder.parent, None)
    return open_record(which, home, tracking_uri)


def _titles(a: StudyRecord, b: StudyRecord) -> tuple[str, str]:
    """Names of the columns; two studies of one name are told apart."""
    return (a.name, b.name) if a.name != b.name else (f"{a.name} (A)", f"{b.name} (B)")


if __name__ == "__main__":
    sys.exit(main())
