"""Twenty drawn kinds of fruit and vegetables, one on white per picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_utils.drawn.canvas import Canvas, Solid
from data_utils.drawn.hues import (
    BROWN,
    DARK_GREEN,
    DARK_RED,
    GREEN,
    LEAF,
    ORANGE,
    PEACH,
    PURPLE,
    RED,
    STALK,
    YELLOW,
    Hue,
    mottled,
    pick,
)

Painter = Callable[[Canvas, tuple[Hue, ...]], None]


def placed(canvas: Canvas, reach: float = 0.12) -> tuple[float, float]:
    """A centre near the middle, with its shadow drawn on the ground below."""
    x, y = canvas.rng.uniform(-reach, reach, 2)
    return float(x), float(y)


def stalk(canvas: Canvas, foot: tuple[float, float], length: float, lean: float = 0.0) -> None:
    """A short stem that rises from a point."""
    tip = (foot[0] + lean * length, foot[1] - length)
    canvas.shade(
        canvas.solid(
            ((foot[0] + tip[0]) / 2, (foot[1] + tip[1]) / 2),
            length * 0.6,
            0.16,
            np.arctan2(tip[1] - foot[1], tip[0] - foot[0]),
            blunt=6,
        ),
        pick(canvas, (STALK, LEAF)),
        0.1,
    )


def leaf(canvas: Canvas, centre: tuple[float, float], length: float, angle: float) -> None:
    """One leaf with a midrib."""
    blade = canvas.solid(centre, length, 0.4, angle, bend=0.15)
    green = pick(canvas, (LEAF,)) * (1 - 0.25 * (np.abs(blade.across) < 0.12))[..., None]
    canvas.shade(blade, green, 0.15)


def round_fruit(
    width: float,
    *,
    stem: float = 0.0,
    leaves: int = 0,
    gloss: float = 0.4,
    pores: int = 0,
    waist: float = 0.0,
) -> Painter:
    """Painter of one body that stands upright: apples, oranges, pears, tomatoes."""

    def paint(canvas: Canvas, hues: tuple[Hue, ...]) -> None:
        rng, (x, y) = canvas.rng, placed(canvas)
        half = rng.uniform(0.52, 0.7) * min(1.0, 1 / width)
        canvas.shadow((x, y + half * 0.9), half * width * 1.2, half * 0.3)
        body = canvas.solid((x, y), half, width, -np.pi / 2 + rng.normal(0, 0.12), waist=waist, blunt=2.3)
        relief = body.cut(canvas.noise(pores)) * 0.5 if pores else None
        colour = body.cut(mottled(canvas, hues))
        canvas.shade(body, colour, gloss * rng.uniform(0.6, 1.3), relief)
        if stem:
            canvas.shadow((x, y - half * 0.93), 0.13, 0.05, 0.5)
            stalk(canvas, (x, y - half * 0.88), stem, float(rng.normal(0, 0.4)))
        for turn in np.linspace(-2.6, -0.5, leaves) if leaves else ():
            reach = 0.13 if leaves > 1 else 0.17
            leaf(
                canvas,
                (x + reach * np.cos(turn), y - half * 0.9 + 0.6 * reach * np.sin(turn)),
                reach,
                float(turn),
            )

    return paint


def long_fruit(
    width: float,
    *,
    blunt: float = 2.5,
    taper: float = 0.0,
    bend: float = 0.0,
    gloss: float = 0.4,
    tips: bool = False,
    cap: float = 0.0,
    bumps: int = 0,
    texture: Callable[[Solid, np.ndarray], np.ndarray] | None = None,
) -> Painter:
    """Painter of one body that lies aslant: bananas, chillies, cucumbers, carrots."""

    def paint(canvas: Canvas, hues: tuple[Hue, ...]) -> None:
        rng, (x, y) = canvas.rng, placed(canvas, 0.06)
        half, angle = (
            rng.uniform(0.68, 0.82) * (1 - cap / 2),
            rng.uniform(-0.65, 0.65) + np.pi * rng.integers(2),
        )
        curve = bend * rng.uniform(0.6, 1.3) * rng.choice([-1, 1])
        canvas.shadow((x, y + half * (width * 0.75 + 0.1)), half * 0.85, half * 0.26, 0.32)
        shape = {"blunt": blunt, "taper": taper, "bend": curve}
        body = canvas.solid((x, y), half, width * rng.uniform(0.88, 1.12), angle, **shape)
        colour = body.cut(mottled(canvas, hues, 4))
        if texture:
            colour = texture(body, colour)
        if tips:  # dark ends
            colour = colour * (1 - 0.65 * np.clip((np.abs(body.along) - 0.84) / 0.14, 0, 1))[..., None]
        canvas.shade(body, colour, gloss, body.cut(canvas.noise(bumps)) * 0.8 if bumps else None)
        if cap:  # leaves where it grew
            root = np.array([x, y]) - half * 0.93 * np.array([np.cos(angle), np.sin(angle)])
            root += half * curve * 0.5 * np.array([-np.sin(angle), np.cos(angle)])
            for turn in rng.normal(angle + np.pi, 0.45, 5):
                reach = cap * rng.uniform(0.7, 1.2)
                leaf(
                    canvas,
                    (root[0] + reach * np.cos(turn), root[1] + reach * np.sin(turn)),
                    reach,
                    float(turn),
                )

    return paint


def cluster(radius: float, count: int, spread: float, *, stems: bool = False, gloss: float = 0.5) -> Painter:
    """Painter of many small balls: grapes, cherries, broccoli florets."""

    def paint(canvas: Canvas, hues: tuple[Hue, ...]) -> None:
        rng, (x, y) = canvas.rng, placed(canvas, 0.08)
        base = pick(canvas, hues)
        canvas.shadow((x, y + spread * 0.95 + radius * 0.5), spread * 1.1 + radius * 0.5, 0.17)
        steps = np.arange(count)[
            ::-1
        ]  # the golden angle spreads them evenly; the middle comes last, in front
        turns, reaches = rng.uniform(0, 6.3) + steps * 2.4, spread * np.sqrt((steps + 0.5) / count)
        top = (x + rng.normal(0, 0.1), y - spread - radius * 0.9)
        for turn, reach in zip(turns, reaches, strict=True):
            at = (x + reach * np.cos(turn), y + reach * np.sin(turn))
            if stems:
                along = np.arctan2(at[1] - top[1], at[0] - top[0])
                middle = ((at[0] + top[0]) / 2, (at[1] + top[1]) / 2)
                canvas.shade(
                    canvas.solid(middle, np.hypot(at[0] - top[0], at[1] - top[1]) / 2, 0.05, along, blunt=8),
                    pick(canvas, (STALK, LEAF)),
                    0.0,
                )
            ball = canvas.solid(at, radius * rng.uniform(0.85, 1.1), rng.uniform(0.9, 1.0), rng.uniform(0, 3))
            canvas.shade(ball, np.clip(base * rng.normal(1, 0.08), 0, 1), gloss)

    return paint


def broccoli(canvas: Canvas, hues: tuple[Hue, ...]) -> None:
    """A pale stalk under a crown of florets."""
    rng, (x, y) = canvas.rng, placed(canvas, 0.06)
    canvas.shadow((x, y + 0.72), 0.5, 0.13)
    canvas.shade(
        canvas.solid((x, y + 0.4), 0.42, 0.5, np.pi / 2, blunt=6),
        pick(canvas, (Hue(1, 82, 8, 0.4, 0.66),)),
        0.1,
    )
    base, relief = pick(canvas, hues), canvas.noise(max(8, canvas.size // 3)) * 0.9
    for turn, reach in zip(rng.uniform(0, 6.3, 26), np.sqrt(np.linspace(1, 0.02, 26)), strict=True):
        at = (x + 0.52 * reach * np.cos(turn), y - 0.2 + 0.36 * reach * np.sin(turn))
        floret = canvas.solid(at, rng.uniform(0.17, 0.25), 1.0)
        canvas.shade(floret, np.clip(base * rng.normal(1, 0.1), 0, 1), 0.0, floret.cut(relief))


def kernels(body: Solid, colour: np.ndarray) -> np.ndarray:
    """Rows of corn kernels."""
    rows = np.abs(np.sin(np.arcsin(np.clip(body.across, -1, 1)) * 5) * np.sin(body.along * 22))
    return np.asarray(np.clip(colour * (0.78 + 0.5 * rows)[..., None], 0, 1))


def seeds(body: Solid, colour: np.ndarray) -> np.ndarray:
    """Pale seeds in a lattice."""
    lattice = np.sin(body.along * 13) * np.sin(np.arcsin(np.clip(body.across, -1, 1)) * 6.5)
    dots = np.clip((np.abs(lattice) - 0.8) * 8, 0, 1)[..., None]
    return np.asarray(colour * (1 - dots) + dots * np.array([0.93, 0.83, 0.5]))


def kiwi(canvas: Canvas, hues: tuple[Hue, ...]) -> None:
    """A halved fruit: skin, flesh with rays, pale heart, black seeds."""
    rng, (x, y) = canvas.rng, placed(canvas)
    half, wide, turn = rng.uniform(0.55, 0.7), rng.uniform(0.82, 0.95), rng.uniform(0, 3)
    canvas.shadow((x, y + half * 0.8), half, half * 0.3)
    body = canvas.solid((x, y), half, wide, turn)
    canvas.shade(body, pick(canvas, (BROWN,)), 0.0, body.cut(canvas.noise(max(8, canvas.size // 3))) * 0.4)
    radius = np.hypot(canvas.x - x, canvas.y - y) / half
    rays = 0.5 + 0.5 * np.cos(np.arctan2(canvas.y - y, canvas.x - x) * 24)
    cut = canvas.solid((x, y), half * 0.92, wide, turn)
    flesh = pick(canvas, hues) * (0.92 + 0.2 * rays * (radius < 0.75))[..., None]
    heart = np.clip((0.3 - radius) * 8, 0, 1)[..., None]
    flesh = flesh * (1 - heart) + heart * np.array([0.9, 0.91, 0.72])
    dark = np.clip((rays - 0.82) * 7, 0, 1) * np.exp(-(((radius - 0.42) / 0.07) ** 2))
    canvas.paint(cut.mask, cut.cut(np.clip(flesh * (1 - 0.85 * dark)[..., None], 0, 1)), cut.window)


FRUIT: dict[str, tuple[Painter, tuple[Hue, ...]]] = {
    "Apple": (round_fruit(0.97, stem=0.2, gloss=0.5), (RED, GREEN, YELLOW)),
    "Apricot": (round_fruit(0.93, leaves=1, gloss=0.15), (ORANGE, PEACH)),
    "Aubergine": (long_fruit(0.42, taper=-0.5, bend=0.12, gloss=0.6, cap=0.13), (PURPLE,)),
    "Avocado": (round_fruit(0.72, waist=0.3, pores=24, gloss=0.2), (DARK_GREEN, Hue(0.5, 80, 12, 0.4, 0.24))),
    "Banana": (
        long_fruit(0.21, blunt=4, bend=0.42, tips=True, gloss=0.2),
        (YELLOW, Hue(0.35, 72, 8, 0.7, 0.6)),
    ),
    "Broccoli": (broccoli, (DARK_GREEN, GREEN)),
    "Carrot": (long_fruit(0.24, taper=0.7, gloss=0.15, cap=0.2, bumps=14), (ORANGE,)),
    "Cherry": (cluster(0.3, 2, 0.33, stems=True, gloss=0.7), (RED, DARK_RED)),
    "Chilli": (long_fruit(0.19, taper=0.65, bend=0.25, gloss=0.6, cap=0.07), (RED, GREEN)),
    "Corn": (long_fruit(0.27, blunt=3, taper=0.25, gloss=0.2, cap=0.24, texture=kernels), (YELLOW,)),
    "Cucumber": (long_fruit(0.2, blunt=6, bend=0.1, gloss=0.3, bumps=22), (DARK_GREEN, GREEN)),
    "Grape": (cluster(0.17, 19, 0.48, gloss=0.45), (PURPLE, Hue(1, 78, 9, 0.55, 0.5), DARK_RED)),
    "Kiwi": (kiwi, (GREEN, Hue(0.4, 60, 7, 0.7, 0.6))),
    "Lemon": (long_fruit(0.66, blunt=1.7, gloss=0.3, bumps=26), (YELLOW, Hue(0.3, 80, 10, 0.75, 0.52))),
    "Orange": (round_fruit(0.99, pores=28, gloss=0.35), (ORANGE, Hue(0.2, 40, 5, 0.9, 0.55))),
    "Pear": (
        round_fruit(0.74, waist=0.42, stem=0.22, gloss=0.25),
        (GREEN, YELLOW, Hue(0.5, 30, 8, 0.6, 0.45)),
    ),
    "Plum": (round_fruit(0.84, gloss=0.35), (PURPLE, DARK_RED, Hue(0.5, 240, 14, 0.5, 0.26))),
    "Potato": (
        long_fruit(0.62, blunt=2.8, gloss=0.05, bumps=9),
        (BROWN, Hue(0.4, 48, 5, 0.5, 0.6), Hue(0.3, 12, 6, 0.45)),
    ),
    "Strawberry": (long_fruit(0.78, taper=0.45, gloss=0.4, cap=0.16, texture=seeds), (RED,)),
    "Tomato": (round_fruit(1.12, leaves=5, gloss=0.65), (RED, ORANGE, Hue(0.25, 75, 12, 0.75))),
}


def draw_fruit(size: int, rng: np.random.Generator, kind: str) -> np.ndarray:
    """One picture, S×S×3 uint8."""
    canvas = Canvas(size, rng, np.ones(3))
    painter, hues = FRUIT[kind]
    painter(canvas, hues)
    return canvas.to_uint8()
