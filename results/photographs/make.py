"""Makes every table and figure of this page from the exported files beside it.

    python results/photographs/make.py            # writes them into README.md and the figures
    python results/photographs/make.py --check    # writes nothing; exit code 1 where the page says something else

A block of the page begins with `<!-- BLOCK STUDY -->` and ends with `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import vl_convert
from exported import ExportedStudy

from data_utils.wording import counted
from models.metrics import OBJECTIVE, TRIVIAL
from models.plugins import load_extensions
from study.comparison.control import control_sentence
from study.comparison.csv_table import read_table
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.pairs import INCOMPARABLE, compare_pairs, difference_text, p_text
from study.comparison.summary import metric_interval, test_intervals
from study.comparison.table import interval_text, number_text
from study.reporting.diagnostics.pictures import image_diagnoses

PAGE = Path(__file__).with_name("README.md")
BLOCK = re.compile(r"(<!-- (\w+) ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
COLUMNS = {
    OBJECTIVE: "ΔE₀₀ ↓",
    "kept_ciede2000": "luminance kept ↓",
    "psnr": "PSNR ↑",
    "ssim": "SSIM ↑",
    "saturation_ratio": "saturation →1",
}
PLATEAU = 0.02
"""A training has reached its plateau when the last quarter of its epochs lowered its best error by less than this."""


def results(evidence: Evidence, dataset: str) -> Iterator[list[str]]:
    """Every architecture's finals on the test images, and the trivial predictions."""
    yield ["", *COLUMNS.values(), "each replicate", "collapsed"]
    for cell in evidence.of(dataset):
        found = test_intervals(evidence, dataset, cell.architecture)
        each = ", ".join(f"{mean:.2f}" for mean in np.nanmean(cell.scores(), axis=1))
        collapsed = sum(bool(final.collapsed) for final in cell.finals)
        texts = (interval_text(name, found[name]) if name in found else "" for name in COLUMNS)
        yield [cell.architecture, *texts, each, f"{collapsed} of {len(cell.finals)}"]
    for name in TRIVIAL:
        if values := evidence.record.trivial[dataset].get(name):
            texts = (number_text(one, values[one]) if one in values else "" for one in COLUMNS)
            yield [f"({name})", *texts, "", ""]


def pairs(evidence: Evidence, dataset: str) -> Iterator[list[str]]:
    """The verdict on each pair."""
    yield ["", "lower by", "p", "verdict"]
    for pair in compare_pairs(evidence, dataset):
        verdict = pair.verdict
        if not verdict.replicates:
            yield [f"{pair.a}, {pair.b}", "", "", f"not comparable: {INCOMPARABLE}"]
            continue
        word = verdict.word
        if word != "not decided" and not verdict.decided:
            word += ", of these trainings alone"
        if word == "not decided":
            word += (
                f", about {counted(verdict.further, 'more replicate')}"
                if verdict.further
                else ", not by replicates alone"
            )
        yield [
            f"{pair.a} than {pair.b}",
            difference_text(verdict.difference),
            p_text(verdict.p_value).removeprefix("p ").removeprefix("= "),
            f"{word} ({counted(verdict.replicates, 'replicate')})",
        ]


def controls(evidence: Evidence, dataset: str) -> str:
    """What training on with L1 alone reaches."""
    return control_sentence(evidence, dataset)


def observations(evidence: Evidence, dataset: str) -> Iterator[list[str]]:
    """What the original comparison saw, put to the test."""
    yield ["observation", "measured", "verdict", "beside it"]
    for diagnosis in image_diagnoses(evidence):
        for row in diagnosis.rows:
            if row.where.partition(" · ")[0] == dataset:
                where = row.where.partition(" · ")[2]
                yield [f"{diagnosis.title}{', ' if where else ''}{where}", row.value, row.verdict, row.remark]


def plateau(evidence: Evidence, dataset: str) -> Iterator[list[str]]:
    """How much the last quarter of the finals' epochs lowered the lowest error on the validation images so far."""
    yield ["", "epochs", "lowered by the last quarter, each replicate", "at a plateau"]
    for cell in evidence.of(dataset):
        shares = [late_gain(final.curve) for final in cell.finals]
        reached = sum(share < PLATEAU for share in shares)
        each = ", ".join(f"{share:.1%}" for share in shares)
        yield [cell.architecture, str(len(cell.finals[0].curve)), each, f"{reached} of {len(shares)}"]


def late_gain(curve: list[float]) -> float:
    """The share that the last quarter of a learning curve took off the lowest value before it."""
    before = min(curve[: -(-3 * len(curve) // 4)])
    return max(0.0, 1 - min(curve) / before)


BLOCKS: dict[str, Callable[[Evidence, str], Iterator[list[str]] | str]] = {
    one.__name__: one for one in (results, pairs, controls, observations, plateau)
}


def block(kind: str, study: str) -> str:
    """The text of one block, for each dataset of a study."""
    evidence = evidence_of(study)
    texts = []
    for dataset in evidence.datasets:
        made = BLOCKS[kind](evidence, dataset)
        texts.append(made if isinstance(made, str) else table(list(made)))
    return "\n\n".join(texts) + "\n"


def table(rows: list[list[str]]) -> str:
    """A table of Markdown; the first row is its head."""
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


STUDIES: dict[str, Evidence] = {}


def evidence_of(study: str) -> Evidence:
    """A study's finals, read once."""
    if study not in STUDIES:
        STUDIES[study] = Evidence(ExportedStudy(PAGE.with_name(study)))  # type: ignore[arg-type]  # the part that is asked for
    return STUDIES[study]


def unlike_the_table(study: str) -> list[str]:
    """Numbers of the study's own exported table that these files do not give again."""
    evidence = evidence_of(study)
    _, rows = read_table(PAGE.with_name(study) / "table.csv")
    wrong = []
    for row in rows:
        cell = evidence.cells[row.dataset, row.architecture]
        for name, shown in row.test.items():
            again = metric_interval(cell, name, evidence.categories(row.dataset))
            mine = (np.nan,) * 3 if again is None else (again.value, again.low, again.high)
            if not np.allclose(
                mine, (shown.value, shown.low, shown.high), rtol=1e-4, atol=1e-6, equal_nan=True
            ):
                wrong.append(f"{study}: {row.architecture}'s {name} is {mine}, in table.csv {shown}")
    return wrong


def figure(study: str, dataset: str) -> str:
    """Mean error of each architecture with its interval, a dot for each replicate, and the grey copy, as SVG."""
    evidence = evidence_of(study)
    cells = evidence.of(dataset)
    spans = [span(evidence, cell) for cell in cells]
    dots = [
        {"model": cell.architecture, "value": drawn_at(value)}
        for cell in cells
        for value in np.nanmean(cell.scores(), axis=1)
    ]
    grey = drawn_at(evidence.record.trivial[dataset][TRIVIAL[0]][OBJECTIVE])
    order = {
        "field": "model",
        "type": "nominal",
        "sort": [cell.architecture for cell in cells],
        "title": None,
    }
    axis = {"type": "quantitative", "title": "ΔE₀₀ of the test images", "scale": {"zero": False}}
    layers = [
        {"data": {"values": [{"grey": grey}]}, "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#777"},
         "encoding": {"x": {"field": "grey", **axis}}},
        {"data": {"values": spans}, "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.35, "color": "#3d7fc4"},
         "encoding": {"x": {"field": "low", **axis}, "x2": {"field": "high"}, "y": order}},
        {"data": {"values": spans}, "mark": {"type": "tick", "thickness": 3, "color": "#1f4e85"},
         "encoding": {"x": {"field": "mean", **axis}, "y": order}},
        {"data": {"values": dots}, "mark": {"type": "point", "filled": True, "size": 30, "color": "#d0741c"},
         "encoding": {"x": {"field": "value", **axis}, "y": order}},
    ]  # fmt: skip
    drawn = {
        "width": 520,
        "height": {"step": 34},
        "background": "white",
        # Whether labels overlap depends on the fonts of the machine.
        "config": {"axis": {"labelOverlap": False}, "axisX": {"tickCount": 10}},
        "layer": layers,
    }
    return str(vl_convert.vegalite_to_svg(drawn))


def span(evidence: Evidence, cell: CellEvidence) -> dict[str, str | float]:
    """A bar of the figure."""
    found = test_intervals(evidence, cell.dataset, cell.architecture)[OBJECTIVE]
    ends = {"mean": found.value, "low": found.low, "high": found.high}
    return {"model": cell.architecture, **{name: drawn_at(value) for name, value in ends.items()}}


def drawn_at(value: float) -> float:
    """A number of a figure, without the digits in which processors differ."""
    return round(float(value), 4)


def main(check: bool) -> int:
    """0 where page and figures are what the files give."""
    load_extensions([str(PAGE.with_name("cgan_scratch.py"))])
    text = PAGE.read_text(encoding="utf-8")
    made = {PAGE: BLOCK.sub(lambda found: found[1] + block(found[2], found[3]) + found[4], text)}
    for study in dict.fromkeys(found[3] for found in BLOCK.finditer(text)):
        for dataset in evidence_of(study).datasets:
            made[PAGE.with_name(study) / f"{dataset}.svg"] = figure(study, dataset)
    wrong = [line for study in STUDIES for line in unlike_the_table(study)]
    for path, content in made.items():
        if not check:
            path.write_text(content, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            wrong.append(f"{path.name} is not what the files give; run this program without --check")
    print(
        "\n".join(wrong) or f"{len(made)} files are what the exported files of {len(STUDIES)} studies give."
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
