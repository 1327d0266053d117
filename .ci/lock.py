"""Print the lock file: one version of every package for all platforms, without the packages of CUDA."""

from __future__ import annotations

import re
import subprocess
import sys

EXTRAS = ("test", "docs", "postgres", "s3", "heic", "onnx", "hf")
CUDA = re.compile(r"(nvidia-(?!ml-py)|cuda-|triton)")
HEAD = """\
# Made by `make lock`: the versions that the suite ran on, as constraints for pip and uv. CUDA's packages are left out,
# since they follow from the build of torch."""

resolved = subprocess.run(
    [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
        *("--no-header", "--no-annotate", "--no-emit-index-url"),
        *(word for extra in EXTRAS for word in ("--extra", extra)),
        "pyproject.toml",
    ],
    stdout=subprocess.PIPE,
    text=True,
    check=True,
).stdout
print(HEAD)
print(*(line for line in resolved.splitlines() if not CUDA.match(line)), sep="\n")
