"""What a reader must be told of a dataset before numbers are drawn from it, in the words all places share."""

from __future__ import annotations

import numpy as np

from data_utils.image_set import ImageSet
from data_utils.splits import SPLIT_NAMES, TEST, VALIDATION

COLOURLESS_SHARE = 0.1  # of the images; from here on it is told


def warnings_of(images: ImageSet) -> list[str]:
    """What puts results on a dataset in doubt, one sentence each; empty for a sound one."""
    sentences = []
    grey = len(images.colourless)
    if grey >= COLOURLESS_SHARE * len(images):
        share = 100 * grey / len(images)
        sentences.append(
            f"{grey} of {len(images)} images of {images.name} are nearly colourless ({share:.0f} %): they "
            "teach grey, and ratios to their colour mean nothing."
        )
    held_out = len(images.leaks(TEST))
    if held_out:
        sentences.append(
            f"{held_out} of {len(images.indices(TEST))} test images of {images.name} show pictures that are "
            "in training or validation as well; results are given with and without them."
        )
    return sentences


def pictures_in_two_splits(images: ImageSet) -> list[str]:
    """Held-out images whose picture is in a split that is used before theirs, one line each."""
    groups, split = images.groups, images.split
    lines = []
    for side in (VALIDATION, TEST):
        earlier = np.flatnonzero(split < side)
        shown, first = np.unique(groups[earlier], return_index=True)
        other = dict(zip(shown.tolist(), earlier[first].tolist(), strict=True))
        for position in images.leaks(side):
            if (found := other.get(int(groups[position]))) is not None:
                sides = f"{SPLIT_NAMES[side]} and {SPLIT_NAMES[split[found]]}"
                lines.append(f"{images.files[position]} ~ {images.files[found]} ({sides})")
    return lines
