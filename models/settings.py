"""What a study fixes for all its models; hyperparameters that are searched are not here."""

from dataclasses import dataclass

PAPER_WIDTH = 64


@dataclass(frozen=True)
class ModelSettings:
    """Fixed choices of a study about its networks.

    Attributes:
        width: Channels of the first layer; all other channel counts scale with it. 64 is the papers' width.
        precision: `float32`, `bfloat16` (autocast), or `auto`: bfloat16 where the GPU has it, else float32.
        gan_loss: `probability` (the formula with ε inside the logarithm) or `logits` (exact, no ε).
        compile: Whether networks pass through `torch.compile`; pays off in long trials only.
    """

    width: int = PAPER_WIDTH
    precision: str = "auto"
    gan_loss: str = "probability"
    compile: bool = False


def scaled(channels: int, width: int) -> int:
    """Channel count at `width` of a layer that has `channels` at the papers' width of 64; at least 1."""
    return max(1, round(channels * width / PAPER_WIDTH))
