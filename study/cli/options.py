"""Which study a reading command is about: by its folder, or by a tracking server's address alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from models.plugins import load_extensions
from study.settings.sources import load_settings
from study.settings.study_folder import existing_home
from study.tracking.record import StudyRecord


def add_study_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """`--name`, `--home` and `--tracking-uri`."""
    parser.add_argument("--name", required=required, help="the study's name")
    parser.add_argument("--home", type=Path, default=Path("runs"), help="where studies lie (default: runs)")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="read from this MLflow server; the study's folder is not needed"
    )


def open_record(options: argparse.Namespace) -> StudyRecord:
    """The study that the options name.

    Raises:
        UsageError: If there is none.
    """
    if options.tracking_uri:
        load_extensions([])
        return StudyRecord(options.tracking_uri, options.name)
    home = existing_home(options.home, options.name)
    settings = load_settings(home.settings_file, {})
    return StudyRecord(home.tracking_uri(settings), options.name)
