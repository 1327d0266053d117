"""Where images may lie when it is no folder of this machine: an object store, or shards anywhere."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from data_utils.errors import DataError, printable

WEBDATASET, PARQUET = "webdataset:", "parquet:"  # before the address of shards of these forms
_ENDINGS = {WEBDATASET: ".tar", PARQUET: ".parquet"}
# A store that does not answer must fail in seconds, not hang for botocore's minutes.
_S3_OPTIONS = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}}}
_NUMBERS = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_SHARDS = 100_000


def is_address(source: str | Path) -> bool:
    """Whether images have to be fetched from there before they can be read."""
    return form_of(str(source)) is not None or "://" in str(source)


def form_of(address: str) -> str | None:
    """The form of shards that an address begins with, of `_ENDINGS`; None for a folder of images."""
    return next((form for form in _ENDINGS if address.startswith(form)), None)


def name_of(address: str) -> str:
    """What images at an address are called: its last part, of shards what stands before their numbers."""
    form = form_of(address)
    if form is None:
        return PurePosixPath(address).name
    last = PurePosixPath(address.removeprefix(form)).name
    return last.removesuffix(_ENDINGS[form]).partition("{")[0].rstrip(".-_")


def require_usable(address: str) -> None:
    """Check where images are said to lie, as far as that is possible without asking a store.

    Raises:
        DataError: As `require_store`, or a pattern names no shard.
    """
    for one in shards_of(address) if form_of(address) else [address]:
        require_store(one)


def require_store(address: str) -> None:
    """Check that an installed package speaks the scheme of an address, and that it tells no secrets.

    Raises:
        DataError: It does not, or the address carries credentials or options.
    """
    import fsspec

    parts = urlsplit(address)
    if "@" in parts.netloc or parts.query:
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise DataError(
            f"The address {printable(shown)} must not carry credentials or options: put them into the environment "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL)."
        )
    try:
        fsspec.get_filesystem_class(parts.scheme or "file")
    except (ImportError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"The address {printable(address)} cannot be used: {reason}.") from error


def store_at(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address (or of a path), and the path within it."""
    import fsspec

    options = _S3_OPTIONS if address.startswith(("s3://", "s3a://")) else {}
    store, path = fsspec.core.url_to_fs(address, use_listings_cache=False, **options)
    return store, str(path)


def shards_of(address: str) -> list[str]:
    """The files of `webdataset:PATTERN` or `parquet:PATTERN`, where `{000..127}` stands for numbers.

    Raises:
        DataError: The pattern names no file or too many.
    """
    form = form_of(address) or WEBDATASET
    pattern = address.removeprefix(form)
    found = _expanded(pattern)
    if not pattern or not found:
        raise DataError(
            f"{printable(address)} names no shard; write {form}ADDRESS{_ENDINGS[form]}, with {{000..127}} for "
            "numbers."
        )
    return found


def _expanded(pattern: str) -> list[str]:
    match = _NUMBERS.search(pattern)
    if match is None:
        return [pattern]
    first, last = int(match[1]), int(match[2])
    if last - first >= _MOST_SHARDS:
        raise DataError(f"{printable(pattern)} names more than {_MOST_SHARDS} shards; give fewer.")
    numbers = [f"{number:0{len(match[1])}d}" for number in range(first, last + 1)]
    heads = [pattern[: match.start()] + number for number in numbers]
    return [head + tail for head in heads for tail in _expanded(pattern[match.end() :])]
