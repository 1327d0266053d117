"""`python -m study.weights`: fetch VGG16's pretrained weights, or check those that are there.

They are torchvision's, 56 MiB, and go where `model.vgg16: auto` looks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.cli.command import Parser, run_command, say


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_weights, list(sys.argv[1:] if arguments is None else arguments))


def _weights(arguments: list[str], console: Console) -> int:
    parser = Parser(
        prog="python -m study.weights", description="Fetch VGG16's pretrained weights (56 MiB), once."
    )
    parser.add_argument(
        "--check", action="store_true", help="say whether usable weights are there, and fetch nothing"
    )
    parser.add_argument(
        "--file", type=Path, metavar="F", help="check this file instead, as model.vgg16 would be given it"
    )
    options = parser.parse_args(arguments)

    if options.check or options.file:
        from models.vgg_weights import describe_weights, load_vgg16

        weights = "auto" if options.file is None else str(options.file)
        load_vgg16(weights)
        say(console, f"VGG16's weights are usable: {describe_weights(weights)}.")
        return 0

    from models.vgg_download import fetch_vgg16

    say(console, f"VGG16's weights are in {fetch_vgg16()}; studies find them there.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
