"""Images out of Parquet files, in the form in which Hugging Face's datasets keep them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from data_utils.folders import EXTENSIONS, is_left_out
from data_utils.shard_images import UnusableShard, in_categories

_AT_ONCE = 64  # rows
_LABELS = ("label", "labels")
_LONGEST_CATEGORY = 60  # characters; what is longer is a caption
_SIGNATURES = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"RIFF": ".webp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}


def unpack(shard: IO[bytes], folder: Path, prefix: str) -> list[Path]:
    """Write the images of a Parquet file into files.

    Images are the bytes of the first column that holds any: binary, or a struct with the fields ``bytes`` and
    ``path``. A column ``label`` of numbers or names gives their categories, with the names that the file's metadata
    have for numbers.

    Args:
        shard: The file; seekable, read a few rows at a time.
        folder: Made if missing. Where every image has a category, each category becomes a folder in it.
        prefix: Of the files' names, so that equal names of two shards do not meet.

    Returns:
        The files.

    Raises:
        UnusableShard: It is no Parquet file, is damaged, or has no column of images.
        OSError: A file cannot be written.
    """
    from pyarrow import ArrowException

    folder.mkdir(parents=True, exist_ok=True)
    files: dict[int, Path] = {}
    categories: dict[int, str] = {}
    try:
        for number, (image, category) in enumerate(_rows(shard)):
            content, name = _content(image, f"{number:06d}")
            if content is not None:
                files[number] = folder / f"{prefix}-{name}"
                files[number].write_bytes(content)
                categories[number] = category
    except (ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk or the store, not of Arrow
            raise
        raise UnusableShard(f"is damaged or no Parquet file ({error})") from error
    return in_categories(files, categories, folder)


def _rows(shard: IO[bytes]) -> Iterator[tuple[Any, str]]:
    """What the columns of images and labels hold, the latter as names of folders."""
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(shard)
    schema = table.schema_arrow
    images = next((field.name for field in schema if _is_image(field.type)), None)
    if images is None:
        raise UnusableShard(f"has no column of images among {', '.join(schema.names) or 'none'}")
    label = next((name for name in _LABELS if name in schema.names), None)
    names = _names_of(schema.metadata or {}, label)
    for batch in table.iter_batches(batch_size=_AT_ONCE, columns=[images, *([label] if label else [])]):
        for row in batch.to_pylist():
            yield row[images], _category(row.get(label), names) if label else ""


def _is_image(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(field.name == "bytes" and types.is_binary(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _content(value: Any, number: str) -> tuple[bytes | None, str]:
    """Bytes of an image, and the name of its file: its own behind its number, since two rows may share one."""
    content, path = (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, None)
    own = PurePosixPath(path or "").name
    if PurePosixPath(own).suffix.lower() in EXTENSIONS and not is_left_out(own):
        return content, f"{number}-{own}"
    return content, number + next(
        (s for start, s in _SIGNATURES.items() if (content or b"").startswith(start)), ".jpg"
    )


def _names_of(metadata: dict[bytes, bytes], label: str | None) -> list[str]:
    """What a ClassLabel of Hugging Face's datasets calls its numbers."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[label]["names"]]
    except (KeyError, TypeError, ValueError):
        return []


def _category(value: Any, names: list[str]) -> str:
    """A label as the name of a folder; empty where it cannot be one."""
    if isinstance(value, int) and 0 <= value < len(names):
        value = names[value]
    name = str(value if isinstance(value, int | str) else "").replace("/", "-").replace("\0", "").strip()
    return "" if len(name) > _LONGEST_CATEGORY or name == ".." or is_left_out(name) else name
