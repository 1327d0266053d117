"""One mistake of a user's, how it is made, and what comes back."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from study.launch import main as launch
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome

Make = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Case:
    """One mistake.

    Attributes:
        what: In words.
        make: Builds what is wrong in a folder and returns the command line, without `--home`.
        names: What the answer must name.
        command: Whose command line it is.
        environment: Variables that are set.
        code: The exit code.
        home: Whether the command has a `--home`.
    """

    what: str
    make: Make
    names: str
    command: Callable[[list[str]], int] = launch
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 2
    home: bool = True


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        words: The command line.
        code: The exit code.
        errors: The standard error.
        output: The standard output.
        left: Files in the study's home that were not there before.
    """

    words: list[str]
    code: int
    errors: str
    output: str
    left: list[str]


def ask(case: Case, folder: Path) -> Answer:
    """Make the mistake."""
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "runs"
    words = case.make(folder)
    before = _files(home)
    errors, output = io.StringIO(), io.StringIO()
    environment = {**case.environment, "COLORIZATION_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    with (
        patch.dict(os.environ, environment),
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(output),
    ):
        try:
            code = case.command([*words, "--home", str(home)] if case.home else words)
        except SystemExit as usage:  # argparse's own refusal
            code = int(usage.code or 0)
    told = [stream.getvalue().strip().replace(f"{folder}/", "") for stream in (errors, output)]
    shown = [word.replace(f"{folder}/", "") for word in words]
    return Answer(shown, code, *told, sorted(_files(home) - before))


@dataclass(frozen=True)
class Line:
    """A fault that users met, and what shows that its whole kind is mended.

    Attributes:
        fault: In words.
        named: Cases that were met; a text is the address of a test, `FILE::TEST`.
        unnamed: Further members of the kind.
    """

    fault: str
    named: Sequence[Case | str]
    unnamed: Sequence[Case | str]


def _files(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def flags(*words: str) -> Make:
    return lambda _: ["demo", *words]


def yaml_file(content: str | bytes) -> Make:
    def make(folder: Path) -> list[str]:
        data = content.encode() if isinstance(content, str) else content
        (folder / "mine.yaml").write_bytes(data)
        return [str(folder / "mine.yaml")]

    return make


def images(bad: dict[str, bytes | None], *words: str, good: int = 12) -> Make:
    """A folder of good images and some bad files; None is a folder that cannot be a file."""

    def make(folder: Path) -> list[str]:
        root = folder / "photos"
        root.mkdir()
        for number in range(good):
            pixels = np.random.default_rng(number).integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / f"good{number:02d}.png")
        for name, content in bad.items():
            path = root / name
            if content is None:
                path.symlink_to(path)
            else:
                path.write_bytes(content)
        small = ["--architectures", "[unet]", "--model.image_size", "16", "--model.width", "2"]
        return ["--data", str(root), *small, *words]

    return make


def picture(form: str, size: tuple[int, int] = (24, 24)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (200, 30, 40)).save(stream, form)
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG header that promises 60 000 × 60 000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def existing(*words: str) -> Make:
    """A study named `mine` that was started before."""

    def make(folder: Path) -> list[str]:
        settings = StudySettings(
            name="mine", datasets={"fruit": {"root": "drawn:fruit"}}, architectures=["unet"]
        )
        StudyHome(folder / "runs" / "mine").write_settings(settings)
        return list(words)

    return make


def nobody_listens() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def going_on(*words: str) -> Make:
    return existing("--resume", "--name", "mine", *words)
