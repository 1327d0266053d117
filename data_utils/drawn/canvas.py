"""What the drawn datasets are drawn with: shaded solids, textures and colours on a square canvas."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image

WHOLE = (slice(None), slice(None))
LUMA = np.array([0.299, 0.587, 0.114])  # BT.601


@dataclass(frozen=True)
class Solid:
    """A body of revolution seen from the side, as maps (H×W each) over its window of the canvas.

    Attributes:
        window: rows and columns of the canvas that hold it.
        mask: coverage in [0, 1], antialiased.
        along: position on the axis, −1 to 1 from end to end.
        across: position beside the axis over the half-width there, −1 to 1.
        normal: H×W×3 unit normals, z towards the viewer.
    """

    window: tuple[slice, slice]
    mask: np.ndarray
    along: np.ndarray
    across: np.ndarray
    normal: np.ndarray

    def cut(self, canvas_map: np.ndarray) -> np.ndarray:
        """The part of a map over the canvas that lies in the window."""
        return canvas_map[self.window]


class Canvas:
    """A square picture whose coordinates run from −1 to 1, x to the right and y downwards.

    Args:
        size: pixels a side.
        rng: source of everything random in the picture.
        background: RGB in [0, 1].
    """

    def __init__(self, size: int, rng: np.random.Generator, background: np.ndarray) -> None:
        self.size, self.rng = size, rng
        steps = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
        self.x, self.y = np.meshgrid(steps, steps)
        self.pixels = np.broadcast_to(background, (size, size, 3)).astype(np.float32)
        azimuth = rng.uniform(-2.3, -0.85)  # from above, left or right
        light = np.array([np.cos(azimuth), np.sin(azimuth), rng.uniform(0.9, 1.5)])
        self.light = (light / np.linalg.norm(light)).astype(np.float32)

    def to_uint8(self) -> np.ndarray:
        """S×S×3 uint8 with a little sensor noise."""
        noise = self.rng.normal(0, 0.006, self.pixels.shape)
        noisy = self.pixels + noise * (self.pixels < 0.995)
        return np.asarray((np.clip(noisy, 0, 1) * 255).round(), np.uint8)

    def window(self, centre: tuple[float, float], radius: float) -> tuple[slice, slice]:
        """Rows and columns around a point, at least two of each; drawing small things costs little there."""
        column, row = ((np.array(centre) + 1) / 2 * self.size).astype(int)
        reach = int(radius * self.size / 2) + 2
        first = [int(np.clip(middle - reach, 0, self.size - 2)) for middle in (row, column)]
        last = [int(np.clip(middle + reach, 0, self.size)) for middle in (row, column)]
        rows, columns = (slice(a, max(b, a + 2)) for a, b in zip(first, last, strict=True))
        return rows, columns

    def paint(self, mask: np.ndarray, colour: np.ndarray, window: tuple[slice, slice] = WHOLE) -> None:
        """Cover with a colour (3, or H×W×3) where the mask (H×W in [0, 1]) says, all within a window."""
        below = self.pixels[window]
        below += mask[..., None] * (np.asarray(colour, np.float32) - below)

    def disc(self, centre: tuple[float, float], radius: float, colour: np.ndarray) -> None:
        """Paint a flat disc."""
        window = self.window(centre, radius)
        distance = np.hypot(self.x[window] - centre[0], self.y[window] - centre[1])
        self.paint(self.edge(radius - distance), colour, window)

    def edge(self, distance: np.ndarray) -> np.ndarray:
        """Antialiased mask of where a signed distance in canvas units is positive."""
        return np.clip(distance * self.size / 2 + 0.5, 0, 1)

    def noise(self, cells: int) -> np.ndarray:
        """Smooth H×W noise in [0, 1] with about ``cells`` bumps a side."""
        coarse = self.rng.random((cells + 1, cells + 1)).astype(np.float32)
        smooth = Image.fromarray(coarse).resize((self.size, self.size), Image.Resampling.BICUBIC)
        return np.asarray(smooth).clip(0, 1)

    def solid(
        self,
        centre: tuple[float, float],
        half_length: float,
        width: float,
        angle: float = 0.0,
        *,
        blunt: float = 2.0,
        taper: float = 0.0,
        waist: float = 0.0,
        bend: float = 0.0,
    ) -> Solid:
        """A body of revolution.

        Args:
            centre: of the body, canvas units.
            half_length: along its axis.
            width: half-width over half-length.
            angle: of the axis against x, radians.
            blunt: 2 for an ellipse; larger is more of a cylinder.
            taper: how much thinner the far end is, in [0, 1).
            waist: how much thinner one half is than the other (pears).
            bend: curvature of the axis (bananas).
        """
        window = self.window(centre, half_length * (max(1.0, width) + abs(bend)))
        dx, dy = self.x[window] - np.float32(centre[0]), self.y[window] - np.float32(centre[1])
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / half_length
        v = (-dx * np.sin(angle) + dy * np.cos(angle)) / half_length - bend * (u**2 - 0.4)
        half_width = np.maximum(width * (1 - taper * (u + 1) / 2 - waist / (1 + np.exp(-7 * u))), 1e-3)
        inside = (1 - np.abs(u) ** blunt) * half_width**2 - v**2  # squared height over the picture plane
        step = 2 / self.size / half_length
        slope_y, slope_x = np.gradient(inside, step)
        steepness = np.hypot(slope_x, slope_y) + 1e-6
        normal = np.stack([-slope_x, -slope_y, 2 * np.sqrt(np.maximum(inside, 0))], axis=-1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
        return Solid(window, self.edge(inside / steepness * half_length), u, v / half_width, normal)

    def shade(
        self, solid: Solid, albedo: np.ndarray, gloss: float = 0.4, bump: np.ndarray | None = None
    ) -> None:
        """Paint a solid under the canvas's light.

        Args:
            solid: where and which way its surface looks.
            albedo: its colour in [0, 1], 3 or a map over its window.
            gloss: strength of the highlight, 0 for matt.
            bump: relief in [0, 1] over its window, which tilts the surface.
        """
        normal = solid.normal
        if bump is not None:
            tilt_y, tilt_x = np.gradient(bump)
            normal = normal - np.stack([tilt_x, tilt_y, np.zeros_like(bump)], axis=-1)
            normal = normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9)
        diffuse = np.maximum(normal @ self.light, 0)
        halfway = self.light + np.array([0, 0, 1])
        highlight = np.maximum(normal @ (halfway / np.linalg.norm(halfway)), 0) ** 45
        lit = albedo * (0.48 + 0.66 * diffuse)[..., None] + gloss * highlight[..., None]
        self.paint(solid.mask, np.clip(lit, 0, 1), solid.window)

    def shadow(self, centre: tuple[float, float], width: float, height: float, strength: float = 0.4) -> None:
        """Darken the ground softly under an object, away from the light."""
        dx = (self.x - centre[0] + 0.25 * width * self.light[0]) / width
        dy = (self.y - centre[1]) / height
        self.pixels *= (1 - strength * np.exp(-2 * (dx**2 + dy**2)))[..., None]


def colour_of(hue: float, saturation: float, luma: float) -> np.ndarray:
    """RGB in [0, 1] of a given BT.601 luma, so that brightness can be chosen independently of hue.

    Args:
        hue: degrees.
        saturation: in [0, 1]; colours too bright for it fade towards white.
        luma: in [0, 1].
    """
    rgb = np.array(colorsys.hsv_to_rgb(hue / 360 % 1, np.clip(saturation, 0, 1), 1.0))
    rgb = rgb * luma / (rgb @ LUMA)
    excess = rgb.max()
    if excess > 1:
        fade = (excess - 1) / (excess - luma)
        rgb = rgb + fade * (luma - rgb)
    return np.asarray(rgb.clip(0, 1), np.float32)
