"""Uploading to Hugging Face."""

from __future__ import annotations

import re
from pathlib import Path

from study.errors import StudyError, UsageError, first_line

SCHEME = "hf://"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def repository(address: str) -> str:
    """`user/name` of `hf://user/name`.

    Raises:
        UsageError: It is not of that form, or the package that uploads is not installed.
    """
    name = address.removeprefix(SCHEME).rstrip("/")
    if not _REPOSITORY.fullmatch(name):
        raise UsageError(f"--to {address} is no repository; give hf://USER/NAME, or a folder.")
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Publishing to Hugging Face needs one more package: pip install huggingface_hub."
        ) from error
    return name


def upload(folder: Path, name: str, *, private: bool) -> str:
    """Upload a folder as one commit, into a repository that is made if there is none.

    Args:
        folder: What to upload.
        name: `user/name`.
        private: Whether a new repository is seen by its owner alone.

    Returns:
        Where it can be seen.

    Raises:
        StudyError: Hugging Face does not answer, or does not take it.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="Champion of a colorization study")
    except Exception as error:  # the package lets errors of every layer through
        raise StudyError(
            f"{api.endpoint} did not take {name}: {first_line(error).rstrip('.')}; log in with `hf auth login` or set "
            "HF_TOKEN, and check that you may write there."
        ) from error
    return f"{api.endpoint}/{name}"
