"""A finished study's search in optuna-dashboard."""

from __future__ import annotations

import optuna
import pytest

from tests.support.page_servers import optuna_dashboard
from tests.support.pages import new_page

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def page(browser, tiny_study):
    with optuna_dashboard(tiny_study.study_home) as address:
        page = new_page(browser)
        page.goto(f"{address}/dashboard")
        yield page


def test_every_cell_has_a_study_for_its_search_and_one_for_its_finals(page):
    for name in ("koalarization", "unet", "cgan"):
        page.get_by_text(f"tiny/fruit/{name}").nth(1).wait_for()
        found = page.get_by_text(f"tiny/fruit/{name}").all_inner_texts()
        assert sorted(text.partition(". ")[2] for text in found) == [
            f"tiny/fruit/{name}",
            f"tiny/fruit/{name}/finals",
        ]


def test_trials_are_shown_as_they_ended(page, tiny_study):
    ledger = tiny_study.study_home.ledger_url(tiny_study.settings)
    cells = [optuna.load_study(study_name=f"tiny/fruit/{name}", storage=ledger) for name in ("unet", "cgan")]
    # The search stops trials where it will; whichever cell has one is looked at.
    study = max(cells, key=lambda one: len({trial.state for trial in one.trials}))
    page.goto(page.url.partition("/dashboard")[0] + f"/dashboard/studies/{study._study_id}/trials")
    page.get_by_text("4 Trials").wait_for()
    for trial in study.trials:
        row = page.get_by_role("button").filter(has_text=f"Trial {trial.number}")
        assert trial.state.name.capitalize() in row.inner_text()


def test_the_axis_says_what_is_measured(page, tiny_study):
    study = optuna.load_study(
        study_name="tiny/fruit/unet", storage=tiny_study.study_home.ledger_url(tiny_study.settings)
    )
    page.goto(page.url.partition("/dashboard")[0] + f"/dashboard/studies/{study._study_id}")
    axis = page.locator(".ytitle").get_by_text("ciede2000").first
    axis.wait_for()
    assert axis.is_visible()
