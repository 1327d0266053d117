"""Drawn outdoor scenes: sky, hills, ground or water, with trees, houses and animals."""

from __future__ import annotations

import numpy as np

from data_utils.drawn.canvas import Canvas, Solid, colour_of

# (sky at the zenith, sky at the horizon, light on the land): hue in degrees, saturation, luma
SKIES = {
    "noon": ((212, 0.62, 0.52), (205, 0.25, 0.82), 1.0),
    "haze": ((210, 0.2, 0.68), (45, 0.08, 0.86), 0.92),
    "sunset": ((265, 0.35, 0.42), (24, 0.75, 0.66), 0.78),
    "overcast": ((215, 0.06, 0.6), (210, 0.04, 0.8), 0.85),
}
# hue and saturation of the land, of leaves
SEASONS = {
    "summer": ((92, 0.62), (110, 0.65)),
    "autumn": ((55, 0.5), (28, 0.8)),
    "dry": ((42, 0.42), (80, 0.4)),
    "winter": ((215, 0.06), (130, 0.3)),
}
COATS = ((25, 0.55, 0.35), (32, 0.6, 0.5), (38, 0.25, 0.75), (20, 0.2, 0.16), (18, 0.75, 0.45))
WALLS = ((40, 0.15, 0.86), (10, 0.45, 0.5), (48, 0.5, 0.75), (205, 0.3, 0.68), (350, 0.25, 0.7))
ROOFS = ((12, 0.65, 0.38), (20, 0.5, 0.28), (215, 0.2, 0.34), (150, 0.2, 0.34))


class Scene:
    """One scene being drawn, from far to near."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.canvas, self.rng = Canvas(size, rng, np.ones(3)), rng
        self.zenith, self.horizon, self.light = SKIES[str(rng.choice(list(SKIES), p=[0.4, 0.2, 0.2, 0.2]))]
        self.season = str(rng.choice(list(SEASONS), p=[0.5, 0.2, 0.15, 0.15]))
        self.land, self.leaves = SEASONS[self.season]
        self.level = rng.uniform(-0.1, 0.25)  # of the horizon

    def colour(self, hue: float, saturation: float, luma: float) -> np.ndarray:
        """A colour near the given one, under the scene's light."""
        luma = np.clip(self.rng.normal(luma, 0.06), 0.08, 0.92) * self.light
        return colour_of(self.rng.normal(hue, 7), saturation * self.rng.uniform(0.85, 1.15), float(luma))

    def sky(self) -> None:
        """Gradient, clouds, sometimes the sun."""
        canvas = self.canvas
        height = np.clip((canvas.y + 1) / (self.level + 1), 0, 1)[..., None]
        top, bottom = colour_of(*self.zenith), colour_of(*self.horizon)
        canvas.pixels = top + (bottom - top) * height
        if self.rng.random() < 0.4:
            x, y = self.rng.uniform(-0.8, 0.8), self.rng.uniform(-0.85, self.level - 0.15)
            distance = np.hypot(canvas.x - x, canvas.y - y)
            canvas.paint(0.7 * np.exp(-((distance / 0.3) ** 2)), np.array([1.0, 0.93, 0.75]))
            canvas.disc((x, y), 0.09, np.array([1.0, 0.97, 0.85]))
        cover = 0.6 * canvas.noise(4) + 0.4 * canvas.noise(10)
        amount = np.clip((cover - self.rng.uniform(0.45, 0.65)) * 4, 0, 0.85)
        canvas.paint(amount, np.clip(bottom * 0.35 + 0.65, 0, 1))

    def hills(self) -> None:
        """Ridges, paler and bluer with distance."""
        canvas = self.canvas
        for depth in (0.75, 0.45, 0.2)[self.rng.integers(0, 3) :]:
            ridge = self.level - depth * 0.75 * (0.15 + canvas.noise(3)[0]) - 0.02 * canvas.noise(14)[0]
            near = self.colour(*self.land, 0.42)
            tint = near + depth * (colour_of(*self.horizon) - near)
            relief = (0.88 + 0.24 * canvas.noise(12))[..., None]
            canvas.paint(canvas.edge(canvas.y - ridge[None, :]), np.clip(tint * relief, 0, 1))

    def ground(self) -> None:
        """Grass, sand or snow, or a lake that mirrors the sky."""
        canvas = self.canvas
        mask = canvas.edge(canvas.y - self.level)
        near = ((canvas.y - self.level) / (1 - self.level)).clip(0, 1)[..., None]
        luma = 0.85 if self.season == "winter" else 0.5
        texture = 0.8 + 0.25 * canvas.noise(9) + 0.2 * canvas.noise(max(8, canvas.size // 3))
        land = self.colour(*self.land, luma) * (1.05 - 0.25 * near) * texture[..., None]
        canvas.paint(mask, np.clip(land, 0, 1))
        if self.rng.random() < 0.3:
            shore = self.level + self.rng.uniform(0.1, 0.22) + 0.06 * canvas.noise(4)[0]
            lake = mask * canvas.edge(shore[None, :] - canvas.y)
            shoreline = int((self.level + 1) * canvas.size)  # twice the horizon's row
            rows = np.clip(shoreline - np.arange(canvas.size), 0, canvas.size - 1)
            mirrored = canvas.pixels[rows]
            ripples = (0.86 + 0.14 * np.sin(canvas.y * 90 + 6 * canvas.noise(6)))[..., None]
            water = 0.65 * mirrored + 0.35 * self.colour(208, 0.5, 0.4)
            canvas.paint(lake, np.clip(water * ripples, 0, 1))

    def tree(self, x: float, foot: float, height: float) -> None:
        """A fir, or a trunk with a crown of several balls."""
        canvas, rng = self.canvas, self.rng
        canvas.shadow((x, foot), height * 0.35, height * 0.07, 0.4)
        trunk = canvas.solid((x, foot - height * 0.3), height * 0.34, 0.13, np.pi / 2, blunt=8)
        canvas.shade(trunk, self.colour(26, 0.45, 0.26), 0.0)
        if rng.random() < 0.35:
            needles = self.colour(130, 0.4, 0.26)
            for tier in range(4):
                at = foot - height * (0.3 + 0.2 * tier)
                wide, tall = height * (0.32 - 0.065 * tier), height * 0.28
                inside = (1 - (canvas.y - (at - tall)) / tall).clip(0, 1)
                cone = canvas.edge(wide * (1 - inside) - np.abs(canvas.x - x)) * canvas.edge(at - canvas.y)
                cone = cone * canvas.edge(canvas.y - (at - tall))
                side = 0.9 + 0.3 * np.sign(canvas.light[0]) * (canvas.x - x) / wide
                canvas.paint(cone, np.clip(needles * side[..., None], 0, 1))
            return
        crown = self.colour(*self.leaves, 0.36)
        leafage = canvas.noise(max(8, canvas.size // 3)) * 0.8
        for _ in range(8):
            middle = (x + rng.normal(0, height * 0.15), foot - height * rng.uniform(0.55, 0.9))
            ball = canvas.solid(middle, height * rng.uniform(0.17, 0.25), 1.0)
            canvas.shade(ball, np.clip(crown * rng.normal(1, 0.08), 0, 1), 0.0, ball.cut(leafage))

    def house(self, x: float, foot: float, wide: float) -> None:
        """Walls, a gable roof, a door and windows."""
        canvas, rng = self.canvas, self.rng
        tall = wide * rng.uniform(0.55, 0.8)
        canvas.shadow((x, foot), wide * 0.8, wide * 0.12, 0.45)

        def block(left: float, right: float, top: float, bottom: float) -> np.ndarray:
            sides = canvas.edge(canvas.x - left) * canvas.edge(right - canvas.x)
            return np.asarray(sides * canvas.edge(canvas.y - top) * canvas.edge(bottom - canvas.y))

        wall = self.colour(*WALLS[rng.integers(len(WALLS))])
        lit = (0.95 + 0.1 * canvas.light[0] * (canvas.x - x) / wide)[..., None]
        canvas.paint(block(x - wide / 2, x + wide / 2, foot - tall, foot), np.clip(wall * lit, 0, 1))
        rise = wide * rng.uniform(0.35, 0.55)
        slope = (foot - tall - canvas.y) / rise
        roof = canvas.edge((1 - slope) * wide * 0.6 - np.abs(canvas.x - x)) * canvas.edge(
            foot - tall - canvas.y
        )
        tiles = (0.93 + 0.07 * np.sin(canvas.y * 110))[..., None]
        canvas.paint(roof, np.clip(self.colour(*ROOFS[rng.integers(len(ROOFS))]) * tiles, 0, 1))
        canvas.paint(
            block(x - wide * 0.08, x + wide * 0.08, foot - tall * 0.5, foot), self.colour(25, 0.5, 0.26)
        )
        glass = self.colour(210, 0.35, 0.4)
        for side in (-0.3, 0.3):
            middle = x + side * wide
            window = block(middle - wide * 0.09, middle + wide * 0.09, foot - tall * 0.75, foot - tall * 0.4)
            canvas.paint(window, glass)

    def animal(self, x: float, foot: float, long: float) -> None:
        """Four legs, a body, a neck with a head, a tail; some are spotted."""
        canvas, rng = self.canvas, self.rng
        coat = self.colour(*COATS[rng.integers(len(COATS))])
        skin = np.broadcast_to(coat, canvas.pixels.shape)
        if rng.random() < 0.4:
            spots = np.clip((canvas.noise(max(5, int(3 / long))) - 0.55) * 14, 0, 1)[..., None]
            skin = skin * (1 - spots) + spots * self.colour(*COATS[rng.integers(len(COATS))])
        way, leg, neck = rng.choice([-1, 1]), long * rng.uniform(0.45, 0.75), long * rng.uniform(0.3, 0.65)
        back = foot - leg
        canvas.shadow((x, foot), long * 0.8, long * 0.12, 0.45)

        def part(solid: Solid, light: float = 1.0) -> None:
            canvas.shade(solid, solid.cut(skin) * light, 0.05)

        for place in (-0.38, -0.24, 0.26, 0.4):
            thigh = (x + place * long, foot - leg * 0.5)
            limb = canvas.solid(thigh, leg * 0.55, 0.13, np.pi / 2, blunt=6, taper=0.3)
            part(limb, 0.75 if abs(place) < 0.3 else 0.95)
        rump = (x - way * long * 0.56, back - long * 0.05)
        part(canvas.solid(rump, long * 0.24, 0.16, np.pi / 2 - way * 0.5), 0.85)
        part(canvas.solid((x, back - long * 0.1), long * 0.55, 0.46, blunt=2.6))
        head = (x + way * (long * 0.5 + neck * 0.5), back - long * 0.18 - neck * 0.8)
        middle = ((x + way * long * 0.42 + head[0]) / 2, (back - long * 0.15 + head[1]) / 2)
        part(canvas.solid(middle, neck * 0.62 + long * 0.1, 0.36, way * -1.0, blunt=4))
        part(canvas.solid((head[0] + way * long * 0.06, head[1]), long * 0.2, 0.6, way * 0.5))
        part(
            canvas.solid((head[0] - way * long * 0.09, head[1] - long * 0.14), long * 0.1, 0.4, np.pi / 2),
            0.85,
        )
        eye = (head[0] + way * long * 0.06, head[1] - long * 0.03)
        canvas.disc(eye, long * 0.028, np.array([0.05, 0.04, 0.04]))

    def flowers(self) -> None:
        """A meadow's dots, larger towards the viewer, all of one kind."""
        canvas, rng = self.canvas, self.rng
        petal = self.colour(float(rng.choice([0, 50, 280, 330])), 0.8, 0.55)
        for _ in range(30):
            x, depth = rng.uniform(-1, 1), rng.uniform(0.25, 1)
            y = self.level + depth * (1 - self.level)
            canvas.disc((x, y), 0.035 * depth, petal)


def draw_scene(size: int, rng: np.random.Generator) -> np.ndarray:
    """One scene, S×S×3 uint8."""
    scene = Scene(size, rng)
    scene.sky()
    if rng.random() < 0.8:
        scene.hills()
    scene.ground()
    if scene.season == "summer" and rng.random() < 0.4:
        scene.flowers()
    kinds = rng.choice(["tree", "house", "animal"], size=rng.integers(2, 6), p=[0.45, 0.2, 0.35])
    # Far things first; distance sets both the place on the ground and the size.
    for kind, nearness in zip(kinds, np.sort(rng.uniform(0.12, 0.85, len(kinds))), strict=True):
        x, foot = float(rng.uniform(-0.8, 0.8)), float(scene.level + nearness * (1 - scene.level))
        scale = 0.35 + 0.75 * float(nearness)
        if kind == "tree":
            scene.tree(x, foot, 1.1 * scale)
        elif kind == "house":
            scene.house(x, foot, 0.8 * scale)
        else:
            scene.animal(x, foot, 0.5 * scale)
    return scene.canvas.to_uint8()
