"""Files that show one picture: re-saved, resized, mirrored, slightly cropped or brightened.

Two steps, as in published deduplication: a perceptual hash proposes pairs, pixels decide. The hash is
pHash's (low frequencies of the cosine transform of a grey thumbnail) before it is cut down to bits: the
coefficients change little under a crop that flips many bits, and mirroring only changes the sign of those
with an odd horizontal frequency, so both ways round are compared at once. Pairs that the hash proposes are
laid over each other and must agree in their details.

Both thresholds were set on photographs: 5739 scenes and 721 pictures of single fruits on white.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data_utils.alignment import agreement

THUMBNAIL = 64  # pixels; the whole picture squeezed into a square
FREQUENCIES = 8  # per axis, the constant one left out
# cos of the angle between two hashes; half of the smallest distance counts a 6 % crop in 98 of 100 photographs.
PROPOSED = 0.875
# Different fruits of one shape reach 0.87 at most; brightened, cropped and re-saved copies 0.95 in 99 of 100.
NEAR = 0.90
_ROWS, _COLUMNS = 1024, 8192  # of the table of similarities that is held at a time
_PAIRS = 256  # laid over each other at a time


def thumbnail(picture: Image.Image) -> np.ndarray:
    """Reduce an RGB picture to ``THUMBNAIL × THUMBNAIL`` uint8 grey, its aspect ignored."""
    small = picture.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(small.convert("L"))


def near_duplicate_pairs(thumbnails: np.ndarray, contents: Sequence[str]) -> np.ndarray:
    """Find the pairs of images that show one picture.

    Args:
        thumbnails: N×64×64 uint8, from ``thumbnail``.
        contents: N digests; of images with equal ones only the first is compared with others.

    Returns:
        P×2 int64 positions, the smaller first, sorted: each repeated content with its first image, and
        the first images that are near-duplicates of each other. Flat pictures are near to none.
    """
    first: dict[str, int] = {}
    leaders = np.array([first.setdefault(content, index) for index, content in enumerate(contents)], int)
    distinct = np.unique(leaders)
    proposed, mirrored = _proposals(_hashes(thumbnails, distinct))
    left, right = distinct[proposed[:, 0]], distinct[proposed[:, 1]]
    near = [
        _near(thumbnails[left[k : k + _PAIRS]], thumbnails[right[k : k + _PAIRS]], mirrored[k : k + _PAIRS])
        for k in range(0, len(left), _PAIRS)
    ]
    chosen = np.concatenate([np.zeros(0, bool), *near])
    repeated = np.flatnonzero(leaders != np.arange(len(leaders)))
    same = np.stack([leaders[repeated], repeated], axis=1)
    pairs = np.concatenate([same, np.stack([left[chosen], right[chosen]], axis=1)])
    return np.unique(pairs, axis=0).reshape(-1, 2)


def groups_of(count: int, pairs: np.ndarray) -> np.ndarray:
    """Join images that pairs connect, directly or through others.

    Args:
        count: N images.
        pairs: P×2 positions.

    Returns:
        N int32, the smallest position in each image's group; an image alone is its own group.
    """
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, label = connected_components(links, directed=False)
    _, first = np.unique(label, return_index=True)
    return first[label].astype(np.int32)


def _hashes(thumbnails: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """N×63 float32 of length one; the zero vector for pictures of one colour."""
    result = np.zeros((len(chosen), FREQUENCIES**2 - 1), np.float32)
    for start in range(0, len(chosen), _COLUMNS):
        block = thumbnails[chosen[start : start + _COLUMNS]].astype(np.float32)
        low = dctn(block, axes=(1, 2), norm="ortho")[:, :FREQUENCIES, :FREQUENCIES]
        low = low.reshape(len(block), -1)[:, 1:]
        result[start : start + len(block)] = low / np.maximum(np.linalg.norm(low, axis=1, keepdims=True), 1.0)
    return result


def _proposals(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of similar hashes, P×2, and whether they are more similar when one is mirrored, P.

    Every pair is compared, in blocks of matrix products: no bucket can lose a pair, memory stays at a few
    hundred MB, and 200 000 images take a few minutes, less than decoding them.
    """
    odd = np.tile(np.arange(FREQUENCIES) % 2 == 1, FREQUENCIES)[1:]
    symmetric, antisymmetric = hashes[:, ~odd], hashes[:, odd]
    pairs, flipped = [np.zeros((0, 2), int)], [np.zeros(0, bool)]
    for top in range(0, len(hashes), _ROWS):
        rows = slice(top, top + _ROWS)
        for left in range(top, len(hashes), _COLUMNS):
            columns = slice(left, left + _COLUMNS)
            turned = antisymmetric[rows] @ antisymmetric[columns].T
            # Mirroring one of the two changes the sign of this part alone.
            similarity = np.abs(turned)
            similarity += symmetric[rows] @ symmetric[columns].T
            i, j = np.divmod(np.flatnonzero(similarity > PROPOSED), similarity.shape[1])
            upper = i + top < j + left
            i, j = i[upper], j[upper]
            pairs.append(np.stack([i + top, j + left], axis=1))
            flipped.append(turned[i, j] < 0)
    return np.concatenate(pairs), np.concatenate(flipped)


def _near(first: np.ndarray, second: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    second = np.where(mirrored[:, None, None], second[:, :, ::-1], second)
    return agreement(first, second) >= NEAR
