"""Files that show one picture: re-saved, resized, mirrored, slightly cropped or brightened.

Two steps, as in published deduplication: a perceptual hash proposes pairs, pixels decide. The hash is
pHash's (low frequencies of the cosine transform of a grey thumbnail) before it is cut down to bits: the
coefficients change little under a crop that flips many bits, and mirroring only changes the sign of those
with an odd horizontal frequency, so both ways round are compared at once. Pairs that the hash proposes are
laid over each other and must agree in their details.

The comparisons grow with the number of images, not of pairs: nothing is compared that is joined already, and no
image is laid over more than a few others, the most similar first.

Both thresholds were set on photographs: 5739 scenes and 721 pictures of single fruits on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data_utils.alignment import agreement

FREQUENCIES = 8  # per axis, the constant one left out
# cos of the angle between two hashes; half of the smallest distance counts a 6 % crop in 98 of 100 photographs.
PROPOSED = 0.875
# Different fruits of one shape reach 0.87 at most; brightened, cropped and re-saved copies 0.95 in 99 of 100.
NEAR = 0.90
# Others that an image is laid over at most: of 350 fruits and 300 scenes, mirrored and cropped, 64 join no more copies
# with their originals.
PER_IMAGE = 4
_ROWS, _COLUMNS = 1024, 4096  # of the table of similarities that is held at a time
_EVEN = FREQUENCIES * (FREQUENCIES // 2) - 1  # coefficients that mirroring leaves as they are
_PAIRS = 64  # laid over each other at a time; what is computed of more leaves the processor's cache


def near_duplicate_pairs(thumbnails: np.ndarray, contents: Sequence[str], workers: int = 1) -> np.ndarray:
    """Find the images that show one picture, as pairs that join all images of a picture.

    Args:
        thumbnails: N×64×64 uint8, from ``decode_image.thumbnail``.
        contents: N digests; of images with equal ones only the first is compared with others.
        workers: threads.

    Returns:
        P×2 int64 positions, the smaller first, sorted: each repeated content with its first image, and
        first images that are near-duplicates of each other, without most of those pairs that others connect.
        Flat pictures are near to none.
    """
    first: dict[str, int] = {}
    leaders = np.array([first.setdefault(content, index) for index, content in enumerate(contents)], int)
    distinct = np.unique(leaders)
    repeated = np.flatnonzero(leaders != np.arange(len(leaders)))
    found = [np.stack([leaders[repeated], repeated], axis=1)]
    hashes, label = _hashes(thumbnails, distinct, workers), np.arange(len(distinct))
    with ThreadPoolExecutor(workers) as pool:
        for top in range(0, len(distinct), _ROWS):
            pairs, similarity = _proposals(hashes, label, top)
            rank, mirrored = _rank(pairs[:, 0], similarity), similarity < 0
            for step in range(PER_IMAGE):
                asked = np.flatnonzero(rank == step)
                asked = asked[label[pairs[asked, 0]] != label[pairs[asked, 1]]]
                near = pairs[asked[_near(pool, thumbnails, distinct[pairs[asked]], mirrored[asked])]]
                if len(near):
                    label = _joined(label, near)
                    found.append(distinct[near])
    return np.unique(np.concatenate(found), axis=0).reshape(-1, 2)


def groups_of(count: int, pairs: np.ndarray) -> np.ndarray:
    """Join images that pairs connect, directly or through others.

    Args:
        count: N images.
        pairs: P×2 positions.

    Returns:
        N int32, the smallest position in each image's group; an image alone is its own group.
    """
    label = _joined(np.arange(count), pairs)
    _, first = np.unique(label, return_index=True)
    return first[label].astype(np.int32)


def _joined(label: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Labels of N images, from 0, of which those of each pair (P×2 positions) become one."""
    ends = label[pairs[:, 0]], label[pairs[:, 1]]
    links = coo_array((np.ones(len(pairs), bool), ends), shape=(len(label), len(label)))
    _, component = connected_components(links, directed=False)
    joined: np.ndarray = component[label]
    return joined


def _hashes(thumbnails: np.ndarray, chosen: np.ndarray, workers: int) -> np.ndarray:
    """N×63 float32 of length one, horizontally even frequencies first; the zero vector for pictures of one colour."""
    result = np.zeros((len(chosen), FREQUENCIES**2 - 1), np.float32)
    for start in range(0, len(chosen), _COLUMNS):
        block = thumbnails[chosen[start : start + _COLUMNS]].astype(np.float32)
        low = dctn(block, axes=(1, 2), norm="ortho", overwrite_x=True, workers=workers)[
            :, :FREQUENCIES, :FREQUENCIES
        ]
        parts = [low[:, :, parity::2].reshape(len(block), -1) for parity in (0, 1)]
        low = np.concatenate(parts, axis=1)[:, 1:]
        result[start : start + len(block)] = low / np.maximum(np.linalg.norm(low, axis=1, keepdims=True), 1.0)
    return result


def _proposals(hashes: np.ndarray, label: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The later images of other labels with the most similar hashes, for each image of a block of rows.

    Every pair is compared, in blocks of matrix products: no bucket can lose a pair, memory stays at a few
    hundred MB, and 200 000 images take a few minutes, less than decoding them.

    Returns:
        P×2 pairs, at most ``PER_IMAGE`` with the same first image, and P similarities, negative where the
        pair is more similar when one is mirrored.
    """
    rows = slice(top, top + _ROWS)
    pairs, similarity = np.zeros((0, 2), int), np.zeros(0, np.float32)
    for left in range(top // _COLUMNS * _COLUMNS, len(hashes), _COLUMNS):
        columns = slice(left, left + _COLUMNS)
        turned = hashes[rows, _EVEN:] @ hashes[columns, _EVEN:].T
        # Mirroring one of the two changes the sign of this part alone.
        table = np.abs(turned)
        table += hashes[rows, :_EVEN] @ hashes[columns, :_EVEN].T
        i, j = np.divmod(np.flatnonzero(table > PROPOSED), table.shape[1])
        new = (i + top < j + left) & (label[i + top] != label[j + left])
        i, j = i[new], j[new]
        pairs = np.concatenate([pairs, np.stack([i + top, j + left], axis=1)])
        similarity = np.concatenate([similarity, np.copysign(table[i, j], turned[i, j])])
        kept = _rank(pairs[:, 0], similarity) < PER_IMAGE
        pairs, similarity = pairs[kept], similarity[kept]
    return pairs, similarity


def _rank(image: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """The place of each of P proposals among those of its image, from 0, the most similar first."""
    order = np.lexsort((-np.abs(similarity), image))
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order)) - np.searchsorted(image[order], image[order])
    return rank


def _near(pool: Executor, thumbnails: np.ndarray, pairs: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Which of P×2 pairs show one picture."""

    def agree(start: int) -> np.ndarray:
        some = slice(start, start + _PAIRS)
        first, second = thumbnails[pairs[some, 0]], thumbnails[pairs[some, 1]]
        second = np.where(mirrored[some, None, None], second[:, :, ::-1], second)
        return agreement(first, second) >= NEAR

    return np.concatenate([np.zeros(0, bool), *pool.map(agree, range(0, len(pairs), _PAIRS))])
