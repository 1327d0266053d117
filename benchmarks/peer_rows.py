"""The rows of the benchmark `peers`: which networks, trained how."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from models.settings import Recipe

BATCH = 16
AVERAGED = Recipe(loss="l1", ema=0.998)
DECAYED = replace(
    AVERAGED, weight_decay=0.5
)  # without it the VGG16 U-Net overfits 1500 scenes within 1000 steps
TEXTBOOK_UNET, RECIPE_UNET = "U-Net, textbook", "U-Net, recipe"
VGGUNET, VIVID = "VGG16 U-Net", "VGG16 U-Net, balanced bins"


@dataclass(frozen=True)
class Row:
    """A network as it is trained here.

    Attributes:
        architecture: Its name.
        target: What it predicts; see `ModelSettings`.
        recipe: How it is optimised.
        parameters: What differs from the textbook.
        batch: Images of a step.
    """

    architecture: str
    target: str = "rgb"
    recipe: Recipe = field(default_factory=Recipe)
    parameters: dict[str, float | str] = field(default_factory=dict)
    batch: int = BATCH


ROWS = {
    VGGUNET: Row("vggunet", recipe=DECAYED),
    TEXTBOOK_UNET: Row("unet"),
    RECIPE_UNET: Row("unet", "luma_kept", AVERAGED),
    VIVID: Row("vggunet", recipe=AVERAGED, parameters={"loss": "balanced_bins"}),
    "VGG16 U-Net, bins": Row("vggunet", recipe=AVERAGED, parameters={"loss": "bins"}),
    "U-Net with VGG16's vector, recipe": Row("vector_unet", "luma_kept", AVERAGED),
    "Koalarization, textbook": Row("koalarization"),
    "Koalarization, recipe": Row("koalarization", "luma_kept", AVERAGED),
    "cGAN, textbook": Row("cgan"),
    "cGAN, recipe": Row(
        "cgan",
        "luma_kept",
        AVERAGED,
        {"learning_rate": 1e-3, "discriminator_learning_rate": 1e-3},
    ),
    "cGAN with patches, recipe": Row(
        "cgan",
        "luma_kept",
        AVERAGED,
        {"learning_rate": 1e-3, "discriminator_learning_rate": 1e-3, "discriminator": "patch"},
    ),
    "peer: tutorial cGAN on ab": Row("tutorial_cgan"),
    "peer: pix2pix, colorization mode": Row("pix2pix_colorization", batch=1),
    "peer: Deep Koalarization on ab": Row("deep_koalarization"),
}
