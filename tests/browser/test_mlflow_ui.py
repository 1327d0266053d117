"""A finished study in MLflow's own pages."""

from __future__ import annotations

import pytest

from study.comparison.selection import champion_of
from study.deployment.mlflow_models import ALIAS
from study.tracking.names import SAMPLES, runs_page
from study.tracking.owner import experiment_number
from tests.support.page_servers import mlflow_ui
from tests.support.pages import chart, expand, link, mlflow_page, new_page, open_charts, open_runs

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def address(browser, tiny_study):
    with mlflow_ui(tiny_study.study_home) as address:
        yield address


@pytest.fixture
def page(browser, address):
    page = mlflow_page(browser)
    yield page
    page.close()


def test_the_study_is_an_experiment_whose_runs_lie_below_their_cells(page, address, tiny_study):
    open_runs(page, address, "tiny")
    shown = page.get_by_role("link", name="fruit/").or_(link(page, "study"))
    assert shown.all_inner_texts() == ["fruit/cgan", "fruit/unet", "fruit/koalarization", "study"]
    expand(page, "fruit/unet")
    runs = [one.key for one in tiny_study.record().trials if one.architecture == "unet"]
    link(page, runs[-1]).wait_for()
    assert sorted(page.get_by_role("link", name="fruit/unet/").all_inner_texts()) == sorted(runs)


def test_the_printed_address_shows_the_studys_runs_to_who_comes_for_the_first_time(
    browser, address, tiny_study
):
    number = experiment_number(tiny_study.study_home.tracking_uri(tiny_study.settings), "tiny")
    page = new_page(browser)
    page.goto(f"{address}/{runs_page(number)}")
    link(page, "fruit/unet").wait_for()
    assert link(page, "fruit/unet").is_visible()
    page.close()


def test_metrics_are_curves_by_epoch(page, address):
    open_charts(page, address, "tiny", "fruit/unet/final-0")
    curve = chart(page, "validation/ciede2000")
    curve.locator(".scatterlayer .point").nth(2).wait_for()
    for epoch in ("1", "2", "3"):
        curve.locator(".xtick").get_by_text(epoch, exact=True).wait_for()
    assert curve.locator(".scatterlayer .point").count() == 3


def test_pictures_are_there_at_once_and_by_epoch(page, address):
    open_charts(page, address, "tiny", "fruit/unet/final-0")
    card = chart(page, SAMPLES)
    for _ in range(4):  # before training, and after each of three epochs
        card.locator("img").first.wait_for()
        assert card.locator("img").first.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
        card.get_by_role("slider").press("ArrowRight")


def test_the_champion_is_registered_under_its_alias_with_its_card(page, address, tiny_study):
    page.goto(f"{address}/#/models")
    row = page.get_by_role("row").filter(has=link(page, "tiny-fruit"))
    row.get_by_text(ALIAS).wait_for()
    page.goto(f"{address}/#/models/tiny-fruit")
    page.get_by_text("Where it fails").wait_for()
    winner = champion_of(tiny_study.record(), "fruit")
    assert page.get_by_text(f"{winner.architecture}, champion of fruit").first.is_visible()
