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
        """Promise.all(Array.from(
            document.querySelectorAll("main img"), (one) => one.decode().then(() => one.naturalWidth)
        ))"""
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


def shown(page, section="search"):
    """A section with its figures drawn."""
    page.goto(f"{page.url.partition('#')[0]}#{section}")
    return page.locator(f"#{section}")


def test_a_picture_enlarges_and_the_handle_lays_another_one_over_it(browser, address):
    page = new_page(browser)
    page.goto(address)
    opener = page.get_by_role("button", name="Enlarge and compare: unet").first
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    slider = dialog.locator(".slider")
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
    dialog.get_by_role("combobox").first.select_option("truth")
    assert [one.get_attribute("alt") for one in slider.locator("img").all()] == ["unet", "truth"]
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert opener.evaluate("(one) => one === document.activeElement")


def test_a_figure_says_the_values_under_the_pointer(browser, address):
    page = new_page(browser)
    page.goto(address)
    mark = page.locator("#answer .forest .live .mark-symbol path").first
    mark.hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    tip.locator("td").first.wait_for()
    assert "mean" in tip.inner_text()


def test_a_chosen_trial_is_shown_in_all_figures_of_its_cell(browser, address, tiny_study):
    page = new_page(browser)
    page.goto(address)
    cell = shown(page).locator("details.cell").first
    cell.scroll_into_view_if_needed()
    cell.locator(".live").nth(2).wait_for()  # history, learning curves, parallel coordinates
    row = cell.locator("tr[data-trial]").first
    thick = cell.locator(".vega-embed path[stroke-width='3.5']")
    assert thick.count() == 0
    row.get_by_role("button").press("Enter")
    thick.first.wait_for(state="attached")
    assert row.get_by_role("button").get_attribute("aria-pressed") == "true"
    assert cell.get_by_role("status").inner_text().startswith(f"Trial {row.get_attribute('data-trial')}: ")
    row.get_by_role("button").press("Enter")
    thick.first.wait_for(state="detached")
    cell.locator("figure").first.locator(".live .mark-symbol path").first.click(force=True)
    thick.first.wait_for(state="attached")


def test_tables_sort_by_keyboard_and_filter(browser, address):
    page = new_page(browser)
    page.goto(address)
    table = shown(page).locator("details.cell").first.locator("table.sortable").first
    heading = table.locator("th", has_text="best")
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    values = [float(text) for text in table.locator("td:nth-child(3)").all_inner_texts() if text != "–"]
    assert values == sorted(values)
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    section = shown(page, "reproducibility")
    section.get_by_label("Filter").last.fill("seeds")
    rows = section.locator("table").last.locator("tbody tr:visible")
    assert 0 < rows.count() < section.locator("table").last.locator("tbody tr").count()


def test_a_telephone_folds_what_paper_shows(browser, address):
    page = new_page(browser, width=390, height=844)
    page.goto(address)
    assert page.locator("details.fold[open]").count() == 0
    assert not page.locator("#budgets table").is_visible()
    page.get_by_role("navigation").get_by_role("link", name="Budgets").click()
    page.locator("#budgets table").wait_for()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.fold[open]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_keeps_people_from_using_it(browser, address, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = new_page(browser, width=width, color_scheme=scheme)
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".vega-embed svg").wait_for()
    found = axe.run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_without_scripts_all_figures_and_sections_are_there(browser, address):
    page = new_page(browser, java_script_enabled=False)
    page.goto(address)
    assert page.locator("#losses .plot > svg").first.is_visible()
    assert page.locator("#budgets table").is_visible()
