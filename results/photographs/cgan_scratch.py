"""The conditional GAN whose generator never starts from a trained U-Net, as an architecture of its own.

Beside a `cgan` whose `generator_init` is `unet` alone, it shows in the same study what that start is worth.
"""

from dataclasses import replace

from models.architectures import register
from models.builtin import CGAN

START = "generator_init"

register(
    replace(
        CGAN,
        name="cgan_scratch",
        search_space={name: kind for name, kind in CGAN.search_space.items() if name != START},
        textbook={name: value for name, value in CGAN.textbook.items() if name != START},
        pretrained_by=None,
    )
)
