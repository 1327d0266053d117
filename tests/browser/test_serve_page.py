"""The page of `study.serve`: photographs chosen or dropped, coloured, compared and downloaded."""

from __future__ import annotations

import zipfile

import pytest
from PIL import Image

from study.serve.limits import Limits
from tests.support.colour_server import colour_server
from tests.support.model_folders import make_model
from tests.support.pages import new_page

pytestmark = pytest.mark.timeout(300)
DROP = """([name, text]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with colour_server(make_model(tmp_path_factory.mktemp("model"))) as address:
        yield address


@pytest.fixture
def page(browser, server):
    page = new_page(browser)
    page.errors, page.asked = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(server)
    yield page
    assert page.errors == []
    assert [one for one in page.asked if not one.startswith((server, "blob:", "data:"))] == []
    page.close()


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "harbour.jpg"
    Image.linear_gradient("L").resize((320, 200)).save(path)
    return path


def item(page, name):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))


def saved(page, click):
    with page.expect_download() as waiting:
        click()
    return waiting.value


def test_a_photograph_is_coloured_compared_and_downloaded(page, photograph):
    page.locator("#files").set_input_files(photograph)
    page.get_by_text("1 coloured").wait_for()
    shown = item(page, "harbour.jpg")
    slider = shown.get_by_role("slider", name="How much of harbour.jpg is shown grey")
    before = shown.locator(".before")
    for key, share in (("Home", "0%"), ("End", "100%"), ("ArrowLeft", "99%")):
        slider.press(key)
        assert shown.locator(".pair").evaluate("one => one.style.getPropertyValue('--cut')") == share
    assert "grayscale(1)" in before.evaluate("one => getComputedStyle(one).filter")
    assert before.evaluate("one => one.naturalWidth") == 320
    download = saved(page, shown.get_by_role("link", name="Download").click)
    assert download.suggested_filename == "harbour.jpg"
    with Image.open(download.path()) as image:
        assert (image.size, image.mode) == ((320, 200), "RGB")


def test_a_file_is_dropped_and_answered_in_a_sentence(page):
    page.evaluate(DROP, ["letter.jpg", "aGVsbG8="])
    item(page, "letter.jpg").get_by_text(
        "letter.jpg is refused: it is not an image in a known format."
    ).wait_for()
    assert page.get_by_role("button", name="Download all").is_disabled()


def test_a_batch_is_answered_file_by_file_and_downloaded_as_one_archive(page, photograph, tmp_path):
    other, letter, wall = tmp_path / "other", tmp_path / "letter.jpg", tmp_path / "wall.png"
    other.mkdir()
    Image.radial_gradient("L").save(other / "harbour.jpg")
    letter.write_text("hello")
    Image.new("1", (10_000, 6_000)).save(wall)
    page.locator("#files").set_input_files([photograph, other / "harbour.jpg", letter, wall])
    page.get_by_text("2 coloured").wait_for()
    item(page, "wall.png").get_by_text("10000×6000 pixels are more than 40000000.").wait_for()
    download = saved(page, page.get_by_role("button", name="Download all").click)
    with zipfile.ZipFile(download.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["harbour.jpg", "harbour-2.jpg"]
        with archive.open("harbour-2.jpg") as file, Image.open(file) as image:
            assert image.size == (256, 256)


def test_thirty_files_at_once_are_one_sentence(page, photograph):
    page.locator("#files").set_input_files([photograph] * 30)
    page.get_by_text(Limits().too_many_files).wait_for()
    assert page.get_by_role("listitem").count() == 0


def test_it_is_used_by_keyboard_alone(page, photograph):
    page.keyboard.press("Tab")
    # The page must be told to hand its dialogs over, and have answered, before one opens.
    page.on("filechooser", lambda chooser: None)
    assert page.evaluate("document.activeElement.id") == "files"
    with page.expect_file_chooser() as waiting:
        page.keyboard.press("Enter")
    waiting.value.set_files(photograph)
    page.get_by_text("1 coloured").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "all"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_and_axe_finds_nothing_serious(browser, server, photograph, scheme):
    page = new_page(browser, width=390, height=844, color_scheme=scheme)
    page.goto(server)
    page.locator("#files").set_input_files(photograph)
    page.get_by_text("1 coloured").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.close()
