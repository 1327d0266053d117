"""The process that decodes shards for a driver; see `decode_processes`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_utils.decode_entry import decode_row
from data_utils.decoded_shards import DecodedShards
from data_utils.entry_files import Stamp
from data_utils.layouts import Entry


def main(arguments: Sequence[str]) -> None:
    """Decode the shards that arrive on the standard input, until it ends; the driver alone says what counts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver is interrupted, and closes the input
    folder, plan, count, size, root = arguments
    shards = DecodedShards(Path(folder), plan, int(count), int(size))
    driver = os.getppid()
    for line in sys.stdin:
        first, files = json.loads(line)
        facts = []
        try:
            for position, (colour, grey, stamps) in enumerate(files, first):
                entry = Entry(Path(colour), None if grey is None else Path(grey))
                before: list[Stamp] = [None if one is None else (one[0], one[1], one[2]) for one in stamps]
                pixels, known = decode_row(entry, before, int(size), Path(root))
                if os.getppid() != driver:
                    return  # it was killed; its successor may have other plans for these files
                shards.store_pixels(position, pixels)
                facts.append(known)
            answer: dict[str, Any] = {"facts": facts}
        except OSError as error:
            answer = {"number": error.errno, "reason": error.strerror}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
