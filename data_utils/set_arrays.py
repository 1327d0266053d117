"""The form in which the cache keeps a dataset: arrays, with everything else as JSON in one of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence

import numpy as np

from data_utils.errors import printable
from data_utils.image_set import ImageSet, Refused, SetSource, require_all_splits
from data_utils.near_duplicates import groups_of
from data_utils.splits import assign_splits, duplicate_pairs

FORMAT = 4  # raise it whenever ``assemble`` gives other arrays


def assemble(
    root: str,
    *,
    names: Sequence[str],
    labels: Sequence[str | None],
    given: Sequence[str | None],
    contents: Sequence[str],
    pixels: Sequence[str],
    near: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    refused: Sequence[Refused] = (),
) -> dict[str, np.ndarray]:
    """Complete decoded images with splits, categories, duplicates and fingerprint, as arrays for the cache.

    Args:
        root: where the images come from, for messages.
        names: N file names relative to the root, raw.
        labels: N category names or None.
        given: N of ``"train"``, ``"validation"``, ``"test"`` or None.
        contents: N digests of the decoded images at their own resolution.
        pixels: N digests of grey and colour as they are stored.
        near: P×2 positions of images that show one picture, identical ones among them.
        arrays: ``grey``, ``colour``, ``colour_spread``, ``grey_error``, ``original_size`` as in ``ImageSet``.
        refused: files left out.

    Raises:
        DataError: a split would be empty.
    """
    categories = sorted({label for label in labels if label is not None})
    number = {label: index for index, label in enumerate(categories)}
    category = np.array([-1 if label is None else number[label] for label in labels], np.int16)
    group = groups_of(len(names), near)
    split = assign_splits(names, category.tolist(), given, group.tolist())
    require_all_splits(root, split, group)
    content = _fingerprint(names, labels, split, pixels)
    manifest = {
        "categories": [printable(label) for label in categories],
        "files": [printable(name) for name in names],
        "fingerprint": content,
        "refused": [[item.file, item.reason] for item in refused],
        "duplicates": [[printable(a), printable(b)] for a, b in duplicate_pairs(names, contents)],
        "near_duplicates": [
            [printable(names[a]), printable(names[b])] for a, b in near if contents[a] != contents[b]
        ],
    }
    packed = np.frombuffer(json.dumps(manifest).encode("ascii"), np.uint8)
    return {**arrays, "split": split, "category": category, "group": group, "manifest": packed}


def image_set(source: SetSource, arrays: Mapping[str, np.ndarray]) -> ImageSet:
    """The set whose arrays ``assemble`` made, after they went through the cache."""
    manifest = json.loads(arrays["manifest"].tobytes())
    return ImageSet(
        name=source.name,
        layout=source.layout,
        root=source.root,
        grey=arrays["grey"],
        colour=arrays["colour"],
        split=arrays["split"],
        category=arrays["category"],
        categories=tuple(manifest["categories"]),
        files=tuple(manifest["files"]),
        fingerprint=manifest["fingerprint"],
        refused=tuple(Refused(*item) for item in manifest["refused"]),
        duplicates=tuple((a, b) for a, b in manifest["duplicates"]),
        drawn=source.layout == "drawn",
        grey_error=arrays["grey_error"],
        original_size=arrays["original_size"],
        near_duplicates=tuple((a, b) for a, b in manifest["near_duplicates"]),
        group=arrays["group"],
        colour_spread=arrays["colour_spread"],
        left_out=source.left_out,
        source=source,
    )


def _fingerprint(
    names: Sequence[str],
    labels: Sequence[str | None],
    split: np.ndarray,
    pixels: Sequence[str],
) -> str:
    """Of all that makes the set, the pixels through their digests: a large set is not read for it again."""
    digest = hashlib.sha256(split.tobytes())
    for name, label, image in zip(names, labels, pixels, strict=True):
        digest.update(b"\0".join([os.fsencode(name), os.fsencode(label or ""), image.encode(), b""]))
    return digest.hexdigest()
