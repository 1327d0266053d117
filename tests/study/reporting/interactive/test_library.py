"""The plotting library: small, whole, and not made anew for every report."""

from __future__ import annotations

import base64
import gzip

import pytest

from study.reporting.interactive import library


@pytest.fixture
def made(monkeypatch, tmp_path):
    """A library of a few bytes in a cache of its own, and how often it was put together."""
    calls = []

    def bundle():
        calls.append(1)
        return "let vega;"

    monkeypatch.setattr("vl_convert.javascript_bundle", bundle)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library.packed_library.cache_clear()
    yield calls
    library.packed_library.cache_clear()


def test_it_is_put_together_once(made):
    first = library.packed_library()
    assert gzip.decompress(base64.b64decode(first)) == b"let vega;"
    library.packed_library.cache_clear()
    assert library.packed_library() == first
    assert len(made) == 1


def test_a_cache_that_cannot_be_written_is_done_without(made, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert gzip.decompress(base64.b64decode(library.packed_library())) == b"let vega;"
