"""Folders of images as people have them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from data_utils import DataError, load_dataset, recognise
from data_utils.folders import walk
from data_utils.layouts import Entry, Found, LayoutKind, known_layouts, register_layout
from data_utils.splits import SPLIT_NAMES
from tests.support.image_folders import colour_folder, kaggle_pairs, picture, save


def pairs(
    root: Path, grey: str, colour: str, numbers: range, suffixes: tuple[str, str] = (".png", ".png")
) -> Path:
    for number in numbers:
        save(root / grey / f"img{number:03d}{suffixes[0]}", picture(number).convert("L"))
        save(root / colour / f"img{number:03d}{suffixes[1]}", picture(number))
    return root


def shape(root: Path) -> tuple[str, int, set[str | None]]:
    layout = recognise(root)
    assert all(entry.grey is None or entry.grey != entry.colour for entry in layout.entries)
    return layout.kind, len(layout.entries), {entry.split for entry in layout.entries}


@pytest.mark.parametrize(
    ("grey", "colour"),
    [
        ("gray", "color"),
        ("Grey", "Colour"),
        ("grayscale", "colored"),
        ("bw", "rgb"),
        ("black_and_white", "original"),
        ("gray images", "color images"),
        ("landscape Images/gray", "landscape Images/color"),
    ],
)
def test_a_grey_beside_a_colour_folder(tmp_path, grey, colour):
    root = pairs(tmp_path, grey, colour, range(4))
    layout = recognise(root)
    assert (layout.kind, len(layout.entries)) == ("paired-folders", 4)
    for entry in layout.entries:
        assert entry.colour.parent == tmp_path / colour
        assert entry.grey == tmp_path / grey / entry.colour.name
        assert entry.category is None


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("train/gray", "train/color"), ("test/gray", "test/color")),
        (("gray/train", "color/train"), ("gray/test", "color/test")),
        (("train_gray", "train_color"), ("test_gray", "test_color")),
        (("Training/BW", "Training/RGB"), ("Testing/BW", "Testing/RGB")),
    ],
)
def test_pairs_with_given_splits(tmp_path, train, test):
    pairs(tmp_path, *train, range(4))
    pairs(tmp_path, *test, range(4, 6))
    layout = recognise(tmp_path)
    assert layout.kind == "paired-folders"
    assert [entry.split for entry in layout.entries] == ["train"] * 4 + ["test"] * 2


def test_pairs_with_categories(tmp_path):
    for category in ("cats", "dogs"):
        pairs(tmp_path, f"gray/{category}", f"color/{category}", range(3))
    assert [entry.category for entry in recognise(tmp_path).entries] == ["cats"] * 3 + ["dogs"] * 3


@pytest.mark.parametrize("grey", ["A", "B"])
def test_translation_folders_are_told_apart_by_their_pixels(tmp_path, grey):
    colour = "B" if grey == "A" else "A"
    pairs(tmp_path, f"train{grey}", f"train{colour}", range(5))
    pairs(tmp_path, f"test{grey}", f"test{colour}", range(5, 7))
    layout = recognise(tmp_path)
    assert layout.kind == "translation-folders"
    assert [entry.split for entry in layout.entries] == ["train"] * 5 + ["test"] * 2
    assert {entry.colour.parent.name[-1] for entry in layout.entries} == {colour}


def test_translation_folders_that_are_both_in_colour_are_refused(tmp_path):
    for side in ("A", "B"):
        colour_folder(tmp_path / f"train{side}", 4)
    with pytest.raises(DataError, match=r"A and B of .* are both in colour; one side must hold the grey"):
        recognise(tmp_path)


def test_a_folder_per_split(tmp_path, cache):
    for side, count in (("train", 8), ("val", 3), ("test", 2)):
        for number in range(count):
            save(
                tmp_path / "set" / side / "cats" / f"{side}{number}.png", picture(hash(side) % 1000 + number)
            )
    layout = recognise(tmp_path / "set")
    assert layout.kind == "split-folders"
    assert {entry.category for entry in layout.entries} == {"cats"}
    images = load_dataset(tmp_path / "set", 16, cache=cache)
    assert np.bincount(images.split).tolist() == [8, 3, 2]
    for file, split in zip(images.files, images.split, strict=True):
        assert file.startswith(SPLIT_NAMES[split][:3])


def test_split_folders_beside_others_are_refused_and_a_category_called_train_is_not(tmp_path):
    for name in ("train", "bus"):
        colour_folder(tmp_path / name, 2)
    assert {entry.category for entry in recognise(tmp_path).entries} == {"train", "bus"}
    colour_folder(tmp_path / "test", 2)
    with pytest.raises(
        DataError, match=r"images that are in none of these splits \(it holds bus, test, train\)"
    ):
        recognise(tmp_path)


def test_partners_may_differ_in_suffix_and_capitals(tmp_path):
    pairs(tmp_path, "gray", "color", range(3), (".png", ".jpg"))
    save(tmp_path / "gray" / "DSC7.JPG", picture(7).convert("L"))
    save(tmp_path / "color" / "dsc7.jpg", picture(7))
    layout = recognise(tmp_path)
    assert [(e.colour.name, e.grey.name) for e in layout.entries if e.grey][-2:] == [
        ("img001.jpg", "img001.png"),
        ("img002.jpg", "img002.png"),
    ]
    assert ("dsc7.jpg", "DSC7.JPG") in [(e.colour.name, e.grey.name) for e in layout.entries if e.grey]


def test_two_candidates_are_no_partner(tmp_path):
    pairs(tmp_path, "gray", "color", range(2))
    save(tmp_path / "gray" / "x.png", picture(9).convert("L"))
    save(tmp_path / "color" / "x.jpg", picture(9))
    save(tmp_path / "color" / "X.jpeg", picture(9))
    assert len(recognise(tmp_path, skip_unpaired=True).unpaired) == 3


def test_deeper_folders_are_read(tmp_path):
    save(tmp_path / "photos" / "2020" / "07" / "a.jpg", picture(1))
    save(tmp_path / "photos" / "2021" / "b.jpg", picture(2))
    layout = recognise(tmp_path / "photos")
    assert [entry.category for entry in layout.entries] == ["2020", "2021"]
    assert {entry.category for entry in recognise(tmp_path).entries} == {"2020", "2021"}


def test_deeper_folders_of_pairs_are_read(tmp_path):
    root = kaggle_pairs(tmp_path, 3, 2)
    for side, mode in (("color", "RGB"), ("black", "L")):
        save(root / f"train_{side}" / "extra" / "more.png", picture(40).convert(mode))
    assert len(recognise(root).entries) == 6


def test_the_folder_above_a_dataset_stands_for_it(tmp_path):
    kaggle_pairs(tmp_path / "archive" / "data", 3, 2)
    layout = recognise(tmp_path)
    assert (layout.kind, layout.root) == ("kaggle-pairs", tmp_path / "archive" / "data")


def test_the_folder_above_two_datasets_is_refused_naming_both(tmp_path):
    kaggle_pairs(tmp_path / "one", 3, 2)
    pairs(tmp_path, "two/gray", "two/color", range(2))
    save(tmp_path / "cover.png", picture(1))
    sentence = r"holds one \(kaggle-pairs\), two \(paired-folders\) and 1 other image; give one dataset"
    with pytest.raises(DataError, match=sentence):
        recognise(tmp_path)


def test_images_outside_of_the_pairs_and_other_kinds_are_named(tmp_path, cache):
    root = kaggle_pairs(tmp_path / "set", 20, 4)
    save(root / "samples" / "sheet.png", picture(1))
    for name in ("a.nef", "b.NEF", "notes"):
        (root / name).write_text("x")
    left_out = load_dataset(root, 16, cache=cache).left_out
    assert left_out == (
        "1 image outside of the layout kaggle-pairs: samples/sheet.png",
        "3 files of other kinds: 2 .nef, 1 without suffix",
    )


@pytest.mark.parametrize("name", [".thumbnails", ".Trash-1000", ".ipynb_checkpoints", "@eaDir", "__MACOSX"])
def test_system_folders_are_left_out(tmp_path, name):
    colour_folder(tmp_path, 2)
    colour_folder(tmp_path / name, 2)
    colour_folder(tmp_path / "cats" / name, 2)
    assert len(walk(tmp_path).images) == 2


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    colour_folder(tmp_path, 2)
    colour_folder(tmp_path / "locked", 2)
    scandir = os.scandir

    def forbidden(folder):
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", forbidden)
    assert walk(tmp_path).unreadable == (tmp_path / "locked",)
    with pytest.raises(DataError, match="locked cannot be listed; check its permissions"):
        recognise(tmp_path)


def manifest(root: Path, rows: list[dict[str, str]], kind: str = "csv") -> Path:
    path = root / f"manifest.{kind}"
    if kind == "json":
        path.write_text(json.dumps(rows))
    else:
        keys = list(rows[0])
        path.write_text("\n".join([",".join(keys), *(",".join(row[key] for key in keys) for row in rows)]))
    return path


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_manifest_names_files_splits_and_categories(tmp_path, kind):
    colour_folder(tmp_path / "files", 4)
    rows = [
        {"color": f"files/photo{k:02d}.png", "category": "cat", "split": ("train", "val", "test")[k]}
        for k in range(3)
    ]
    path = manifest(tmp_path, rows, kind)
    for given in (tmp_path, path):
        layout = recognise(given)
        assert layout.kind == "manifest"
        assert [entry.split for entry in layout.entries] == ["train", "validation", "test"]
        assert {entry.category for entry in layout.entries} == {"cat"}
    assert recognise(tmp_path).left_out[0] == "1 image outside of the layout manifest: files/photo03.png"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"color": "../secret.png"}, "names .*secret.png; give files below the manifest's folder"),
        ({"color": "a.png", "split": "exam"}, "has the split exam; use train, validation, test"),
        ({"name": "a.png"}, "has no field 'color'"),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path, row, sentence):
    with pytest.raises(DataError, match=f"Row 1 of .*manifest.csv {sentence}"):
        recognise(manifest(tmp_path, [row]))


def test_a_table_of_something_else_is_no_manifest(tmp_path):
    colour_folder(tmp_path, 2)
    manifest(tmp_path, [{"split": "train", "file": "photo00.png"}])
    assert recognise(tmp_path).kind == "colour-folder"
    (tmp_path / "manifest.json").write_text("{broken")
    assert recognise(tmp_path).kind == "colour-folder"


def test_a_plug_in_may_add_a_layout(tmp_path, monkeypatch):
    from data_utils import layouts

    monkeypatch.setattr(layouts, "_TABLE", list(known_layouts()))

    def stereo(tree):
        left = [path for path in tree.images if path.stem.endswith("_left")]
        return Found([Entry(path) for path in left]) if left else None

    register_layout(LayoutKind("stereo", "of left and right views", stereo))
    for side in ("left", "right"):
        save(tmp_path / f"a_{side}.png", picture(1))
    assert recognise(tmp_path).kind == "stereo"
    with pytest.raises(DataError, match="or one of left and right views"):
        recognise((tmp_path / "empty").mkdir() or tmp_path / "empty")
    with pytest.raises(ValueError, match="a layout named stereo is registered already"):
        register_layout(LayoutKind("stereo", "of something else", stereo))


def test_grey_sets_are_told(tmp_path, cache, capsys):
    from data_utils.prepare import main

    for number in range(12):
        save(tmp_path / "old" / f"{number}.png", picture(number).convert("L"))
    assert main([str(tmp_path / "old"), "--size", "16", "--cache", str(cache)]) == 0
    out = capsys.readouterr().out
    assert "WARNING: 12 of 12 images of old are nearly colourless (100 %)" in out
