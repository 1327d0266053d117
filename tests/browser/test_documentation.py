"""The documentation as a reader opens it: files on disk, in a browser, without a network."""

from __future__ import annotations

import pytest

from tests.support.documents import built_site
from tests.support.pages import new_page

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return built_site(tmp_path_factory.mktemp("site"))


def test_it_is_searched_from_disk_and_asks_nobody_else(browser, site):
    page, requests = new_page(browser), []
    page.on("request", lambda request: requests.append(request.url))
    page.goto((site / "index.html").as_uri())
    page.get_by_placeholder("Search").press_sequentially("replicates")
    page.locator(".md-search-result__item").filter(has_text="Running a study").first.wait_for()
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_telephone_shows_every_page_without_scrolling_sideways(browser, site):
    page = new_page(browser, width=390, height=844)
    for file in sorted(site.glob("*.html")):
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390, file.name
        assert page.locator("h1").first.is_visible()
