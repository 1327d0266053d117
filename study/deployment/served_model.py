"""The model that MLflow loads and serves; this file travels with it ("models from code"), without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from models.colorizer import Colorizer


class ServedColorizer(PythonModel):  # type: ignore[misc]
    """Grey images N×H×W uint8 → colour N×H×W×3 uint8, each at its own resolution."""

    def load_context(self, context: Any) -> None:
        """Read the model folder that was logged as the artifact `model`."""
        # Who loads an MLflow model runs its code already: this file and the packages beside it.
        self._colorizer = Colorizer.load(Path(context.artifacts["model"]), trust_code=True)

    def predict(
        self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> np.ndarray:
        """Colour a batch."""
        return np.stack([self._colorizer.colour(grey) for grey in model_input])


set_model(ServedColorizer())
