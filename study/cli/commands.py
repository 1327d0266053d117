"""Which commands there are: what `python -m` starts in this software, and what shells complete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_RUNS = re.compile(r'^if __name__ == "__main__":', re.MULTILINE)
_SUMMARY = re.compile(r'\A"""(?:`+[^`]*`+: )?(.*?)(?:"""|$)', re.MULTILINE)

_BASH = """_colorization_study() {{
    ((COMP_CWORD == 1)) && COMPREPLY=($(compgen -W "{words}" -- "${{COMP_WORDS[1]}}"))
}}
complete -o default -F _colorization_study colorization-study
"""
_ZSH = """_colorization_study() {{
    if ((CURRENT == 2)); then compadd {words}; else _files; fi
}}
compdef _colorization_study colorization-study
"""
_FISH = 'complete -c colorization-study -n __fish_use_subcommand -f -a "{words}"\n'
SHELLS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@dataclass(frozen=True, order=True)
class Command:
    """One command.

    Attributes:
        module: What `python -m` starts.
        summary: What it does, from the first line of its docstring.
    """

    module: str
    summary: str


def commands() -> dict[str, Command]:
    """Every command by its name: the modules and rooms of `study` that run, and `data_utils.prepare`.

    Files are read, not imported, so that a list of commands costs nothing.
    """
    files = [_ROOT / "data_utils" / "prepare.py", *(_ROOT / "study").glob("[!_]*.py")]
    rooms = (_ROOT / "study").glob("*/__main__.py")
    texts = {path: path.read_text(encoding="utf-8") for path in (*files, *rooms)}
    found = [_command(path, text) for path, text in texts.items() if _RUNS.search(text)]
    return dict(sorted((command.module.rpartition(".")[2], command) for command in found))


def _command(path: Path, text: str) -> Command:
    place = path.parent if path.name == "__main__.py" else path.with_suffix("")
    summary = _SUMMARY.search(text)
    return Command(".".join(place.relative_to(_ROOT).parts), summary[1].rstrip(".") if summary else "")


def completion(shell: str) -> str:
    """What a shell evaluates to complete the commands' names; one of `SHELLS`."""
    return SHELLS[shell].format(words=" ".join(commands()))
