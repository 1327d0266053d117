"""The model that MLflow loads and serves; this file travels with it ("models from code"), without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel

from data_utils.errors import DataError
from data_utils.sent_photographs import colour_sent, from_base64, to_base64
from models.colorizer import Colorizer

COLUMN = "image"
MOST_IMAGES = 64
MOST_CHARACTERS = 100_000_000
"""Of all images of a request in base64."""
MOST_PIXELS = 40_000_000


class ServedColorizer(PythonModel):  # type: ignore[misc]
    """Colours arrays, or image files in base64.

    Grey images N×H×W uint8 become N×H×W×3 uint8. A table (a DataFrame, or a mapping of lists) with a column `image` of
    files in base64, which may differ in size and format, becomes a list with one mapping a row: `image`, the coloured
    file in base64 with the original's size, format and metadata, and `message`, a sentence where there is something to
    say; of what cannot be coloured `image` is empty.
    """

    def load_context(self, context: Any) -> None:
        """Read the model folder that was logged as the artifact `model`."""
        # Who loads an MLflow model runs its code already: this file and the packages beside it.
        self._colorizer = Colorizer.load(Path(context.artifacts["model"]), trust_code=True)

    def predict(
        self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> np.ndarray | list[dict[str, str]]:
        """Colour a batch.

        Raises:
            MlflowException: It is neither, or larger than is allowed; answered with status 400.
        """
        # MLflow makes a schema of the hint, unless it is an array's; tables come, too.
        if isinstance(model_input, np.ndarray):
            return np.stack([self._colorizer.colour(grey) for grey in _grey_images(model_input)])
        files = _files(model_input)
        return [self._answer(f"image {place}", text) for place, text in enumerate(files, start=1)]

    def _answer(self, name: str, text: object) -> dict[str, str]:
        try:
            made = colour_sent(name, from_base64(name, text), self._colorizer.colour, MOST_PIXELS)
        except DataError as error:
            return {"image": "", "message": str(error)}
        lost = f"{name} is coloured without its {' and '.join(made.lost)}." if made.lost else ""
        return {"image": to_base64(made.content), "message": lost}


def _grey_images(given: np.ndarray) -> np.ndarray:
    """N×H×W uint8 of numbers, which JSON has as integers of 64 bits."""
    whole = given.dtype.kind in "iu" and given.ndim == 3 and given.size
    if not whole or given.min() < 0 or given.max() > np.iinfo(np.uint8).max:
        raise _refused(
            f"Give grey images as N×H×W whole numbers from 0 to 255, or files in base64 as the column {COLUMN}, "
            f"not {given.shape} {given.dtype}."
        )
    if given.shape[1] * given.shape[2] > MOST_PIXELS:
        raise _refused(f"{given.shape[2]}×{given.shape[1]} pixels are more than {MOST_PIXELS}.")
    return given.astype(np.uint8)


def _files(table: Any) -> list[object]:
    """The column of images of a table."""
    if COLUMN not in table:
        raise _refused(f"The input has no column {COLUMN}; give files in base64 in it.")
    files = list(np.atleast_1d(np.asarray(table[COLUMN], dtype=object)))
    if len(files) > MOST_IMAGES:
        raise _refused(f"There are {len(files)} images; send at most {MOST_IMAGES} at a time.")
    if sum(len(one) for one in files if isinstance(one, str)) > MOST_CHARACTERS:
        raise _refused(f"The images have more than {MOST_CHARACTERS} characters; send fewer at a time.")
    return files


def _refused(sentence: str) -> MlflowException:
    return MlflowException(sentence, error_code=INVALID_PARAMETER_VALUE)


set_model(ServedColorizer())
