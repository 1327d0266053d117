"""Prints what users get wrong, what is printed and the exit code; for what takes a whole study, the test and its end.

`pytest --junitxml=FILE $(python -m tests.support.bad_input --tests)` makes what `--results FILE…` reads.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from tests.support.bad_input import PARTS, TESTS
from tests.support.bad_input.case import Case, ask

_SHOWN = 300


def _outcomes(files: list[Path]) -> dict[str, list[str]]:
    """How the variants of each test ended, by `FILE::TEST`."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for one in ElementTree.parse(file).iter("testcase"):
            address = (
                one.get("classname", "").replace(".", "/") + ".py::" + one.get("name", "").partition("[")[0]
            )
            ends = {child.tag for child in one}
            found[address].append(
                "failed" if ends & {"failure", "error"} else "skipped" if "skipped" in ends else "passed"
            )
    return found


def _row(one: Case | str, outcomes: dict[str, list[str]]) -> tuple[str, str, str]:
    if isinstance(one, str):
        ends = outcomes.get(one, [])
        counted = ", ".join(f"{ends.count(end)} {end}" for end in dict.fromkeys(ends)) or "not run"
        return f"test {one.partition('::')[2].removeprefix('test_').replace('_', ' ')}", counted, ""
    with TemporaryDirectory() as folder:
        answer = ask(one, Path(folder))
    module = one.command.__module__
    words = " ".join(word if len(word) < 60 else f"{word[:20]}…" for word in answer.words)
    variables = "".join(f"{name}={value} " for name, value in one.environment.items())
    printed = (answer.errors or answer.output).replace("\n", " ⏎ ")
    shown = printed if len(printed) <= _SHOWN else f"{printed[:_SHOWN]} …"
    return f"{one.what}: {variables}`{module} {words}`", shown, str(answer.code)


def main() -> None:
    """Print the table, or the addresses of the tests that it names."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.bad_input", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="print the tests alone")
    parser.add_argument("--results", nargs="+", type=Path, default=[], metavar="JUNIT.xml")
    options = parser.parse_args()
    if options.tests:
        print("\n".join(TESTS))
        return
    outcomes = _outcomes(options.results)
    for part, lines in PARTS.items():
        print(f"\n## {part}\n\n| fault | named before | input | printed | exit |\n|---|---|---|---|---|")
        for line in lines:
            for one in (*line.named, *line.unnamed):
                named = "yes" if one in line.named else "no"
                cells = (line.fault, named, *_row(one, outcomes))
                print("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")


if __name__ == "__main__":
    main()
