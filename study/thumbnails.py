"""Contact sheets: all pictures of a test split in one small file, so that a report can choose any of them."""

from __future__ import annotations


def truth_path(dataset: str) -> str:
    """Where the true colours of a test split lie, in the storage and among the study run's artifacts."""
    return f"test_images/{dataset}/colour.jpg"


def grey_path(dataset: str) -> str:
    """Where its grey images lie."""
    return f"test_images/{dataset}/grey.jpg"
