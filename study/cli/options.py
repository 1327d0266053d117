"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path

from study.errors import holds_secret


def add_study_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """`--name` and `--home`."""
    parser.add_argument("--name", required=required, help="the study's name")
    add_home(parser)


def add_reading_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """`--name`, `--home` and `--tracking-uri`."""
    add_study_options(parser, required=required)
    add_tracking_uri(parser)


def add_tracking_uri(parser: argparse.ArgumentParser) -> None:
    """`--tracking-uri` in place of a folder."""
    parser.add_argument(
        "--tracking-uri",
        type=_address,
        metavar="URI",
        help="read from this MLflow server; the study's folder is not needed",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--name` with `--dataset` and `--home`, or `--model` with `--tracking-uri` and `--trust-code`."""
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--name", help="take this study's champion")
    model.add_argument(
        "--model", metavar="M", help="a model folder, or an MLflow address such as models:/N-D@champion"
    )
    parser.add_argument("--dataset", metavar="D", help="which of the study's champions, if it has several")
    add_home(parser)
    parser.add_argument(
        "--tracking-uri",
        type=_address,
        metavar="URI",
        help="MLflow server of --model (default: MLFLOW_TRACKING_URI)",
    )
    parser.add_argument(
        "--trust-code",
        action="store_true",
        help="run the plug-in that --model names, a program with all your rights: only if you trust its source",
    )


def add_home(parser: argparse.ArgumentParser) -> None:
    """`--home`."""
    parser.add_argument(
        "--home", type=_folder, default=Path("runs"), help="folder of all studies (default: runs)"
    )


def _folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file; give the folder of all studies")
    return path


def _address(text: str) -> str:
    if holds_secret(text):
        raise argparse.ArgumentTypeError(
            "the address holds a password; give it in the environment (MLFLOW_TRACKING_USERNAME and _PASSWORD)"
        )
    return text
