"""Folders of images as people have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data_utils.prepare import main as prepare
from tests.support.bad_input.case import Case, Line, Make, bomb, flags, images, picture
from tests.support.image_folders import colour_folder, kaggle_pairs, save
from tests.support.image_folders import picture as drawn

_KINDS = "tests/data_utils/test_layout_kinds.py"


def _folder(fill: Callable[[Path], object], name: str = "set") -> Make:
    def make(folder: Path) -> list[str]:
        (folder / name).mkdir()
        fill(folder / name)
        return [str(folder / name), "--size", "16"]

    return make


def _prepared(
    what: str, fill: Callable[[Path], object], names: str, code: int = 0, name: str = "set"
) -> Case:
    return Case(what, _folder(fill, name), names, command=prepare, code=code, home=False)


def _pairs(root: Path, grey: str, colour: str, count: int = 12) -> None:
    for number in range(count):
        save(root / grey / f"{number}.png", drawn(number).convert("L"))
        save(root / colour / f"{number}.png", drawn(number))


def _beside(*names: str) -> Callable[[Path], object]:
    """Photographs, and files of other kinds beside them."""

    def fill(root: Path) -> None:
        colour_folder(root)
        for name in names:
            (root / name).write_bytes(b"x" * 100)

    return fill


def _splits(*names: str) -> Callable[[Path], object]:
    def fill(root: Path) -> None:
        for place, name in enumerate(names):
            for number in range(12):
                save(root / name / f"{name[:2]}{number}.png", drawn(20 * place + number))

    return fill


def _grey(count: int, of: int) -> Callable[[Path], object]:
    def fill(root: Path) -> None:
        for number in range(of):
            image = drawn(number)
            save(root / f"{number}.png", image.convert("L") if number < count else image)

    return fill


def _shared(root: Path) -> None:
    """A test image that is also a training image."""
    kaggle_pairs(root, 20, 4)
    for side, mode in (("color", "RGB"), ("black", "L")):
        save(root / f"test_{side}" / "image0021.png", drawn(3).convert(mode))


LINES = [
    Line(
        "layouts",
        [
            _prepared("color/ and gray/", lambda root: _pairs(root, "gray", "color"), "paired-folders, 12"),
            _prepared("train/ val/ test/", _splits("train", "val", "test"), "split-folders, 36 images"),
            f"{_KINDS}::test_translation_folders_are_told_apart_by_their_pixels",
            f"{_KINDS}::test_a_manifest_names_files_splits_and_categories",
        ],
        [
            _prepared("bw/ and rgb/", lambda root: _pairs(root, "bw", "rgb"), "paired-folders, 12"),
            _prepared("Training/ and Testing/", _splits("Training", "Testing"), "split-folders, 24 images"),
            f"{_KINDS}::test_translation_folders_that_are_both_in_colour_are_refused",
        ],
    ),
    Line(
        "deeper folders, and the folder above",
        [
            _prepared("2020/07", lambda root: colour_folder(root, 12, "2020/07"), "colour-folder, 12 images"),
            _prepared(
                "the folder above a dataset", lambda root: kaggle_pairs(root / "archive"), "kaggle-pairs, 24"
            ),
        ],
        [
            f"{_KINDS}::test_images_outside_of_the_pairs_and_other_kinds_are_named",
            f"{_KINDS}::test_the_folder_above_two_datasets_is_refused_naming_both",
        ],
    ),
    Line(
        "files of other kinds",
        [
            _prepared("raw files beside photographs", _beside("a.nef", "b.nef"), "2 .nef"),
            _prepared("files without a suffix", _beside("scan"), "1 without suffix"),
            "tests/data_utils/test_odd_images.py::test_heic_is_read_or_the_package_is_named",
        ],
        [
            _prepared("a film beside photographs", _beside("a.mp4"), "1 .mp4"),
            _prepared("vector drawings alone", lambda root: (root / "a.svg").write_text("x"), "svg", code=2),
        ],
    ),
    Line(
        "names of folders",
        [
            _prepared("a folder of six digits", colour_folder, "12 images", name="201907"),
            _prepared("a folder with an umlaut", colour_folder, "12 images", name="Früchte"),
            _prepared("a folder with a plus", colour_folder, "12 images", name="a+b"),
            "tests/data_utils/test_dataset_names.py::test_any_folder_name_gives_a_name",
        ],
        [
            _prepared("a folder with brackets and spaces", colour_folder, "12 images", name="my [old] set"),
            _prepared("a folder with a percent sign", colour_folder, "12 images", name="100%"),
        ],
    ),
    Line(
        "sets without colour",
        [
            _prepared("a grey set", _grey(12, 12), "12 of 12 images of set are nearly colourless (100 %)"),
            "tests/study/training/test_data.py"
            "::test_a_plan_names_what_puts_a_dataset_in_doubt_and_makes_its_name_safe",
        ],
        [
            _prepared("a set that is half grey", _grey(6, 12), "6 of 12 images of set are nearly colourless"),
            _prepared("some grey images", _grey(2, 40), "nearly colourless images: 2"),
        ],
    ),
    Line(
        "folders of the system, partners, pictures in two splits",
        [
            f"{_KINDS}::test_system_folders_are_left_out",
            "tests/study/test_colorize.py::test_folders_are_walked_as_those_of_datasets_are",
            f"{_KINDS}::test_partners_may_differ_in_suffix_and_capitals",
            _prepared("a test image that was trained on", _shared, "pictures in two of the splits: 1"),
        ],
        [
            f"{_KINDS}::test_two_candidates_are_no_partner",
            f"{_KINDS}::test_a_folder_that_cannot_be_read_is_named",
            "tests/data_utils/test_near_duplicates.py::test_given_test_images_that_are_in_training_are_named",
        ],
    ),
    Line(
        "files that are no images, and too few",
        [
            Case("a folder that does not exist", lambda folder: ["--data", str(folder / "none")], "none"),
            Case("a folder without images", images({}, good=0), "photos"),
            Case("drawn images that do not exist", flags("--datasets", "{a: {root: 'drawn:cars'}}"), "cars"),
            Case("an image of no bytes", images({"empty.png": b""}), "empty.png"),
            Case("half an image", images({"half.png": picture("PNG", (200, 200))[:150]}), "half.png"),
            Case("half a JPEG", images({"half.jpg": picture("JPEG", (200, 200))[:400]}), "half.jpg"),
            Case("a text that claims to be an image", images({"text.jpg": b"not an image"}), "text.jpg"),
            Case("a decompression bomb", images({"bomb.png": bomb()}), "bomb.png"),
            Case("too few images for a validation", images({}, good=2), "photos"),
        ],
        [
            Case("an image that links to itself", images({"loop.png": None}), "loop.png"),
            Case("two bad images", images({"one.png": b"", "two.png": b""}), "two.png"),
        ],
    ),
]
