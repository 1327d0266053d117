"""The model that MLflow loads and serves; this file travels with it ("models from code"), nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from models.colorizer import Colorizer


class ServedColorizer(PythonModel):
    """Grey images N×H×W uint8 → colour N×H×W×3 uint8, each at its own resolution."""

    def load_context(self, context: Any) -> None:
        """Read the model folder that was logged as the artifact `model`."""
        self._colorizer = Colorizer.load(Path(context.artifacts["model"]))

    # MLflow would take annotations for a schema of its own kind and warn that it does not understand them.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Colour a batch."""
        return np.stack([self._colorizer.colour(grey) for grey in np.asarray(model_input)])


set_model(ServedColorizer())
