from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_utils.dataset_names import safe_name, safe_names


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("scenes", "scenes"),
        ("My-photos_2.v1", "My-photos_2.v1"),
        ("201907", "images-201907"),
        ("20190704.raw", "images-20190704.raw"),
        ("2019", "2019"),
        ("Früchte", "Fruchte"),
        ("a+b", "a-b"),
        ("Straße 7", "Strasse-7"),
        ("写真", "images"),
        ("..", "images"),
        (".hidden", "hidden"),
        ("x" * 300, "x" * 64),
        ("/data/sets/fruit/", "fruit"),
    ],
)
def test_any_folder_name_gives_a_name(folder, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (safe_name(folder) == name) or folder == ".."


def test_equal_names_are_told_apart():
    assert safe_names(["a/x", "b/x", "c/X", "写真", "絵"]) == ["x", "x-2", "X-3", "images", "images-2"]


@given(st.text(max_size=80))
def test_names_are_always_safe(text):
    name = safe_name(f"folder/{text.replace('/', '')}x")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name)
    assert not re.fullmatch(r"\d{6,}", name)
