"""What is printed is printed as it is."""

import io

from rich.console import Console

from study.cli.command import say


def test_a_path_with_brackets_is_printed_whole_and_on_one_line():
    out = io.StringIO()
    path = "/photos/[red]/" + "long/" * 40
    say(Console(file=out, width=40), f"Wrote {path}")
    assert out.getvalue() == f"Wrote {path}\n"
