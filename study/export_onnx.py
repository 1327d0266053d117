"""`python -m study.export_onnx`: write a model as one ONNX file, for use without Python.

The file takes `grey`, B×1×S×S float32 in [−1, 1] with any batch size and S the size of the model, and gives
`colour`, B×3×S×S RGB in [−1, 1]: the prediction of the network itself. Architectures that take VGG16 vectors
carry VGG16 inside.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.options import add_model_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_export, list(sys.argv[1:] if arguments is None else arguments))


def _export(arguments: list[str], console: Console) -> int:
    parser = Parser(prog="python -m study.export_onnx", description="Write a model as ONNX.")
    add_model_options(parser)
    parser.add_argument("--output", required=True, type=Path, metavar="F.onnx")
    options = parser.parse_args(arguments)

    from study.deployment.model_source import model_from_options
    from study.deployment.onnx import export_onnx

    difference = export_onnx(model_from_options(options), options.output)
    say(
        console,
        f"Wrote {options.output}; its predictions differ from the network's by at most {difference:.1e}.",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
