"""Colours a photograph with the model beside this file: python colorize.py PHOTOGRAPH COLOURED.

It needs the packages of requirements.txt, and the folders `models` and `data_utils` beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from data_utils.errors import DataError
from data_utils.photographs import read_photograph, target_name, write_photograph
from models.colorizer import Colorizer
from models.errors import ModelError


def main() -> None:
    """Colour one file at its own size; its format and metadata stay."""
    if len(sys.argv) != 3:
        sys.exit("Give two files: python colorize.py PHOTOGRAPH COLOURED")
    source, target = map(Path, sys.argv[1:])
    if target.exists():
        sys.exit(f"{target} exists; give another name.")
    try:
        # Whoever runs this program trusts the architecture that came with it.
        colorizer = Colorizer.load(Path(__file__).parent, trust_code=True)
        photograph = read_photograph(source)
        target = target_name(target, photograph.form)
        write_photograph(target, photograph, colorizer.colour(photograph.grey))
    except (DataError, ModelError) as error:
        sys.exit(str(error))
    print(f"Coloured {source} into {target}; the colours are plausible, not historical.")


if __name__ == "__main__":
    main()
