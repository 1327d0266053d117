from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from data_utils.prepare import main
from tests.support.image_folders import colour_folder, kaggle_pairs, natural_color, picture, save


def prepare(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_it_tells_what_is_in_the_folder(tmp_path, cache, capsys):
    root = natural_color(tmp_path / "set")
    for side in ("Gray", "ColorfulOriginal"):
        shutil.copy(root / side / "Pear" / "pear1.png", root / side / "Pear" / "twin.png")
    save(root / "ColorfulOriginal" / "Apple" / "apple4.png", Image.new("RGB", (30, 30), "gray"))
    save(root / "Gray" / "Apple" / "apple4.png", Image.new("L", (30, 30), 250))
    code, out, err = prepare(capsys, root, "--size", 16, "--cache", cache)
    assert (code, err) == (0, "")
    assert "natural-color, 21 images at 16×16" in out
    assert "2 categories" in out
    assert "24×24: 20 images" in out
    assert "30×30: 1 image\n" in out
    assert "pairs of identical images: 1" in out
    assert "ColorfulOriginal/Pear/pear1.png = ColorfulOriginal/Pear/twin.png" in out
    assert "ColorfulOriginal/Apple/apple4.png: 122.0 grey levels" in out
    assert "nearly colourless images: 1" in out


def test_counts_of_kaggle_pairs(tmp_path, cache, capsys):
    _, out, _ = prepare(capsys, kaggle_pairs(tmp_path / "set"), "--size", 16, "--cache", cache)
    assert "20 for training and validation, 4 for test" in out
    assert "belong together: 0" in out or "grey is the luma" in out


def test_derived_grey_is_said(tmp_path, cache, capsys):
    _, out, _ = prepare(capsys, colour_folder(tmp_path / "set"), "--size", 16, "--cache", cache)
    assert "grey is the luma (BT.601) of the colour files" in out


def test_drawn_sets_are_called_drawn(cache, capsys):
    _, out, _ = prepare(capsys, "drawn:fruit", "--size", 16, "--cache", cache)
    assert "they are not photographs" in out


def test_refused_files_end_with_1_and_can_be_skipped(tmp_path, cache, capsys):
    root = colour_folder(tmp_path / "set", 20)
    (root / "photo07.png").write_text("text")
    code, out, err = prepare(capsys, root, "--size", 16, "--cache", cache)
    assert (code, out) == (1, "")
    assert "photo07.png: it is not an image in a known format" in err
    code, out, err = prepare(capsys, root, "--size", 16, "--cache", cache, "--skip-bad-images")
    assert (code, err) == (0, "")
    assert "refused files, left out: 1" in out


@pytest.mark.parametrize("arguments", [["nowhere"], ["."], ["drawn:cats"]])
def test_unusable_folders_end_with_2(tmp_path, cache, capsys, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, out, err = prepare(capsys, *arguments, "--cache", cache)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--size", "huge", "."], ["--unknown", "."]])
def test_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_an_unwritable_cache_ends_with_1(tmp_path, capsys):
    (tmp_path / "file").touch()
    code, _, err = prepare(capsys, colour_folder(tmp_path / "set"), "--cache", tmp_path / "file")
    assert code == 1
    assert "cannot be written" in err


def test_as_a_command_without_a_terminal_in_plain_ascii(tmp_path, cache):
    root = colour_folder(tmp_path / "set")
    save(Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9 [red].png")), picture(50))
    run = subprocess.run(
        [sys.executable, "-m", "data_utils.prepare", str(root), "--size", "16", "--cache", str(cache)],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == b""
    assert b"\x1b" not in run.stdout
    assert b"13 images" in run.stdout
