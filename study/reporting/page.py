"""From a study's record to the page: every section computed, then one template filled."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from data_utils.wording import counted
from models.metrics import KEPT, METRICS, OBJECTIVE
from study.comparison.contestants import matches
from study.comparison.finals import Evidence
from study.comparison.leaks import leaks
from study.comparison.pairs import other_objective, p_text
from study.comparison.summary import CellSummary, summarise_study
from study.comparison.table import HEADINGS, SHOWN, interval_text, number_text, objective_text, table_rows
from study.errors import StudyError
from study.reporting.answer import Answer, answer
from study.reporting.categories import categories
from study.reporting.checklist import checklist
from study.reporting.costs import budget
from study.reporting.diagnostics.adversary import adversarial_diagnoses
from study.reporting.diagnostics.pictures import image_diagnoses
from study.reporting.figures import colours
from study.reporting.interactive.intervals import Bar, against_time, forest
from study.reporting.interactive.library import packed_library
from study.reporting.interactive.run_pages import LOCAL_PAGES, pages_address
from study.reporting.interactive.typography import with_real_minus
from study.reporting.loss_panels import loss_panel
from study.reporting.method import caveats, configuration, warnings
from study.reporting.picture_samples import RULE, distances, load_pictures, samples
from study.reporting.search_section import LABELS, anytime_figure, cell_search, expected_figure
from study.reporting.searched import how_it_was_searched, searched_hyperparameters
from study.statistics import Interval
from study.tracking.page_log import log_report
from study.tracking.record import StudyRecord

_TEMPLATES = Path(__file__).with_name("templates")
QUALITY = ("model", OBJECTIVE, KEPT + OBJECTIVE, *SHOWN, "beats")
COST = ("model", "validation", "search", "epochs", "final_epochs", "cost", "final_cost", "parameters")
USE = ("model", "weights", "multiply_adds", "milliseconds", "peak_bytes")


def render_page(record: StudyRecord) -> str:
    """The report as one HTML document that needs nothing but itself."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "interval": _interval, "p": p_text, "number": number_text, "bounds": _bounds, "counted": counted,
    }  # fmt: skip
    page = environment.get_template("report.html").render(**_context(record)).lstrip()
    return with_real_minus(page)


def _context(record: StudyRecord) -> dict[str, Any]:
    evidence, summaries = Evidence(record), summarise_study(record)
    outsiders = list(dict.fromkeys(one.architecture for one in summaries if one.external))
    palette = colours(evidence.architectures)
    rows = table_rows(record.trivial, summaries)
    pictures = {dataset: load_pictures(evidence, dataset) for dataset in evidence.datasets}
    answers = [answer(evidence, dataset) for dataset in evidence.datasets]
    kid, no_kid = distances(pictures)
    cells = record.cells
    return {
        "name": record.name,
        "warnings": warnings(record),
        "palette": palette,
        "datasets": evidence.datasets,
        "headings": HEADINGS,
        "quality": QUALITY,
        "cost": COST,
        "use": USE,
        "measured_on": next((str(one.usage["device"]) for one in summaries if one.usage), ""),
        "latencies": {name: _latency(record, summaries, name, palette) for name in evidence.datasets},
        "metrics": METRICS,
        "rows": {name: [row for row in rows if row["dataset"] == name] for name in evidence.datasets},
        "answers": answers,
        "leaks": {name: leaks(evidence, name) for name in evidence.datasets},
        "objective": objective_text(record.objective),
        "other_objective": objective_text(other_objective(record.objective)),
        "forests": {
            one.dataset: _forest(record, summaries, one, palette | colours(outsiders, len(palette)))
            for one in answers
        },
        "matches": {name: matches(evidence, name) for name in evidence.datasets},
        "rule": RULE,
        "samples": {
            name: samples(evidence, name, found) if found else [] for name, found in pictures.items()
        },
        "losses": [panel for cell in cells if (panel := loss_panel(record, *cell, palette[cell[1]]))],
        "categories": {name: categories(evidence, name, pictures[name]) for name in evidence.datasets},
        "with_finals": {
            name: [cell.architecture for cell in evidence.of(name)] for name in evidence.datasets
        },
        "diagnoses": [*image_diagnoses(evidence), *adversarial_diagnoses(record)],
        "anytime": {name: anytime_figure(record, name, palette) for name in evidence.datasets},
        "expected": {name: expected_figure(record, name, palette) for name in evidence.datasets},
        "searches": [cell_search(record, *cell, palette[cell[1]]) for cell in cells],
        "labels": LABELS,
        "pages": pages_address(record.uri),
        "pages_are_local": pages_address(record.uri) == LOCAL_PAGES,
        "library": packed_library(),
        "budgets": [budget(record, one) for one in summaries if not one.external],
        "data": record.data["datasets"],
        "configuration": configuration(record.settings),
        "tags": sorted(record.tags.items()),
        "finals": list(evidence.cells.values()),
        "kid": kid,
        "no_kid": no_kid,
        "searched": searched_hyperparameters(record),
        "how_searched": how_it_was_searched(record),
        "checklist": checklist(evidence, summaries),
        "caveats": caveats(evidence, summaries),
    }


def _forest(
    record: StudyRecord, summaries: list[CellSummary], one: Answer, palette: dict[str, str]
) -> Markup | None:
    bars = [
        Bar(cell.architecture, score.value, score.low, score.high, palette[cell.architecture])
        for cell in summaries
        if cell.dataset == one.dataset and (score := cell.test.get(record.objective))
    ]
    if not bars:
        return None
    interval = ", 95 % interval" if any(math.isfinite(bar.low) for bar in bars) else ""
    trivial = record.trivial[one.dataset]
    bars += [
        Bar(f"({name})", values[record.objective], math.nan, math.nan, "") for name, values in trivial.items()
    ]
    return forest(
        f"{one.dataset} objective",
        bars,
        f"mean {objective_text(record.objective)} on the test split{interval}",
    )


def _latency(
    record: StudyRecord, summaries: list[CellSummary], dataset: str, palette: dict[str, str]
) -> Markup | None:
    """Quality against the time that using a network takes; None without finals, or where no time was measured."""
    found = []
    for one in summaries:
        if one.dataset == dataset and one.usage and (score := one.test.get(record.objective)):
            bar = Bar(one.architecture, score.value, score.low, score.high, palette[one.architecture])
            found.append((float(one.usage["milliseconds"]), bar))
    label = f"mean {objective_text(record.objective)}"
    return against_time(f"{dataset} quality against time", found, "ms an image", label) if found else None


def _bounds(text: str) -> Markup:
    """`mean [low, high]` with the bounds on a line of their own."""
    mean, bracket, bounds = text.partition(" [")
    small = Markup(" <small>[{}</small>").format(bounds) if bracket else Markup("")
    return Markup("{}").format(mean) + small


def _interval(interval: Interval, metric: str = OBJECTIVE) -> Markup:
    return _bounds(interval_text(metric, interval)) if math.isfinite(interval.value) else Markup("–")


def write_report(record: StudyRecord, path: Path) -> Path:
    """Write the report, and log it to the study's run in MLflow.

    Args:
        record: The study.
        path: Where the page goes; its folder is made.

    Returns:
        The path.

    Raises:
        StudyError: If the file cannot be written, or MLflow does not take it (the file is there then).
    """
    page = render_page(record)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"The report cannot be written to {path}: {error.strerror}.") from error
    log_report(record, page)
    return path
