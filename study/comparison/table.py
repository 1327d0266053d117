"""The summary table in words and figures: shared by the console, the exports and the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.metrics import KEPT, METRICS, OBJECTIVE, TRIVIAL
from study.comparison.summary import CellSummary, Trivial

if TYPE_CHECKING:
    from study.statistics import Interval

SHOWN = ("psnr", "ssim", "colourfulness_ratio", "detail", "white_fraction", "pooled_hue_entropy_ratio")
HEADINGS = {
    "dataset": "dataset",
    "model": "model",
    OBJECTIVE: "ΔE₀₀ ↓",
    KEPT + OBJECTIVE: "ΔE₀₀, luminance kept ↓",
    "psnr": "PSNR dB ↑",
    "ssim": "SSIM ↑",
    "colourfulness_ratio": "colourfulness →1",
    "detail": "detail →1",
    "white_fraction": "white",
    "pooled_hue_entropy_ratio": "hues →1",
    "beats": "beats",
    "validation": "validation",
    "search": "trials c/p/f",
    "epochs": "epochs of search",
    "final_epochs": "of finals",
    "cost": "device-s of search",
    "final_cost": "of finals",
    "weights": "parameters",
    "multiply_adds": "multiply-adds",
    "milliseconds": "ms an image",
    "peak_bytes": "peak MB",
    "parameters": "best configuration",
}

Row = dict[str, str]


def objective_text(objective: str) -> str:
    """An objective's name in a sentence."""
    return HEADINGS[objective].removesuffix(" ↓")


def table_rows(trivial: Trivial, summaries: list[CellSummary]) -> list[Row]:
    """Text by column (`HEADINGS`): each dataset's cells, then its trivial predictions."""
    rows: list[Row] = []
    for dataset in dict.fromkeys(one.dataset for one in summaries):
        rows += [_cell_row(one) for one in summaries if one.dataset == dataset]
        rows += [
            _trivial_row(dataset, name, trivial[dataset][name])
            for name in TRIVIAL
            if name in trivial[dataset]
        ]
    return rows


def _cell_row(one: CellSummary) -> Row:
    row = {
        "dataset": one.dataset,
        "model": one.architecture + (" (external, not trained here)" if one.external else ""),
    }
    for name in (OBJECTIVE, KEPT + OBJECTIVE, *SHOWN):
        row[name] = interval_text(name, one.test[name]) if name in one.test else ""
    row["beats"] = beats_text(one)
    if one.external:
        return row
    row["validation"] = "" if one.validation is None else number_text(one.objective, one.validation)
    row["search"] = f"{one.complete}/{one.pruned}/{one.failed}"
    row["epochs"] = str(one.epochs)
    row["final_epochs"] = str(one.final_epochs)
    row["cost"] = f"{one.search_seconds:.0f}"
    for more in (one.feature_seconds, one.pretraining_seconds):
        row["cost"] += f" + {more:.0f}" if more else ""
    row["final_cost"] = f"{one.final_seconds:.0f}"
    row |= _usage(one)
    row["parameters"] = ", ".join(f"{name} {parameter_text(value)}" for name, value in one.parameters.items())
    return row


def _usage(one: CellSummary) -> Row:
    """What using the network costs."""
    if not one.usage:
        return {}
    found = {
        name: float(one.usage[name]) for name in ("weights", "multiply_adds", "milliseconds", "peak_bytes")
    }
    return {
        "weights": f"{found['weights'] / 1e6:.2f} M",
        "multiply_adds": f"{found['multiply_adds'] / 1e6:.0f} M",
        "milliseconds": f"{found['milliseconds']:.1f}",
        "peak_bytes": f"{found['peak_bytes'] / 1e6:.0f}",
    }


def _trivial_row(dataset: str, name: str, values: Mapping[str, float]) -> Row:
    row = {"dataset": dataset, "model": f"({name})"}
    for metric in (OBJECTIVE, KEPT + OBJECTIVE, *SHOWN):
        row[metric] = number_text(metric, values[metric]) if metric in values else ""
    return row


def beats_text(one: CellSummary) -> str:
    """The trivial predictions above the whole interval of a cell; a warning where the grey copy is not among them."""
    if not one.beats:
        return ""
    beaten = [name for name, better in one.beats.items() if better]
    text = "all" if len(beaten) == len(one.beats) else " and ".join(beaten) or "none"
    unsure = one.surely_helps is False and one.beats[TRIVIAL[0]]
    return f"{text} ({TRIVIAL[0]} not surely)" if unsure else text


def number_text(metric: str, value: float) -> str:
    """A metric's value with as many decimals as its definition says."""
    decimals = METRICS[metric.removeprefix(KEPT)].decimals
    return f"{value:z.{decimals}f}" if math.isfinite(value) else "–"  # z: no minus before 0.00


def interval_text(metric: str, interval: Interval) -> str:
    """`mean [low, high]`."""
    mean = number_text(metric, interval.value)
    if not math.isfinite(interval.low):
        return mean
    return f"{mean} [{number_text(metric, interval.low)}, {number_text(metric, interval.high)}]"


def parameter_text(value: float | str) -> str:
    """A hyperparameter; a real number with three significant figures."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
