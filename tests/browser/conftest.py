"""Chromium, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.pages import CHROMIUM, chromium


@pytest.fixture(scope="module")  # for no longer, since Playwright holds the thread's event loop
def browser() -> Iterator[object]:
    pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with chromium() as running:
        yield running
