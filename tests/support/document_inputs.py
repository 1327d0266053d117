"""What the pages' commands take for granted, and which of them no single machine without network can run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.image_folders import kaggle_pairs, natural_color, picture, save


def _weights() -> str:
    """VGG16's weights, if there are any for the tests (`COLORIZATION_WEIGHTS`)."""
    found = sorted(Path(os.environ.get("COLORIZATION_WEIGHTS", "nowhere")).glob("vgg16*"))
    return str(found[0]) if found else "random"


WEIGHTS = _weights()
NOT_RUN = (
    ("stands for any command", r"^python -m study\.…|launch …"),
    ("needs a cluster", r"^cd photos|ray (start|up|dashboard|job|down)|--ray-address|kubectl |sbatch "),
    ("needs a cloud account", r"hf://|^hf auth"),
    ("needs a GPU", r"--device cuda|benchmarks gpu"),
    ("installs from the network", r"pip install|docker build"),
    ("needs the network", r"study\.weights$|kagglehub\."),
    ("takes hours", r"make test|benchmarks (orchestration|peers)"),
    ("needs another shell", r"fish"),
    *([("needs the network: VGG16's weights", r"\[vggunet\]")] if WEIGHTS == "random" else []),
)
"""Why a command is not run, and by which pattern it is known."""

SMALL = {
    "STUDY_MODEL__IMAGE_SIZE": "32",
    "STUDY_MODEL__WIDTH": "4",
    "STUDY_MODEL__VGG16": WEIGHTS,
    "STUDY_BUDGET__TRIALS": "1",
    "STUDY_BUDGET__EPOCHS": "1",
    "STUDY_REPLICATES": "1",
    "STUDY_VERDICT__MOST_REPLICATES": "3",
    "STUDY_CONTROLS": "false",
}
"""Settings that make a study small, given to every command that begins one."""

CHANGED = (
    (r"^((\S+/)?python -m study\.launch (quick|demo|\S+\.yaml) (?!--show)|make demo$)", r"SMALL \1"),
    (r"(launch mine\.yaml)", r'\1 --architectures "[unet, cgan]"'),
    (r"models:/NAME@", "models:/mine-IMAGES@"),
    (r"--budget\.trials \d+", "--budget.trials 2"),
    (r"--replicates \d+", "--replicates 2"),
    (r"^python colorize\.py PHOTOGRAPH COLOURED", "python FOLDER/colorize.py harbour.jpg published.jpg"),
)
"""What a command has instead of what is shown: pattern and replacement."""

SERVERS = (
    (r"study\.serve ", "http://127.0.0.1:8000"),
    (r"mlflow models serve ", "http://127.0.0.1:5001/ping"),
    (r"mlflow ui ", "http://127.0.0.1:5000"),
    (r"optuna-dashboard ", "http://127.0.0.1:8080/dashboard"),
    (r"study\.status watch", ""),
)
"""Commands that stay in the foreground, and where they answer."""

EXPECTED = ((r"study\.weights --check", 1, "none were fetched"),)
"""Exit codes other than 0 that a page leads to expect here, and why."""


@dataclass(frozen=True)
class Provision:
    """Something that a command takes for granted.

    Attributes:
        wanted: Pattern of the commands that need it.
        path: Where it is; it is made once.
        what: What it is, in words.
        make: Makes it, given its path; or the command that does.
    """

    wanted: str
    path: str
    what: str
    make: Callable[[Path], object] | str

    def __str__(self) -> str:
        made = f", `{as_run(self.make)}`" if isinstance(self.make, str) else ""
        return f"{self.path} ({self.what}{made})".strip()

    def is_wanted(self, command: str) -> bool:
        """A command needs this."""
        return re.search(self.wanted, command) is not None


def _pictures(folder: Path, count: int = 60) -> None:
    for number in range(count):
        save(folder / f"photo{number:02d}.jpg", picture(number, 48, 40))


def _notifier(path: Path) -> None:
    path.write_text('#!/bin/sh\necho "$@" >> "$HOME/notified"\n', encoding="utf-8")
    path.chmod(0o755)


_SMALLER = '--data PATH/TO/IMAGES --replicates 2 --architectures "[unet, cgan]"'
_BEGINS_MINE = r"study\.launch (?!--name).*--name mine "
PROVISIONS = (
    Provision(r"PATH/TO/IMAGES", "PATH/TO/IMAGES", "60 drawn pictures", _pictures),
    Provision(r"\bPHOTOS\b", "PHOTOS", "3 drawn pictures", lambda folder: _pictures(folder, 3)),
    Provision(
        r"\bharbour\.jpg", "harbour.jpg", "a drawn picture", lambda path: save(path, picture(1, 64, 48))
    ),
    Provision(r"\bmarket\.png", "market.png", "a drawn picture", lambda path: save(path, picture(2, 30, 40))),
    Provision(r"pictures/ddcolor", "pictures/ddcolor", "drawn pictures under the images' names", _pictures),
    Provision(r"kaggle/data", "kaggle/data", "24 drawn pairs", lambda folder: kaggle_pairs(folder, 20, 8)),
    Provision(r"\bncd\b", "ncd", "40 drawn pairs", lambda folder: natural_color(folder, count=20)),
    Provision(r"notify-send", ".venv/bin/notify-send", "keeps what it is told", _notifier),
    Provision(
        rf"^(?!.*{_BEGINS_MINE}).*(--name |show |watch |compare |models:/|runs/)mine\b",
        "runs/mine",
        "a small study",
        f"python -m study.launch quick --name mine {_SMALLER}",
    ),
    Provision(
        r"\bmine other\b",
        "runs/other",
        "a small study, wider",
        f"python -m study.launch quick --name other {_SMALLER} --model.width 8",
    ),
    Provision(
        r"--model FOLDER|FOLDER/",
        "FOLDER",
        "a model that was published",
        "python -m study.publish --name mine --dataset IMAGES --to FOLDER",
    ),
    Provision(
        r"--tracking-uri http://127\.0\.0\.1:5000",
        "",
        "MLflow's server on the study's database",
        "mlflow ui --backend-store-uri sqlite:///runs/mine/mlflow.db",
    ),
)


def reason_not_run(command: str) -> str | None:
    """Why a command is not run here, or None."""
    return next((reason for reason, pattern in NOT_RUN if re.search(pattern, command)), None)


def as_run(command: str) -> str:
    """A command with the small settings, numbers and names that it is run with."""
    for pattern, instead in CHANGED:
        command = re.sub(pattern, instead, command)
    return command


def address_of(command: str) -> str | None:
    """Where a command that stays in the foreground answers ("": on the terminal), None for any other."""
    return next((address for pattern, address in SERVERS if re.search(pattern, command)), None)


def expected(command: str) -> tuple[int, str]:
    """The exit code to expect and, where it is not 0, why."""
    found = ((code, why) for pattern, code, why in EXPECTED if re.search(pattern, command))
    return next(found, (0, ""))
