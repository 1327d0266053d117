"""What a study fixes for all its models; hyperparameters that are searched are not here."""

from dataclasses import dataclass, field

PAPER_WIDTH = 64


@dataclass(frozen=True)
class Recipe:
    """How networks are optimised. The defaults are the original training: Adam at a constant rate, nothing else.

    Attributes:
        loss: `mse` or `l1`, of the regression networks (Koalarization, U-Net).
        schedule: `constant`, `cosine` or `onecycle`; see `models.schedule`.
        ema: Decay of the weights' moving average, below 1; 0 for none. Where there is one, the averaged weights
            are what is validated and published.
        weight_decay: Decoupled weight decay (AdamW, Loshchilov & Hutter 2019); 0 for plain Adam.
        batch_size: Images of one step; whoever makes the batches goes by it.
    """

    loss: str = "mse"
    schedule: str = "constant"
    ema: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 16


@dataclass(frozen=True)
class ModelSettings:
    """Fixed choices of a study about its networks.

    Attributes:
        width: Channels of the first layer; all other channel counts scale with it. 64 is the papers' width.
        precision: `float32`, `bfloat16` (autocast), or `auto`: bfloat16 where the GPU has it, else float32.
        gan_loss: `probability` (the formula with ε inside the logarithm) or `logits` (exact, no ε).
        compile: Whether networks pass through `torch.compile`; pays off in long trials only.
        target: `rgb`, or `luma_kept`: networks decide on the chroma alone and the luma given stays as it is.
        recipe: How networks are optimised.
    """

    width: int = PAPER_WIDTH
    precision: str = "auto"
    gan_loss: str = "probability"
    compile: bool = False
    target: str = "rgb"
    recipe: Recipe = field(default_factory=Recipe)


def scaled(channels: int, width: int) -> int:
    """Channel count at `width` of a layer that has `channels` at the papers' width of 64; at least 1."""
    return max(1, round(channels * width / PAPER_WIDTH))
