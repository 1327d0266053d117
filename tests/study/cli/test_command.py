"""What is printed is printed as it is, without secrets."""

import io

import pytest
from rich.console import Console

from data_utils.errors import DataError
from models.errors import ModelError
from study.cli.command import run_command, say


def test_a_path_with_brackets_is_printed_whole_and_on_one_line():
    out = io.StringIO()
    path = "/photos/[red]/" + "long/" * 40
    say(Console(file=out, width=40), f"Wrote {path}")
    assert out.getvalue() == f"Wrote {path}\n"


@pytest.mark.parametrize("kind", [DataError, ModelError])
def test_no_message_of_any_package_shows_a_secret(kind, capsys):
    sentence = "http://me:hidden@host/weights?token=hidden cannot be read."

    def command(_: list[str], console: Console) -> int:
        say(console, sentence)
        raise kind(sentence)

    assert run_command(command, []) == 1
    out, errors = capsys.readouterr()
    assert out == "http://me:***@host/weights?token=*** cannot be read.\n"
    assert errors == out
