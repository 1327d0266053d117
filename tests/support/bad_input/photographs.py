"""Photographs in and out of `colorize`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from study.colorize import main as colorize
from tests.support.bad_input.case import Case, Line
from tests.support.bad_input.strangers import model
from tests.support.image_folders import picture, save
from tests.support.odd_images import ODD

_ODD = "tests/data_utils/test_odd_images.py"
_COLORIZE = "tests/study/test_colorize.py"


def _photographs(
    what: str, fill: Callable[[Path], object], names: str, *words: str, code: int = 1, good: int = 1
) -> Case:
    """A folder with a good photograph and what `fill` adds."""

    def make(folder: Path) -> list[str]:
        root = folder / "photos"
        for number in range(good):
            save(root / f"good{number}.png", picture(number, 40, 30))
        root.mkdir(exist_ok=True)
        fill(root)
        output = [] if "--output" in words else ["--output", str(folder / "out")]
        return [str(root), "--model", str(model(folder)), *output, *words]

    return Case(what, make, names, command=colorize, code=code)


def _odd(name: str, names: str, code: int) -> Case:
    return _photographs(name, lambda root: ODD[name](root / name), names, code=code)


def _long_name(root: Path) -> None:
    shutil.copy(root / "good0.png", root / ("x" * 248 + ".png"))
    save(root / ("y" * 248 + ".gif"), picture(3, 40, 30))


def _two_for_one(root: Path) -> None:
    save(root / "a.gif", picture(1, 40, 30))
    save(root / "a.gif.png", picture(2, 40, 30))


def _output_is_a_file(folder: Path) -> list[str]:
    save(folder / "photos" / "a.png", picture(1, 40, 30))
    (folder / "out").write_text("")
    return [str(folder / "photos"), "--model", str(model(folder)), "--output", str(folder / "out")]


def _output_is_read_only(folder: Path) -> list[str]:
    save(folder / "photos" / "a.png", picture(1, 40, 30))
    return [str(folder / "photos"), "--model", str(model(folder)), "--output", "/proc/none"]


def _wide(root: Path) -> None:
    Image.new("L", (40_000, 4)).save(root / "wide.jpg")


def _a_pipe(root: Path) -> None:
    os.mkfifo(root / "pipe.jpg")


LINES = [
    Line(
        "what a photograph says of itself",
        [
            f"{_ODD}::test_what_a_photograph_says_of_itself_is_kept",
            f"{_ODD}::test_texts_and_resolution_of_a_png_are_kept",
            "tests/data_utils/test_photographs.py::test_orientation_is_applied_once_and_other_exif_is_kept",
        ],
        [
            f"{_ODD}::test_an_exif_that_does_not_fit_is_said_to_be_lost",
            "tests/data_utils/test_photographs.py"
            "::test_a_profile_is_converted_to_srgb_and_a_damaged_one_ignored",
        ],
    ),
    Line(
        "one file that cannot be read or written",
        [
            _photographs("a name of 252 characters", _long_name, "File name too long"),
            Case("an output that is a file", _output_is_a_file, "is a file", command=colorize),
            _photographs("a comparison that is too wide", _wide, "wide.jpg", "--compare"),
            f"{_COLORIZE}::test_fifty_odd_files_end_in_a_picture_or_in_one_line",
            f"{_ODD}::test_each_photograph_is_written_or_refused_in_one_sentence",
            f"{_ODD}::test_prepare_takes_all_of_them_in_one_go",
        ],
        [
            _photographs("a pipe", _a_pipe, "pipe.jpg"),
            Case(
                "an output that cannot be made", _output_is_read_only, "/proc/none", command=colorize, code=1
            ),
            _photographs(
                "half a photograph",
                lambda root: (root / "half.png").write_bytes((root / "good0.png").read_bytes()[:200]),
                "half.png",
            ),
        ],
    ),
    Line(
        "memory and time",
        [
            f"{_ODD}::test_the_largest_files_take_a_gigabyte_at_most",
            f"{_ODD}::test_a_file_that_takes_too_long_is_refused",
        ],
        [
            "tests/data_utils/test_hostile_images.py::test_refused",
            "tests/models/test_colorizer.py::test_large_images_are_merged_in_bands_without_seams",
        ],
    ),
    Line(
        "folders, targets and warnings",
        [
            f"{_COLORIZE}::test_folders_are_walked_as_those_of_datasets_are",
            _photographs("two files that would become one", _two_for_one, "a.gif", code=2),
            f"{_COLORIZE}::test_two_files_that_would_become_one_are_refused_before_anything_is_written",
            f"{_COLORIZE}::test_a_model_that_is_not_certain_to_help_says_so_whenever_it_is_used",
            "tests/study/deployment/test_publish.py::test_colorize_finds_the_studys_champion_without_mlflow",
        ],
        [
            _photographs("no photograph", lambda _: None, "photos", code=2, good=0),
            _photographs(
                "two that would become one, to be overwritten", _two_for_one, "a.gif", "--overwrite", code=2
            ),
        ],
    ),
]
