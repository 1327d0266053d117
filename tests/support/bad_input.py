"""What users get wrong, and what they are told: the cases behind `test_bad_input`.

`python -m tests.support.bad_input` prints them as a table.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import socket
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from study.export import main as export
from study.launch import main as launch
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.sync import main as sync

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
    """

    what: str
    make: Make
    names: str
    command: Callable[[list[str]], int] = launch
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 2


@dataclass(frozen=True)
class Answer:
    """What came back: exit code, standard error, and what was left in the study's home."""

    code: int
    text: str
    left: list[str]


def ask(case: Case, folder: Path) -> Answer:
    """Make the mistake."""
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "runs"
    words = case.make(folder)
    before = _files(home)
    errors = io.StringIO()
    environment = {**case.environment, "COLORIZATION_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    with (
        patch.dict(os.environ, environment),
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            code = case.command([*words, "--home", str(home)])
        except SystemExit as usage:  # argparse's own refusal
            code = int(usage.code or 0)
    text = errors.getvalue().strip().replace(f"{folder}/", "")
    return Answer(code, text, sorted(_files(home) - before))


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


def _nobody_listens() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def _resume(*words: str) -> Make:
    return existing("--resume", "--name", "mine", *words)


_FRUIT = "datasets: {fruit: {root: 'drawn:fruit'}}\n"
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{one}: &{one} [{','.join([f'*{before}'] * 9)}]\n" for before, one in itertools.pairwise("abcdefg")
)

CASES = [
    # Command lines
    Case("a preset that does not exist", lambda _: ["demmo"], "demmo"),
    Case("a settings file that does not exist", lambda _: ["nowhere.yaml"], "nowhere.yaml"),
    Case("a flag without a value", flags("--budget.trials"), "--budget.trials"),
    Case("a word that stands alone", flags("stray"), "stray"),
    Case("a flag below a value", flags("--budget", "3", "--budget.trials", "3"), "budget"),
    Case("a flag whose value is no YAML", flags("--architectures", "[unet"), "--architectures"),
    # Settings
    Case("a misspelt setting", flags("--budget.trails", "4"), "did you mean budget.trials"),
    Case("a setting of no section", flags("--colour", "red"), "colour"),
    Case("no trials", flags("--budget.trials", "0"), "budget.trials is 0"),
    Case("trials in words", flags("--budget.trials", "many"), "budget.trials is 'many'"),
    Case("negative epochs", flags("--budget.epochs", "-1"), "budget.epochs"),
    Case(
        "an image size that the networks cannot halve", flags("--model.image_size", "50"), "model.image_size"
    ),
    Case("an unknown architecture", flags("--architectures", "[unet, pix2pix]"), "pix2pix"),
    Case("an architecture twice", flags("--architectures", "[unet, unet]"), "architectures"),
    Case("no architecture", flags("--architectures", "[]"), "architectures"),
    Case("an unknown sampler", flags("--search.sampler", "grid"), "search.sampler"),
    Case("an unknown pruner", flags("--search.pruner", "asha"), "search.pruner"),
    Case(
        "half a range", flags("--search.space.unet.learning_rate", "[1]"), "search.space.unet.learning_rate"
    ),
    Case("a range upside down", flags("--search.space.unet.learning_rate", "[1, 0.1]"), "learning_rate"),
    Case("a range of an unknown parameter", flags("--search.space.unet.momentum", "[0.1, 0.9]"), "momentum"),
    Case("a cell that is none", flags("--budget.epochs_for", "{a/b: 3}"), "a/b"),
    Case("a device that is none", flags("--model.device", "tpu"), "tpu"),
    Case("a precision that is none", flags("--model.precision", "float8"), "model.precision"),
    Case("half a CPU too little", flags("--resources.cpus_per_trial", "0"), "resources.cpus_per_trial"),
    Case(
        "more CPUs than there are",
        flags("--resources.cpus_per_trial", "100000", "--dry-run"),
        "this machine has",
    ),
    Case(
        "two GPUs for a trial", flags("--resources.gpus_per_trial", "2", "--dry-run"), "gpus_per_trial is 2"
    ),
    Case("minutes in words", flags("--resources.checkpoint_every", "often"), "resources.checkpoint_every"),
    Case("a share above one", flags("--resources.max_failed_share", "2"), "resources.max_failed_share"),
    Case("a plug-in that is not there", flags("--plugins", "[nowhere.py]"), "nowhere.py"),
    Case("weights that are not there", flags("--model.vgg16", "/nowhere.pth"), "/nowhere.pth"),
    Case(
        "an environment variable that is no setting",
        flags(),
        "STUDY_TRIALS",
        environment={"STUDY_TRIALS": "3"},
    ),
    # Files of settings
    Case("an empty file", yaml_file(""), "mine.yaml"),
    Case("a file that is no YAML", yaml_file("name: [unclosed"), "mine.yaml"),
    Case("a file that is no text", yaml_file(b"\xff\xfe\x00\x01"), "mine.yaml"),
    Case("a list instead of settings", yaml_file("- name\n- datasets\n"), "mine.yaml"),
    Case("a file without datasets", yaml_file("name: mine\n"), "datasets"),
    Case(
        "a dataset without a folder",
        yaml_file("datasets: {fruit: {train_limit: 3}}\n"),
        "datasets.fruit.root",
    ),
    Case("an empty section", yaml_file(f"{_FRUIT}budget:\n"), "budget is empty"),
    Case("a key that is a number", yaml_file(f"{_FRUIT}3: 4\n"), "the key 3 is no text"),
    Case("a dataset that is a number", yaml_file("datasets: {12: {root: 'drawn:fruit'}}\n"), "the key 12"),
    Case("plug-ins that are a number", yaml_file(f"{_FRUIT}plugins: 5\n"), "plugins is 5"),
    Case(
        "aliases that explode",
        yaml_file(f"{_BOMB}{_FRUIT}budget: {{trials: *g}}\n"),
        "more than 10000 values",
    ),
    Case("an alias of itself", yaml_file(f"{_FRUIT}budget: &a {{trials: [*a]}}\n"), "nested too deeply"),
    Case("a list that is too deep", yaml_file(f"datasets: {'[' * 5000}{']' * 5000}\n"), "nested too deeply"),
    Case("a plug-in without brackets", flags("--plugins", "a.py"), "plugins is 'a.py'"),
    Case("a date as a seed", flags("--seed", "2024-13-45"), "seed is '2024-13-45'"),
    Case(
        "a list in the environment without brackets",
        flags(),
        "environment variable STUDY_ARCHITECTURES",
        environment={"STUDY_ARCHITECTURES": "unet"},
    ),
    Case(
        "half a mapping in the environment",
        flags(),
        "environment variable STUDY_BUDGET",
        environment={"STUDY_BUDGET": "{"},
    ),
    Case(
        "a word in the environment where a number belongs",
        flags(),
        "environment variable STUDY_BUDGET__TRIALS",
        environment={"STUDY_BUDGET__TRIALS": "many"},
    ),
    # Names
    Case("a name that is too long", flags("--name", "a" * 256), "name is"),
    Case("a dataset named like a folder", flags("--datasets", "{..: {root: 'drawn:fruit'}}"), "datasets.."),
    Case(
        "a dataset of six digits", flags("--datasets", "{'201907': {root: 'drawn:fruit'}}"), "datasets.201907"
    ),
    Case("a name that leaves the home", flags("--name", "../mine"), "../mine"),
    Case("a name with a slash", flags("--name", "a/b"), "a/b"),
    Case("a name that exists", existing("demo", "--name", "mine"), "mine"),
    Case("a dataset's name with a slash", flags("--datasets", "{a/b: {root: 'drawn:fruit'}}"), "a/b"),
    # Addresses
    Case(
        "a password in the ledger's address", flags("--ledger", "postgresql://me:secret@db/x"), "PGPASSWORD"
    ),
    Case("a password in MLflow's address", flags("--tracking.uri", "http://me:secret@host"), "tracking.uri"),
    Case("a password in the store's address", flags("--storage", "s3://key:secret@bucket"), "storage"),
    Case("a password in a query", flags("--ledger", "postgresql://db/x?password=secret"), "ledger"),
    Case("a token in a query", flags("--tracking.uri", "http://host/?token=secret"), "tracking.uri"),
    Case("a token as a user", flags("--tracking.uri", "http://secret@host"), "tracking.uri"),
    Case("a password in Ray's address", flags("--ray-address", "me:secret@head:6379"), "RAY_AUTH_TOKEN"),
    Case(
        "a password in the address to read from",
        lambda _: ["--name", "mine", "--tracking-uri", "http://me:secret@host"],
        "--tracking-uri",
        command=export,
    ),
    Case("a database in memory", flags("--ledger", "sqlite://"), "ledger is sqlite://"),
    Case("a store in memory", flags("--storage", "memory://x"), "storage is memory://x"),
    Case("a database that is none", flags("--ledger", "nosql://host/x"), "nosql"),
    Case(
        "a database server that is off",
        flags("--ledger", f"postgresql+psycopg://me@{_nobody_listens()}/x"),
        "ledger",
    ),
    Case("a folder as MLflow's address", flags("--tracking.uri", "/some/folder"), "tracking.uri"),
    Case("a store that is none", flags("--storage", "gopher://bucket/x"), "gopher"),
    Case(
        "an MLflow server that is off", flags("--tracking.uri", f"http://{_nobody_listens()}"), "tracking.uri"
    ),
    Case("a Ray cluster that is off", flags("--ray-address", _nobody_listens()), "--ray-address"),
    # Datasets
    Case("a folder that does not exist", lambda folder: ["--data", str(folder / "none")], "none"),
    Case("a folder without images", images({}, good=0), "photos"),
    Case("drawn images that do not exist", flags("--datasets", "{a: {root: 'drawn:cars'}}"), "cars"),
    Case("an image of no bytes", images({"empty.png": b""}), "empty.png"),
    Case("half an image", images({"half.png": picture("PNG", (200, 200))[:150]}), "half.png"),
    Case("half a JPEG", images({"half.jpg": picture("JPEG", (200, 200))[:400]}), "half.jpg"),
    Case("a text that claims to be an image", images({"text.jpg": b"not an image"}), "text.jpg"),
    Case("a decompression bomb", images({"bomb.png": bomb()}), "bomb.png"),
    Case("a link that leads to itself", images({"loop.png": None}), "loop.png"),
    Case("two bad images", images({"one.png": b"", "two.png": b""}), "two.png"),
    Case("too few images for a validation", images({}, good=2), "photos"),
    Case("too few images in a plan", images({}, "--dry-run", good=3), "photos"),
    Case(
        "half a JPEG in a plan",
        images({"half.jpg": picture("JPEG", (200, 200))[:400]}, "--dry-run"),
        "half.jpg",
    ),
    Case(
        "one value for batch normalisation",
        images({}, "--model.batch_size", "1", "--dry-run"),
        "batch_size 1",
    ),
    # Going on
    Case("a resume without a name", existing("--resume"), "--name"),
    Case("a resume of what does not exist", existing("--resume", "--name", "yours"), "mine"),
    Case("a resume with another seed", _resume("--seed", "3"), "seed is 3"),
    Case("a resume with another model", _resume("--model.width", "8"), "model.width is 8"),
    Case("a resume with another sampler", _resume("--search.sampler", "qmc"), "search.sampler"),
    Case("a resume with fewer epochs", _resume("--budget.epochs", "50"), "only grow"),
    Case("a resume with another ledger", _resume("--ledger", "sqlite:////nowhere/x.db"), "does not hold"),
    Case("a resume with other images", _resume("--data", "/elsewhere"), "--datasets.NAME.root"),
    # Other commands
    Case("an export of what does not exist", existing("--name", "yours"), "mine", command=export),
    Case(
        "a table that is none",
        lambda folder: ["--from-csv", *yaml_file("a,b")(folder)],
        "mine.yaml",
        command=export,
    ),
    Case(
        "trials from a table",
        lambda _: ["--from-csv", "mine.csv", "--format", "trials"],
        "--name",
        command=export,
    ),
    Case("a delivery of what does not exist", existing("--name", "yours"), "mine", command=sync),
]


def main() -> None:
    """Print the table."""
    print("| mistake | exit | answer |\n|---|---|---|")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            answer = ask(case, Path(folder))
        print(f"| {case.what} | {answer.code} | {answer.text.replace(chr(10), '<br>')} |")


if __name__ == "__main__":
    main()
