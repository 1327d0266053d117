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


def sample_path(folder: str, epoch: int) -> str:
    """A picture of a trial's predictions after an epoch, in the storage.

    Args:
        folder: The trial's.
        epoch: From 1.
    """
    return f"{folder}/samples/epoch-{epoch:05d}.png"


def truth_path(dataset: str, replicate: int = 1) -> str:
    """The true colours of a test split, in the storage and among the study run's artifacts.

    Args:
        dataset: Its dataset.
        replicate: The first one that has it.
    """
    return f"test_images/{_test(dataset, replicate)}/colour.jpg"


def grey_path(dataset: str, replicate: int = 1) -> str:
    """The grey images of a test split, likewise."""
    return f"test_images/{_test(dataset, replicate)}/grey.jpg"


def trivial_path(dataset: str, name: str, replicate: int = 1) -> str:
    """The evaluation of a trivial prediction on a test split, likewise."""
    return f"trivial/{_test(dataset, replicate)}/{name.replace(' ', '-')}.safetensors"


def contestant_path(dataset: str, name: str) -> str:
    """The evaluation of pictures that another program made of a dataset's test images, likewise."""
    return f"contestants/{dataset}/{name}.safetensors"


def _test(dataset: str, replicate: int) -> str:
    return dataset if replicate == 1 else f"{dataset}/replicate-{replicate}"


def start_path(architecture: str) -> str:
    """The weights that trials of an architecture start from, in the storage."""
    return f"start/{architecture}/{WEIGHTS}"
