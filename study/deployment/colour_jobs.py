"""Which files `study.colorize` is to colour, and under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data_utils.errors import DataError, printable
from data_utils.folders import describe_kinds, walk
from data_utils.photographs import read_photograph, target_name, targets
from study.errors import UsageError


@dataclass(frozen=True)
class Job:
    """One file to colour and, before its format is known, the name it gets in the output folder."""

    source: Path
    name: Path


@dataclass
class Jobs:
    """What was found below the given paths.

    Attributes:
        files: In the order in which they are coloured.
        unreadable: Folders that could not be listed.
        others: Sentences on files that are no images.
    """

    files: list[Job] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find_jobs(given: Sequence[Path], output: Path) -> Jobs:
    """Files as given, and the images in folders as datasets have them; files in the output folder are skipped.

    Raises:
        UsageError: A path does not exist, there is no image, or two files would become one.
    """
    jobs = Jobs()
    for path in given:
        try:
            if not path.exists():
                raise UsageError(f"{printable(path)} does not exist.")
            if path.is_dir():
                _add_folder(jobs, path, output.resolve())
            else:
                jobs.files.append(Job(path, Path(path.name)))
        except (OSError, DataError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"{printable(path)} cannot be read: {reason}") from error
    if not jobs.files:
        raise UsageError(f"There is no image in {', '.join(printable(path) for path in given)}.")
    _check_names(jobs.files)
    return jobs


def _add_folder(jobs: Jobs, folder: Path, output: Path) -> None:
    tree = walk(folder)
    for file in tree.images:
        if output not in file.parent.resolve().parents and file.parent.resolve() != output:
            jobs.files.append(Job(file, file.relative_to(folder)))
    jobs.unreadable += tree.unreadable
    if tree.others:
        jobs.others.append(f"Left out of {printable(folder)}, no images: {describe_kinds(tree.others)}.")


def _check_names(jobs: Sequence[Job]) -> None:
    """Refuse two files that would become one.

    The name depends on the format and on alpha, so files are read where it is in doubt.
    """
    possible: dict[Path, list[Job]] = {}
    for job in jobs:
        for target in targets(job.name):
            possible.setdefault(target, []).append(job)
    doubtful = {job for sharing in possible.values() if len(sharing) > 1 for job in sharing}
    taken: dict[Path, Path] = {}
    for job in jobs:
        written = _target(job) if job in doubtful else None
        if written is None:
            continue
        if written in taken:
            raise UsageError(
                f"{printable(taken[written])} and {printable(job.source)} would both become {printable(written)}; "
                "colour them into different folders."
            )
        taken[written] = job.source


def _target(job: Job) -> Path | None:
    try:
        return target_name(job.name, read_photograph(job.source).form)
    except DataError:
        return None  # refused, with its reason, when its turn comes
