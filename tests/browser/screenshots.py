"""`python -m tests.browser.screenshots HOME/NAME DIR`: the README's screenshots, from a finished study."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from study.settings.sources import load_settings
from study.settings.study_folder import StudyHome
from study.tracking.record import StudyRecord
from tests.support.page_servers import mlflow_ui, optuna_dashboard
from tests.support.pages import chromium, expand, link, mlflow_page, new_page, open_runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 1280, 860


def main(arguments: list[str] | None = None) -> int:
    """Write `mlflow.png`, `dashboard.png` and `report.png`."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("study", type=Path, metavar="HOME/NAME", help="folder of a finished study")
    parser.add_argument("into", type=Path, metavar="DIR", help="where the pictures go")
    chosen = parser.parse_args(arguments)
    home = StudyHome(chosen.study.absolute())
    if not home.report.is_file():
        parser.error(f"{home.report} is missing: {chosen.study} is not the folder of a finished study.")
    chosen.into.mkdir(parents=True, exist_ok=True)
    record = StudyRecord(home.tracking_uri(load_settings(home.settings_file, {})), home.root.name)
    cell = "/".join(record.cells[-1])
    with chromium() as browser:
        _photograph(_report(browser, home), chosen.into / "report.png")
        with optuna_dashboard(home) as address:
            page = _dashboard(browser, f"{address}/dashboard", f"{record.name}/{cell}")
            _photograph(page, chosen.into / "dashboard.png")
        with mlflow_ui(home) as address:
            _photograph(_mlflow(browser, address, record.name, cell), chosen.into / "mlflow.png")
    return 0


def _report(browser: Browser, home: StudyHome) -> Page:
    page = new_page(browser, WIDTH, HEIGHT)
    page.goto(home.report.as_uri())
    return page


def _dashboard(browser: Browser, address: str, study: str) -> Page:
    """The history of a cell's search, with what lies below it."""
    page = new_page(browser, WIDTH, HEIGHT + 350)
    page.goto(address)
    page.get_by_text(re.compile(rf"^\d+\. {re.escape(study)}$")).click()
    for title in ("Hyperparameter Importance", "Timeline"):
        page.get_by_text(title).wait_for()
    page.locator(".main-svg .bars .point").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    return page


def _mlflow(browser: Browser, address: str, study: str, cell: str) -> Page:
    """The learning curves of a cell's trials beside the runs."""
    page = mlflow_page(browser, WIDTH, HEIGHT)
    open_runs(page, address, study)
    expand(page, cell)
    link(page, f"{cell}/0").wait_for()
    page.goto(f"{page.url}&compareRunsMode=CHART")
    page.get_by_placeholder("Search metric charts").fill("validation/")
    for position in range(3):
        shown = page.get_by_test_id("experiment-view-compare-runs-card").nth(position)
        shown.locator(".scatterlayer .point").first.wait_for()
    return page


def _photograph(page: Page, file: Path) -> None:
    """Keep a picture of the page once it has stopped changing, with nothing under the pointer."""
    page.mouse.move(0, 0)
    earlier, picture = b"", page.screenshot()
    while picture != earlier:
        page.wait_for_timeout(500)
        earlier, picture = picture, page.screenshot()
    file.write_bytes(picture)
    print(f"{file}: {len(picture) // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
