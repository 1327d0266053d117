"""The program that computes every number of a report again, without this software."""

import runpy

import numpy as np
import pytest

from models.metrics import KEPT, METRICS
from study.comparison.control import control_sentence
from study.comparison.csv_table import read_table, write_evaluations
from study.comparison.finals import Evidence
from study.comparison.summary import summarise_study
from study.comparison.verdict import dataset_verdicts
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def recompute():
    return runpy.run_path(str(ROOT / "examples" / "recompute.py"))


@pytest.fixture
def exported(replicated, recompute, tmp_path):
    file = tmp_path / "evaluations.csv"
    file.write_text(write_evaluations(replicated), encoding="utf-8")
    return recompute["read"](file)


@pytest.fixture
def evaluations(exported):
    return exported[exported["role"] == "final"]


def test_it_uses_numpy_and_pandas_alone():
    text = (ROOT / "examples" / "recompute.py").read_text(encoding="utf-8")
    imports = {
        line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))
    }
    assert imports == {"__future__", "sys", "functools", "itertools", "math", "statistics", "numpy", "pandas"}


def test_every_interval_of_the_table_is_found_again(replicated, evaluations, recompute):
    found = recompute["metric_intervals"](evaluations, recompute["METRICS"])
    lines = {(one.architecture, one.metric): (one.mean, one.low, one.high) for one in found.itertuples()}
    shown = {
        (row.architecture, name): one for row in summarise_study(replicated) for name, one in row.test.items()
    }
    assert shown.keys() <= lines.keys()
    for key, interval in shown.items():
        lowest, highest = METRICS[key[1].removeprefix(KEPT)].possible
        mean, low, high = lines[key]
        again = (mean, max(low, lowest), min(high, highest))
        assert again == pytest.approx(
            (interval.value, interval.low, interval.high), rel=1e-6, abs=1e-6, nan_ok=True
        )


def test_every_p_value_of_a_fixed_number_of_replicates_is_found_again(
    replicated, evaluations, recompute, monkeypatch
):
    monkeypatch.setitem(replicated.settings, "verdict", {"until": "replicates", "margin": 0.0})
    monkeypatch.setattr(type(replicated), "looks", [4])
    tests = recompute["pair_tests"](evaluations, replicated.objective)
    again = {frozenset((one.a, one.b)): one for one in tests.itertuples()}
    for verdict in dataset_verdicts(Evidence(replicated), "fruit"):
        mine = again[frozenset((verdict.a, verdict.b))]
        # Levels of a look before the last come from a grid.
        close = 1e-3 if verdict.replicates == 4 else 0.02
        assert mine.p == pytest.approx(verdict.p_value, rel=close)
        bounds = sorted(np.abs([verdict.difference.low, verdict.difference.high]))
        assert sorted(np.abs([mine.low, mine.high])) == pytest.approx(bounds, rel=close)


def test_what_the_controls_say_is_found_again(replicated, exported, recompute):
    (line,) = recompute["control_effects"](exported, replicated.objective).itertuples()
    shown = f"{line.control:.2f}, {line.difference:+.2f} [{line.low:+.2f}, {line.high:+.2f}] beside {line.architecture}"
    assert shown in control_sentence(Evidence(replicated), "fruit")


def test_trivial_predictions_are_exported_too(replicated, exported):
    trivial = exported[exported["role"] == "trivial"].groupby("architecture")[replicated.objective].mean()
    for name, values in replicated.trivial["fruit"].items():
        assert trivial[name] == pytest.approx(values[replicated.objective])


def test_a_study_that_was_stopped_is_found_again_too(recompute):
    folder = (
        ROOT / "results" / "photographs" / "scenes-128px"
    )  # one cell has one final, and several collapsed
    finals = recompute["read"](folder / "evaluations.csv.xz").query("role == 'final'")
    _, shown = read_table(folder / "table.csv")
    for line in recompute["metric_intervals"](finals, ["ciede2000", "ssim"]).itertuples():
        (row,) = (one for one in shown if one.architecture == line.architecture)
        found = row.test[line.metric]
        assert (line.mean, line.low, line.high) == pytest.approx(
            (found.value, found.low, found.high), rel=1e-6
        )
    tests = recompute["pair_tests"](finals, "ciede2000").set_index(["a", "b"])
    assert tests.loc[("unet", "vggunet"), "low"] > 0
    assert np.isnan(tests.loc[("unet", "cgan"), "p"])
