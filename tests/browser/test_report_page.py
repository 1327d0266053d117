"""The report as a reader opens it: a file on disk, in a browser."""

from __future__ import annotations

import pytest

from tests.support.pages import new_page

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def address(browser, tiny_study):
    return tiny_study.study_home.report.as_uri()


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(browser, address):
    page, requests, complaints = new_page(browser), [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    pictures = page.evaluate(
        "Promise.all(Array.from(document.images, (one) => one.decode().then(() => one.naturalWidth)))"
    )
    assert pictures
    assert all(pictures)
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert not complaints


def test_a_telephone_shows_it_without_scrolling_sideways(browser, address):
    page = new_page(browser, width=390, height=844)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("h1").is_visible()


def test_it_is_dark_for_readers_who_want_that(browser, address):
    def lightness_of_paper_and_ink(scheme):
        page = new_page(browser, color_scheme=scheme)
        page.goto(address)
        colours = page.evaluate("""() => {
            const style = getComputedStyle(document.body);
            return [style.backgroundColor, style.color].map((one) => one.match(/\\d+/g).slice(0, 3).map(Number));
        }""")
        return [sum(colour) / 3 for colour in colours]

    paper, ink = lightness_of_paper_and_ink("light")
    assert paper - ink > 127
    paper, ink = lightness_of_paper_and_ink("dark")
    assert ink - paper > 127


def test_the_handle_uncovers_the_picture(browser, address):
    page = new_page(browser)
    page.goto(address)
    slider = page.locator(".slider").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()

    def uncovered():
        return slider.locator(".before").evaluate("(one) => getComputedStyle(one).clipPath")

    before = uncovered()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    dragged = uncovered()
    assert dragged != before
    slider.get_by_role("slider").press("ArrowLeft")
    assert uncovered() not in (before, dragged)
