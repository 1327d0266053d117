"""`colorization-study COMMAND` is `python -m study.COMMAND`; every command is listed, and shells complete it."""

import shutil
import subprocess
import tomllib

import pytest

from study.__main__ import main
from study.cli.commands import SHELLS, commands, completion
from tests.conftest import ROOT, run_module


def test_every_command_is_listed_with_what_it_does(capsys):
    assert {"launch", "export", "report", "colorize", "sync", "clean", "weights", "prepare"} <= set(
        commands()
    )
    with pytest.raises(SystemExit):
        main([])
    listed = capsys.readouterr().out
    for name, command in commands().items():
        assert f"  {name:12} {command.summary}" in listed
        assert command.summary
        assert "python -m" not in command.summary


def test_the_installed_program_is_the_one_that_python_starts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"colorization-study": f"{main.__module__}:{main.__name__}"}


@pytest.mark.parametrize(
    "words", [["--help"], ["--nonsense"], ["--check", "--file", "nowhere.safetensors"]], ids=" ".join
)
def test_a_command_answers_as_its_module_does(words):
    here, there = run_module("study", "weights", *words), run_module("study.weights", *words)
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)


def test_the_version_is_told():
    done = run_module("study", "--version")
    assert (done.returncode, done.stdout.startswith("colorization-study")) == (0, True)


def test_an_unknown_command_is_refused_with_those_that_there_are(capsys):
    assert main(["lunch"]) == 2
    assert "There is no command lunch; there are" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_the_completion_of_a_shell_names_every_command(shell):
    assert " ".join(commands()) in completion(shell)
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=completion(shell), text=True, check=True)


def test_bash_completes_the_first_word():
    script = completion("bash") + (
        'COMP_WORDS=(colorization-study la); COMP_CWORD=1; _colorization_study; echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["launch"]
