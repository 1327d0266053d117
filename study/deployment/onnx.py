"""A model as one ONNX file."""

from __future__ import annotations

import json
import uuid
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.colorizer import Colorizer
from study.errors import StudyError, UsageError

TOLERANCE = 1e-3
"""Largest difference between the file's and the network's prediction that is accepted, of a range of 2."""
_OPSET = 18
_PROBES = 3


class _WithVectors(nn.Module):
    """Generator and, if it takes vectors, the network that describes the image."""

    def __init__(self, generator: nn.Module, describer: nn.Module | None) -> None:
        super().__init__()
        self.generator = generator
        self.describer = describer

    def forward(self, grey: Tensor) -> Tensor:
        """B×1×S×S → B×3×S×S, both in [−1, 1]."""
        if self.describer is None:
            return self.generator(grey)  # type: ignore[no-any-return]
        vector = self.describer((grey[:, 0] + 1) * 127.5)  # B×512
        return self.generator(grey, vector)  # type: ignore[no-any-return]


def export_onnx(colorizer: Colorizer, path: Path) -> float:
    """Write one ONNX file, after checking that it predicts what the network predicts.

    Returns:
        Largest absolute difference between the two on random images.

    Raises:
        UsageError: The packages for ONNX are not installed.
        StudyError: Its predictions differ from the network's, or it cannot be written.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  torch's exporter needs it
    except ImportError as error:
        raise UsageError("ONNX needs more packages: pip install onnx onnxscript onnxruntime.") from error
    network = _WithVectors(colorizer.generator, colorizer.describer).cpu().eval()
    size = colorizer.config.image_size
    probes = torch.rand(_PROBES, 1, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    fresh = path.with_name(f".{uuid.uuid4().hex}.onnx")
    try:
        _trace(network, probes[:2], fresh)
        model = onnx.load(fresh)
        onnx.helper.set_model_props(model, {"colorizer": json.dumps(asdict(colorizer.config))})
        onnx.save(model, fresh)
        session = onnxruntime.InferenceSession(str(fresh), providers=["CPUExecutionProvider"])
        (answer,) = session.run(["colour"], {"grey": probes.numpy()})
        with torch.no_grad():
            difference = float(np.abs(answer - network(probes).numpy()).max())
        if not difference <= TOLERANCE:
            raise StudyError(
                f"The ONNX file's predictions differ from the network's by {difference:.2g}; nothing was written."
            )
        fresh.replace(path)
    except OSError as error:
        raise StudyError(f"{path} cannot be written: {error}.") from error
    finally:
        fresh.unlink(missing_ok=True)
    return difference


def _trace(network: nn.Module, example: Tensor, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter about itself
        torch.onnx.export(
            network,
            (example,),
            path,
            input_names=["grey"],
            output_names=["colour"],
            dynamic_shapes={"grey": {0: torch.export.Dim("batch")}},
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
