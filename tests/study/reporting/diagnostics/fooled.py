"""`python -m tests.study.reporting.diagnostics.fooled`: what fooled each diagnosis before, and what it says now.

The pictures are parts of scikit-image's photographs and of the drawn fruit. What was measured before is written out
here; what is measured now is what the report says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from skimage.data import astronaut, chelsea, coffee
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from data_utils.load_dataset import load_dataset
from models.losses import ProbabilityLoss
from models.metrics import entropy, grey_copy, luma, rgb_to_lab
from models.metrics.evaluation import evaluate
from models.metrics.gamut import lab_to_rgb_in_gamut
from models.metrics.tint import best_tint
from study.comparison.finals import CellEvidence
from study.reporting.diagnostics.adversary import SATURATED
from study.reporting.diagnostics.pictures import image_diagnoses
from tests.support.cell_evidence import evidence, trial
from tests.support.recorded_studies import Batch

SIDE = 64


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        diagnosis: Its title.
        shown: What it is shown.
        seen: Whether what it is called after is there.
        before: The former measure's value.
        said: Whether the former measure counted it as seen.
        now: What the report says.
        verdict: The report's verdict.
    """

    diagnosis: str
    shown: str
    seen: bool
    before: float
    said: bool
    now: str
    verdict: str


@cache
def photographs() -> Tensor:
    """24 parts of three photographs, N×3×64×64 in [−1, 1]."""
    parts = []
    for image in (astronaut(), coffee(), chelsea()):
        whole = torch.from_numpy(image[..., :3].copy()).permute(2, 0, 1).float() / 127.5 - 1
        size = 2 * SIDE
        corners = list(product(range(0, whole.shape[1] - size, size), range(0, whole.shape[2] - size, size)))[
            :8
        ]
        parts += [avg_pool2d(whole[:, top : top + size, left : left + size], 2) for top, left in corners]
    return torch.stack(parts)


@cache
def fruit() -> tuple[Tensor, Tensor]:
    """Drawn fruit, N×3×32×32 in [−1, 1], and which of them are green."""
    images = load_dataset("drawn:fruit", 32, name="fruit")
    colour = torch.from_numpy(images.colour[::4].copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    lab = rgb_to_lab((colour + 1) / 2).mean(dim=(2, 3))
    hue = torch.rad2deg(torch.atan2(lab[:, 2], lab[:, 1])) % 360
    return colour, (torch.hypot(lab[:, 1], lab[:, 2]) >= 4) & (hue >= 100) & (hue <= 220)


def measured(title: str, prediction: Tensor, truth: Tensor) -> tuple[str, str]:
    """What the report says of a prediction: value and verdict."""
    batch = Batch(luma(truth)[:, None], truth, None, torch.arange(len(truth)))
    final = trial(role="final", collapsed=False)
    found = evaluate(lambda grey, _: prediction.clamp(-1, 1), [batch])
    cell = CellEvidence("fruit", "unet", (final,), (found,))
    pixels = ((truth + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    tint = best_tint(pixels, np.arange(len(pixels)))
    trivial = {
        name: evaluate(lambda grey, _, made=made: made(grey), [batch])
        for name, made in (("grey copy", grey_copy), ("best tint", tint.predict))
    }
    diagnoses = image_diagnoses(evidence(cell, trivial=trivial))
    row = next(one.rows[0] for one in diagnoses if one.title == title)
    return row.value, row.verdict


def laplacian(rgb: Tensor) -> Tensor:
    y = luma((rgb + 1) / 2)
    found = y[:, :-2, 1:-1] + y[:, 2:, 1:-1] + y[:, 1:-1, :-2] + y[:, 1:-1, 2:] - 4 * y[:, 1:-1, 1:-1]
    return found.var(dim=(1, 2)).mean()


def sharpness(prediction: Tensor, truth: Tensor) -> float:
    return float(laplacian(prediction) / laplacian(truth))


def whiter(prediction: Tensor, truth: Tensor) -> float:
    own, true = (((x + 1) / 2).amin(dim=1).ge(0.98).float().mean() for x in (prediction, truth))
    return float((own - true) / (1 - true))


def hues_of_images(prediction: Tensor, truth: Tensor) -> float:
    found = []
    for x in (prediction, truth):
        lab = rgb_to_lab(((x + 1) / 2).clamp(0, 1))
        a, b = lab[:, 1].flatten(1), lab[:, 2].flatten(1)
        chroma = torch.hypot(a, b)
        sector = (torch.atan2(b, a) / (2 * torch.pi)).remainder(1).mul(36).long().clamp(0, 35)
        histogram = torch.zeros(len(x), 36).scatter_add_(1, sector, chroma.where(chroma >= 1, 0))
        found.append(entropy(histogram).mean())
    return float(found[0] / found[1])


def greenness(prediction: Tensor, truth: Tensor) -> float:
    _, green = fruit()
    own, true = (rgb_to_lab((x[green] + 1) / 2)[:, 1].mean() for x in (prediction, truth))
    return float(own / true)


def turned(colour: Tensor, chosen: Tensor) -> Tensor:
    """As red as it was green: the sign of a* changed in the chosen images."""
    lab = rgb_to_lab((colour + 1) / 2)
    lab[:, 1] = torch.where(chosen[:, None, None], -lab[:, 1], lab[:, 1])
    return lab_to_rgb_in_gamut(lab) * 2 - 1


Former = tuple[Callable[[Tensor, Tensor], float], Callable[[float], bool]]
FORMER: dict[str, Former] = {
    "Blur": (sharpness, lambda value: value < 0.5),
    "White collapse": (whiter, lambda value: value > 0.5),
    "Few learnt colours": (hues_of_images, lambda value: value < 0.8),
    "Green turned red": (greenness, lambda value: value < 0),
}


def pictures() -> list[Row]:
    """Every diagnosis that looks at pictures."""
    photos, (painted, green) = photographs(), fruit()
    noise = torch.randn(photos.shape, generator=torch.Generator().manual_seed(0))
    tint = torch.tensor([0.25, -0.1, -0.1])[:, None, None]
    one_hue = grey_copy(luma(photos)[:, None]) + torch.tensor([0.3, 0.0, -0.3])[:, None, None]
    cases = {
        ("Blur", "the truth in 8×8 blocks", True): blocks(photos, 8),
        ("Blur", "the truth in 4×4 blocks", True): blocks(photos, 4),
        ("Blur", "the truth through a quarter of the side, with noise", True): small(photos, 4) + 0.1 * noise,
        ("Blur", "the truth through half of the side, bilinear", False): small(photos, 2),
        ("Blur", "the truth", False): photos,
        ("White collapse", "249 of 255 everywhere", True): torch.full_like(painted, 249 / 127.5 - 1),
        ("White collapse", "white", True): torch.ones_like(painted),
        ("White collapse", "the truth", False): painted,
        ("Few learnt colours", "grey with colour noise, σ 3/255", True): grey_copy(luma(photos)[:, None])
        + noise * 2 * 3 / 255,
        ("Few learnt colours", "one tint", True): one_hue,
        ("Few learnt colours", "the truth", False): photos,
        ("Green turned red", "one reddish tint on grey, everywhere", False): grey_copy(luma(painted)[:, None])
        + tint,
        ("Green turned red", "the grey copy", False): grey_copy(luma(painted)[:, None]),
        ("Green turned red", "red for green", True): turned(painted, green),
        ("Green turned red", "the truth", False): painted,
    }
    return [_row(*case, prediction) for case, prediction in cases.items()]


def _row(title: str, shown: str, seen: bool, prediction: Tensor) -> Row:
    truth = fruit()[0] if prediction.shape[-1] == 32 else photographs()
    measure, counts = FORMER[title]
    before = measure(prediction.clamp(-1, 1), truth)
    return Row(title, shown, seen, before, counts(before), *measured(title, prediction, truth))


def blocks(images: Tensor, side: int) -> Tensor:
    return interpolate(avg_pool2d(images, side), scale_factor=side, mode="nearest")


def small(images: Tensor, factor: int) -> Tensor:
    return interpolate(avg_pool2d(images, factor), scale_factor=factor, mode="bilinear", align_corners=False)


def discriminators() -> list[Row]:
    """Saturation: logits of a discriminator that is sure of itself, and ε."""
    rows = []
    for logit, epsilon, seen in (
        (-10.0, 4.6e-4, True),
        (-28.0, 1e-12, True),
        (-10.0, 1e-8, False),
        (-20.0, 0.0, False),
    ):
        real, fake = torch.zeros(8), torch.full((8,), logit)
        before = float((fake.abs() > 17).float().mean() / 2)
        left = float(ProbabilityLoss(epsilon).gradient_left(real, fake))
        verdict = "seen" if left < SATURATED else "not seen"
        shown = f"logit {logit:g} of predictions, ε {epsilon:g}"
        rows.append(
            Row("Discriminator saturation", shown, seen, before, before > 0.05, f"{left:.2f}", verdict)
        )
    return rows


def table() -> str:
    """All cases as Markdown."""
    lines = ["| diagnosis | shown | is it there | before | now |", "| --- | --- | --- | --- | --- |"]
    for row in [*pictures(), *discriminators()]:
        before = f"{row.before:.2f}: {'seen' if row.said else 'not seen'}"
        if row.said != row.seen:
            before = f"**{before}**"
        there = "yes" if row.seen else "no"
        lines.append(f"| {row.diagnosis} | {row.shown} | {there} | {before} | {row.now}: {row.verdict} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = table()
    print(text, end="")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
