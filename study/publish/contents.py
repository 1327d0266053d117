"""What is published of a champion, as a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from study.deployment.mlflow_models import CODE, requirements
from study.deployment.model_card import front_matter, model_card
from study.deployment.publish import CARD
from study.errors import StudyError, UsageError
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

_PROGRAM = "colorize.py"
_NOT_NEEDED = ("mlflow", "torchmetrics")
_USE = """
## How to use it

`pip install -r requirements.txt`, then `python colorize.py PHOTOGRAPH COLOURED`. The folders `models` and `data_utils`
are the software that the program runs on.
"""


def write_contents(
    record: StudyRecord, champion: TrialRecord, model: Path, folder: Path, licence: str
) -> None:
    """Write weights, configuration, card, program and the software that it needs.

    Args:
        record: The study, from which the card is made.
        champion: The trial behind the model.
        model: Its model folder.
        folder: Where to; created if it does not exist, and empty.
        licence: Of the weights, as Hugging Face abbreviates it.

    Raises:
        UsageError: The folder has files.
        StudyError: It cannot be written.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError(f"--to {folder} is there and not empty; give another folder.")
    try:
        shutil.copytree(model, folder, dirs_exist_ok=True)
        for package in ("models", "data_utils"):
            shutil.copytree(
                CODE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "drawn")
            )
        shutil.copyfile(Path(__file__).with_name(_PROGRAM), folder / _PROGRAM)
        needed = [one for one in requirements() if one.partition("==")[0] not in _NOT_NEEDED]
        (folder / "requirements.txt").write_text("\n".join(needed) + "\n", encoding="utf-8")
        card = f"{front_matter(record, champion, licence)}\n{model_card(record, champion)}{_USE}"
        (folder / CARD).write_text(card, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{folder} cannot be written: {error}.") from error
