"""`python -m study.clean`: free the disk of what a study no longer needs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.options import add_study_options
from study.errors import UsageError

if TYPE_CHECKING:
    from study.search.ledger import StudyLedger
    from study.storage.storage import Storage


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_clean, list(sys.argv[1:] if arguments is None else arguments))


def _clean(arguments: list[str], console: Console) -> int:
    parser = Parser(
        prog="python -m study.clean",
        description="Remove the checkpoints of a study's trials that have ended, and Ray's own files. Table, report "
        "and models stay; the study can then not be extended to more epochs.",
    )
    add_study_options(parser)
    parser.add_argument(
        "--keep-champions",
        action="store_true",
        help="keep of all trained weights only the champions' model folders; for a study that has finished",
    )
    options = parser.parse_args(arguments)

    from study.driver.ownership.claims import check_ownership
    from study.driver.ownership.driver_lock import sole_driver
    from study.driver.retention import unneeded_checkpoints
    from study.search.database import ledger_errors, open_storage
    from study.search.ledger import StudyLedger
    from study.settings.sources import changed_settings
    from study.settings.study_folder import existing_home, only_driver
    from study.storage.storage import Storage

    home = existing_home(options.home, options.name)
    settings = changed_settings(home.settings_file, {})
    url, storage = home.ledger_url(settings), Storage(home.storage_uri(settings))
    check_ownership(settings, home)
    with only_driver(home.root), ledger_errors(url), sole_driver(url, settings.name):
        ledger = StudyLedger(open_storage(url), settings)
        keys = unneeded_checkpoints(ledger, keep_complete=False)
        if options.keep_champions:
            _check_finished(ledger, settings.name)
            keys.append("trials")
        freed = sum(_removed(storage, key) for key in keys) + _folder_removed(home.ray)
    say(console, f"Freed {freed / 2**20:.1f} MiB in {storage.uri} and {home.ray}.")
    return 0


def _check_finished(ledger: StudyLedger, name: str) -> None:
    if not all(trial.state.ended for part in ledger.all_parts for trial in part.trials()):
        raise UsageError(
            f"The study {name} has trials that have not ended and need their weights; let it finish, or clean it "
            "without --keep-champions."
        )


def _removed(storage: Storage, key: str) -> int:
    size = storage.size(key)
    storage.delete(key)
    return size


def _folder_removed(folder: Path) -> int:
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder, ignore_errors=True)
    return size


if __name__ == "__main__":
    sys.exit(main())
