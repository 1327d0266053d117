"""Headless Chromium, and the ways through MLflow's pages that tests and screenshots share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_SECONDS = 120
# What MLflow's pages remember of a visitor who has chosen "Model training" and closed the assistant.
_REMEMBERED = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def new_page(browser: Browser, width: int = 1400, height: int = 1000, **options: str) -> Page:
    """A page of a fresh visitor that waits for conditions with patience."""
    page = browser.new_page(viewport={"width": width, "height": height}, **options)
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    return page


def mlflow_page(browser: Browser, width: int = 1400, height: int = 1000) -> Page:
    """A page that shows MLflow as to someone who trains models."""
    page = new_page(browser, width, height)
    page.add_init_script(f"Object.assign(localStorage, {json.dumps(_REMEMBERED)})")
    return page


def link(page: Page, name: str) -> Locator:
    """The link of exactly this name."""
    return page.get_by_role("link", name=name, exact=True)


def open_runs(page: Page, address: str, study: str) -> None:
    """From the list of experiments to the study's runs."""
    page.goto(f"{address}/#/experiments")
    link(page, study).click()
    link(page, "study").wait_for()


def expand(page: Page, cell: str) -> None:
    """Show the runs below a cell's."""
    page.get_by_role("row").filter(has=link(page, cell)).get_by_role("button").first.click()


def open_charts(page: Page, address: str, study: str, run: str) -> None:
    """From the list of experiments to the charts of a trial's or a final's run."""
    open_runs(page, address, study)
    expand(page, run.rpartition("/")[0])
    link(page, run).click()
    page.get_by_role("tab", name="Model metrics").click()


def chart(page: Page, name: str) -> Locator:
    """The one chart whose name contains this."""
    page.get_by_placeholder("Search metric charts").fill(name)
    return page.get_by_test_id("experiment-view-compare-runs-card").filter(has_text=name)
