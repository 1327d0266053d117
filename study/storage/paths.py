"""Every storage key and artifact path of a study, spelled once."""

from __future__ import annotations

CHECKPOINT = "checkpoint"
WEIGHTS = "weights.safetensors"
EVALUATION = "test.safetensors"
PREDICTIONS = "predictions.jpg"


def trial_folder(trial: str) -> str:
    """Folder of a trial in the study's storage.

    Args:
        trial: The trial's key, such as `fruit/unet/7` or `fruit/unet/final-0`.
    """
    return f"trials/{trial}"


def truth_path(dataset: str) -> str:
    """The true colours of a test split, in the storage and among the study run's artifacts."""
    return f"test_images/{dataset}/colour.jpg"


def grey_path(dataset: str) -> str:
    """The grey images of a test split, likewise."""
    return f"test_images/{dataset}/grey.jpg"


def trivial_path(dataset: str, name: str) -> str:
    """The evaluation of a trivial prediction, likewise."""
    return f"trivial/{dataset}/{name.replace(' ', '-')}.safetensors"


def start_path(architecture: str) -> str:
    """The weights that trials of an architecture start from, in the storage."""
    return f"start/{architecture}/{WEIGHTS}"
