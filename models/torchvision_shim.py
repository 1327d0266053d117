"""The only door to torchvision, so that it also imports beside a CPU-only torch.

torchvision's wheels on the package index are built for CUDA. Beside a CPU-only torch their compiled
operators do not load, and the import then ends in `operator torchvision::nms does not exist`, because
torchvision registers shape functions for two operators that nobody declared. Declaring them is enough for
everything used here (VGG16, image grids). Where torchvision's own operators load, nothing is declared.
"""

import importlib
import sys

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _declare_operators() -> None:
    for schema in _SCHEMAS:
        torch.library.define(f"torchvision::{schema.split('(')[0]}", schema[schema.index("(") :])


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


try:
    import torchvision
except RuntimeError as error:
    if "torchvision::" not in str(error):
        raise
    _declare_operators()
    _forget_half_imported()
    torchvision = importlib.import_module("torchvision")

__all__ = ["torchvision"]
