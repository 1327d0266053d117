"""What a trial's file says of where it comes from, and the refusal of files that come from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from study.errors import StudyError
from study.settings.identity import Identity


@dataclass(frozen=True)
class Origin:
    """Where checkpoint, weights or evaluation of a trial come from.

    Attributes:
        study: Whose trial it is.
        trial: The trial's key.
        parameters: Its hyperparameters; None where the reader does not know them.
        seed: Its seed; None likewise.
    """

    study: Identity
    trial: str
    parameters: Mapping[str, float | str] | None = None
    seed: int | None = None

    def metadata(self) -> dict[str, str]:
        """Texts by name, as safetensors files carry them."""
        return {
            "study": self.study.key,
            "trial": self.trial,
            "parameters": json.dumps(dict(self.parameters or {})),
            "seed": str(self.seed),
        }

    def check(self, found: Mapping[str, str], file: str) -> None:
        """Refuse a file of another study, trial, configuration or seed.

        Args:
            found: The file's metadata; a file from before studies had identities carries no `parameters`.
            file: How the message calls it.

        Raises:
            StudyError: Naming what differs.
        """
        if "parameters" not in found:
            differs = [] if self.study.adopted else ["it does not say which study it belongs to"]
        else:
            differs = self._differences(found)
        if differs:
            raise StudyError(
                f"{file} is not of this trial ({'; '.join(differs)}); "
                "remove it from the storage, or restore the trial's own."
            )

    def _differences(self, found: Mapping[str, str]) -> list[str]:
        differs = []
        if self.study.key and found["study"] != self.study.key:
            differs.append("it belongs to another study")
        if found["trial"] != self.trial:
            differs.append(f"it is of trial {found['trial']}, not {self.trial}")
        if self.parameters is not None and _plain(json.loads(found["parameters"])) != _plain(self.parameters):
            differs.append(f"its parameters are {found['parameters']}")
        if self.seed is not None and found["seed"] != str(self.seed):
            differs.append(f"its seed is {found['seed']}, not {self.seed}")
        return differs


def _plain(parameters: Mapping[str, object]) -> dict[str, float | str]:
    """Values as MLflow gives them back: whatever reads as a number is one."""
    plain: dict[str, float | str] = {}
    for name, value in parameters.items():
        try:
            plain[name] = float(str(value))
        except ValueError:
            plain[name] = str(value)
    return plain
