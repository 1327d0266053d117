"""Images out of tar files in the form of WebDataset: `KEY.jpg`, and `KEY.cls` with the number of its category."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

from data_utils.folders import EXTENSIONS
from data_utils.shard_images import UnusableShard, in_categories

LABEL = ".cls"
_LARGEST = 1 << 30  # bytes of an image; what is larger is no photograph
_LONGEST_LABEL = 20  # characters


def unpack(shard: IO[bytes], folder: Path, prefix: str) -> list[Path]:
    """Unpack the images of a shard; other members are left where they are.

    Args:
        shard: A tar file, compressed or not, read once from beginning to end.
        folder: Made if missing. Where every image has a category, each category becomes a folder in it.
        prefix: Of the files' names, so that equal keys of two shards do not meet.

    Returns:
        The files.

    Raises:
        UnusableShard: It is no tar file, or is damaged.
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        images, labels = _unpacked(shard, folder, prefix)
    except (tarfile.TarError, EOFError) as error:
        raise UnusableShard(f"is damaged or no tar file ({error})") from error
    numbers = {key: label for key, label in labels.items() if key in images and label.isdigit()}
    return in_categories(images, numbers, folder)


def _unpacked(shard: IO[bytes], folder: Path, prefix: str) -> tuple[dict[str, Path], dict[str, str]]:
    """Images and labels by key."""
    images: dict[str, Path] = {}
    labels: dict[str, str] = {}
    with tarfile.open(fileobj=shard, mode="r|*") as tar:
        for member in tar:
            key, suffix = _split(member.name)
            content = tar.extractfile(member) if member.isfile() and member.size <= _LARGEST else None
            if content is None:
                continue
            if suffix in EXTENSIONS:
                images[key] = folder / f"{prefix}-{key}{suffix}"
                with images[key].open("wb") as file:
                    shutil.copyfileobj(content, file)
            elif suffix == LABEL:
                labels[key] = content.read(_LONGEST_LABEL).decode("ascii", "replace").strip()
    return images, labels


def _split(member: str) -> tuple[str, str]:
    """The key of a member, as it can be part of a file's name, and its suffix: all behind the name's first dot."""
    path = PurePosixPath(member)
    stem, _, suffix = path.name.partition(".")
    folders = [part for part in path.parts[:-1] if part not in ("/", ".", "..")]
    return "-".join([*folders, stem]), f".{suffix.lower()}"
