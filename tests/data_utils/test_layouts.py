from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_utils import DataError, recognise
from tests.support.image_folders import colour_folder, kaggle_pairs, natural_color, picture, save


def test_kaggle_pairs(tmp_path):
    layout = recognise(kaggle_pairs(tmp_path, 5, 2))
    assert layout.kind == "kaggle-pairs"
    assert [entry.split for entry in layout.entries] == ["train"] * 5 + ["test"] * 2
    assert all(e.grey is not None and e.grey.name == e.colour.name for e in layout.entries)
    assert {e.category for e in layout.entries} == {None}


def test_natural_color(tmp_path):
    layout = recognise(natural_color(tmp_path, ("Pear", "Apple"), 3))
    assert layout.kind == "natural-color"
    assert [e.category for e in layout.entries] == ["Apple"] * 3 + ["Pear"] * 3
    assert all(e.grey == tmp_path / "Gray" / e.category / e.colour.name for e in layout.entries)


def test_colour_folder_with_and_without_categories(tmp_path):
    flat = recognise(colour_folder(tmp_path / "flat", 3))
    assert (flat.kind, len(flat.entries)) == ("colour-folder", 3)
    assert all(e.grey is None and e.category is None and e.split is None for e in flat.entries)
    colour_folder(tmp_path / "sorted", 2, "cats")
    nested = recognise(colour_folder(tmp_path / "sorted", 2, "dogs"))
    assert [e.category for e in nested.entries] == ["cats", "cats", "dogs", "dogs"]


def test_other_and_hidden_files_are_left_alone(tmp_path):
    colour_folder(tmp_path, 2)
    for name in ("notes.txt", "manifest.csv", "._photo00.png", ".DS_Store"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".thumbnails").mkdir()
    save(tmp_path / ".thumbnails" / "photo.png", picture(1))
    assert len(recognise(tmp_path).entries) == 2


def test_extensions_in_capitals(tmp_path):
    save(tmp_path / "IMG_0001.JPG", picture(1))
    assert len(recognise(tmp_path).entries) == 1


def test_nothing_is_opened(tmp_path):
    (tmp_path / "broken.jpg").write_text("no picture")
    assert len(recognise(tmp_path).entries) == 1


def nowhere(root: Path) -> Path:
    return root / "nowhere"


def plain_file(root: Path) -> Path:
    (root / "file.jpg").write_text("x")
    return root / "file.jpg"


def empty(root: Path) -> Path:
    return root


def no_images(root: Path) -> Path:
    (root / "readme.txt").write_text("x")
    (root / "sub").mkdir()
    return root


def half_kaggle(root: Path) -> Path:
    colour_folder(root / "train_color", 2)
    return root


def no_grey(root: Path) -> Path:
    colour_folder(root / "ColorfulOriginal" / "Apple", 2)
    return root


def unpaired(root: Path) -> Path:
    natural_color(root)
    (root / "Gray" / "Pear" / "pear3.png").unlink()
    return root


def empty_kaggle(root: Path) -> Path:
    for name in ("train_black", "train_color", "test_black", "test_color"):
        (root / name).mkdir()
    return root


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (nowhere, r"nowhere does not exist; check the path"),
        (plain_file, r"file\.jpg is a file; give the folder"),
        (empty, r"is empty; give a folder of colour images"),
        (no_images, r"holds no images in a known layout \(but 1 \.txt\); give a folder of colour images"),
        (half_kaggle, r"has train_color but not train_black, test_black, test_color; add"),
        (no_grey, r"has ColorfulOriginal but not Gray; add"),
        (unpaired, r"without a partner of the same name: ColorfulOriginal/Pear/pear3\.png; add"),
        (empty_kaggle, r"holds no images in a known layout; give"),
        (lambda root: root / "nul\0name", r"cannot be listed"),
        (lambda root: root / ("x" * 300), r"cannot be listed \(File name too long\)"),
    ],
)
def test_bad_folders_get_one_sentence(tmp_path, make, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        recognise(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_files_without_partner_can_be_skipped(tmp_path):
    layout = recognise(unpaired(tmp_path), skip_unpaired=True)
    assert [path.name for path in layout.unpaired] == ["pear3.png"]
    assert len(layout.entries) == 19


def test_links_in_a_loop_end(tmp_path):
    colour_folder(tmp_path, 3)
    (tmp_path / "here").symlink_to(".")
    (tmp_path / "above").symlink_to("..")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "back").symlink_to("..")
    assert len(recognise(tmp_path).entries) == 3


def test_unreadable_folder(tmp_path, monkeypatch):
    def forbidden(folder: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(DataError, match=r"cannot be listed \(Permission denied\); check"):
        recognise(tmp_path)


STEMS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0\n", exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
)
NAMES = st.sets(STEMS.map(lambda stem: f"a{stem}.png"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(grey=NAMES, colour=NAMES)
def test_pairing_is_by_equal_name_first_and_loses_nothing(grey, colour):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for side in ("train_black", "train_color", "test_black", "test_color"):
            (root / side).mkdir()
            (root / side / "always.png").touch()
        for name in grey:
            (root / "train_black" / name).touch()
        for name in colour:
            (root / "train_color" / name).touch()
        layout = recognise(root, skip_unpaired=True)
        paired = [entry for entry in layout.entries if entry.colour.name != "always.png"]
        names = {entry.colour.name: entry.grey.name for entry in paired if entry.grey is not None}
        assert {name for name, other in names.items() if name == other} == grey & colour
        assert all(name.casefold() == other.casefold() for name, other in names.items())
        assert 2 * len(paired) + len(layout.unpaired) == len(grey) + len(colour)
