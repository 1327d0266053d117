"""Run the Dockerfile's commands where there is no Docker: by chroot, in copies of a Debian root with Python.

    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm BASE
    ln -s /usr/bin/python3 BASE/usr/local/bin/python
    python .ci/dockerfile.py BASE INTO [--begin N] [--bind FOLDER …] [NAME=VALUE …]

Each stage becomes a folder of INTO, the last one INTO/image. NAME=VALUE is an argument of the build or a variable
of its commands. An interrupted run goes on with --begin. Needs root; mounts end with the command they are made for.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


def instructions() -> list[tuple[str, str]]:
    """Pairs of an instruction's name and its text, with comments gone and lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line]
    return [(name, " ".join(rest.split())) for name, rest in lines]


class Build:
    """The stage that is being built, and what holds in it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.given = dict(pair.split("=", 1) for pair in options.given)
        self.arguments: dict[str, str] = {}
        self.variables: dict[str, str] = {}

    def follow(self, name: str, text: str, done: bool) -> None:
        """Follow one instruction; one that is done changes no file."""
        if name == "FROM":
            self.root = self.options.into / (text.split(" AS ")[1] if " AS " in text else "image")
            self.variables = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
            self.folder, self.user = "/", "0"
            if not done:
                subprocess.run(["cp", "--archive", self.options.base, self.root], check=True)
        elif name in ("ARG", "ENV"):
            known = {**self.arguments, **self.variables}
            expanded = VARIABLE.sub(lambda variable: known[variable[1]], text)
            pairs = dict(pair.split("=", 1) for pair in expanded.split())
            if name == "ARG":
                self.arguments |= {key: self.given.get(key, value) for key, value in pairs.items()}
            else:
                self.variables |= pairs
        elif name == "WORKDIR":
            self.folder = text
            (self.root / text[1:]).mkdir(parents=True, exist_ok=True)
        elif name == "USER":
            self.user = text
        elif name == "COPY" and not done:
            self.copy(text.split())
        elif name == "RUN" and not done:
            self.run(text)

    def copy(self, words: list[str]) -> None:
        """COPY, from the repository or another stage."""
        source = next((self.options.into / word[7:] for word in words if word[:7] == "--from="), REPOSITORY)
        *names, target = [word for word in words if not word.startswith("--")]
        into = self.root / ("" if target.startswith("/") else self.folder)[1:] / target.removeprefix("/")
        for path in (source / name.removeprefix("/") for name in names):
            if path.is_dir():
                shutil.copytree(path, into, symlinks=True)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, into)

    def run(self, command: str) -> None:
        """RUN, as the stage's user; the program ends where a command fails."""
        variables = {"HOME": "/tmp", **self.given, **self.arguments, **self.variables}
        mounts = ["mount -t proc proc proc", "mount --rbind /dev dev"]
        mounts += [f"mkdir -p .{bound} && mount --rbind {bound} .{bound}" for bound in self.options.bind]
        chroot = ["chroot", f"--userspec={self.user}:{self.user}", ".", "env", "-i"]
        inside = [f"{key}={value}" for key, value in variables.items()]
        inside += ["sh", "-c", f"cd {self.folder} && {command}"]
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        outside = ["sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"]
        subprocess.run([*unshare, *outside, *chroot, *inside], cwd=self.root, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the Dockerfile's commands by chroot.")
    parser.add_argument("base", type=Path)
    parser.add_argument("into", type=lambda text: Path(text).resolve())
    parser.add_argument("given", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--begin", type=int, default=0, metavar="N")
    parser.add_argument("--bind", action="append", default=[], metavar="FOLDER")
    build = Build(parser.parse_intermixed_args())
    build.options.into.mkdir(parents=True, exist_ok=True)
    for number, (name, text) in enumerate(instructions()):
        print(number, name, text, flush=True)
        build.follow(name, text, done=number < build.options.begin)
