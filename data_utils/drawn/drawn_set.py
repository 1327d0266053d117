"""The embedded default datasets: drawn from a seed, so that everything can be tried without any files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from data_utils.decode_entry import pixel_digest
from data_utils.decode_image import colour_spread
from data_utils.drawn.fruit import FRUIT, draw_fruit
from data_utils.drawn.scenes import draw_scene
from data_utils.set_arrays import FORMAT, assemble

DRAWN_SETS = ("scenes", "fruit")
DRAWING_VERSION = 2  # raise it whenever the same seed would give other pictures
SEED = 2024
SCENES = 360
PER_FRUIT = 18


@dataclass(frozen=True)
class DrawnSet:
    """One of ``DRAWN_SETS`` at one size: 360 scenes, or 20 × 18 pictures of fruit on white."""

    kind: str
    size: int

    @property
    def key(self) -> str:
        """Name of its entry in the cache."""
        return f"drawn-{self.kind}-{self.size}-v{DRAWING_VERSION}.{FORMAT}"

    def build(self) -> dict[str, np.ndarray]:
        """Draw all pictures; each depends on the seed, its number and the size only.

        Returns:
            Arrays for ``image_set``.
        """
        kinds: list[str | None] = [None] * SCENES
        names = [f"scene{number:04d}.png" for number in range(SCENES)]
        if self.kind == "fruit":
            kinds = [kind for kind in FRUIT for _ in range(PER_FRUIT)]
            names = [f"{kind}/{kind}{number % PER_FRUIT:02d}.png" for number, kind in enumerate(kinds)]
        colour = np.stack([self._draw(number, kind) for number, kind in enumerate(kinds)])
        grey = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in colour])
        return assemble(
            f"drawn:{self.kind}",
            names=names,
            labels=kinds,
            given=[None] * len(names),
            contents=[hashlib.sha256(picture).hexdigest() for picture in colour],
            pixels=[pixel_digest(*pair) for pair in zip(grey, colour, strict=True)],
            near=np.zeros((0, 2), np.int64),
            arrays={
                "grey": grey,
                "colour": colour,
                "colour_spread": colour_spread(colour).astype(np.float32),
                "grey_error": np.zeros(len(names), np.float32),
                "original_size": np.full((len(names), 2), self.size, np.int32),
            },
        )

    def _draw(self, number: int, kind: str | None) -> np.ndarray:
        rng = np.random.default_rng([SEED, number])
        return draw_scene(self.size, rng) if kind is None else draw_fruit(self.size, rng, kind)
