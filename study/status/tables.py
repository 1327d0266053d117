"""Statuses as tables for a terminal of 80 columns, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from models.metrics import OBJECTIVE
from study.comparison.table import HEADINGS
from study.search.cells import Stage
from study.search.trial_spec import TrialState
from study.status.reading import CellStatus, StudyState, StudyStatus


def list_table(studies: Mapping[str, StudyStatus | str]) -> Table:
    """One row per study.

    Args:
        studies: By name; a sentence in place of a status says why there is none.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for heading in ("study", "state", "trials", "finals", "left", "disk", "best"):
        text = heading in ("study", "state", "best")
        # The last column holds a sentence where a study cannot be read.
        table.add_column(
            heading, justify="left" if text else "right", no_wrap=heading != "best", overflow="fold"
        )
    for name, one in studies.items():
        if isinstance(one, str):
            table.add_row(name, "unreadable", "", "", "", "", one)
        else:
            trials, finals = (_done(one.cells, stage) for stage in (Stage.SEARCH, Stage.FINAL))
            table.add_row(name, one.state, trials, finals, _left(one), _megabytes(one.bytes), _best(one))
    return table


def study_table(one: StudyStatus) -> Table:
    """One row per architecture and dataset."""
    title = f"{one.settings.name}: {one.state}" + (f" by {one.driver}" if one.driver else "")
    known = one.state is StudyState.RUNNING and one.minutes_left is not None
    left = f", at most {_left(one)} left" if known else ""
    table = Table(title=title + left, box=box.SIMPLE_HEAD, padding=0)
    best = "best ΔE₀₀" if one.settings.objective == OBJECTIVE else f"best {HEADINGS[one.settings.objective]}"
    for heading in ("cell", "trials", "running", "pruned", "failed", best, "finals", "controls"):
        table.add_column(heading, justify="left" if heading == "cell" else "right", no_wrap=True)
    for cells in _pairs(one):
        running = [
            f"{epochs}/{cell.cell.epochs}"
            for cell in cells
            for stage in cell.stages.values()
            for epochs in stage.running.values()
        ]
        table.add_row(
            cells[0].cell.key + (f" ×{len(cells)}" if len(cells) > 1 else ""),
            _done(cells, Stage.SEARCH),
            running[0] + (f" +{len(running) - 1}" if len(running) > 1 else "") if running else "",
            _number(cells, TrialState.PRUNED),
            _number(cells, TrialState.FAIL),
            _value(_lowest(cells)),
            _done(cells, Stage.FINAL),
            _done(cells, Stage.CONTROL),
        )
    return table


def as_json(one: StudyStatus) -> dict[str, Any]:
    """Everything that the tables show, and each cell by itself."""
    return {
        "name": one.settings.name,
        "state": one.state,
        "driver": one.driver,
        "minutes_left": one.minutes_left,
        "bytes": one.bytes,
        "addresses": dict(one.addresses),
        "cells": [_cell_json(cell) for cell in one.cells],
    }


def _cell_json(one: CellStatus) -> dict[str, Any]:
    return {
        "cell": one.cell.key,
        "epochs": one.cell.epochs,
        "best": _finite(one.stages[Stage.SEARCH].best),
        "stages": {
            str(stage): {
                "wanted": status.wanted,
                **{str(state).lower(): number for state, number in status.ended.items()},
                "running": dict(status.running),
                "device_seconds": round(status.device_seconds, 1),
            }
            for stage, status in one.stages.items()
        },
    }


def _pairs(one: StudyStatus) -> list[list[CellStatus]]:
    """The replicates of each (dataset, architecture)."""
    pairs: dict[tuple[str, str], list[CellStatus]] = {}
    for cell in one.cells:
        pairs.setdefault(cell.cell.pair, []).append(cell)
    return list(pairs.values())


def _done(cells: Sequence[CellStatus], stage: Stage) -> str:
    there = [cell.stages[stage] for cell in cells if stage in cell.stages]
    return f"{sum(s.count for s in there)}/{sum(s.wanted for s in there)}" if there else ""


def _number(cells: Sequence[CellStatus], state: TrialState) -> str:
    return str(sum(cell.stages[Stage.SEARCH].ended[state] for cell in cells) or "")


def _lowest(cells: Sequence[CellStatus]) -> float:
    return min((cell.stages[Stage.SEARCH].best for cell in cells), default=math.inf)


def _best(one: StudyStatus) -> str:
    """The best architecture of each dataset, by its validation objective."""
    found = []
    for dataset in one.settings.datasets:
        cells = [cell for cell in one.cells if cell.cell.dataset == dataset]
        best = min(cells, key=lambda cell: _lowest([cell]))
        if math.isfinite(_lowest([best])):
            found.append(f"{dataset}: {best.cell.architecture} {_value(_lowest([best]))}")
    return "\n".join(found)


def _left(one: StudyStatus) -> str:
    if one.state is not StudyState.RUNNING:
        return ""
    return "? min" if one.minutes_left is None else f"{one.minutes_left:.0f} min"


def _value(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else ""


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
