"""Every interval and p-value of a report, computed again from the exported evaluations with numpy and pandas alone.

    python -m study.export --name NAME --format evaluations --output evaluations.csv
    python examples/recompute.py evaluations.csv

Nothing of the software is used, and the formulas are written as matrices where the software has sums. For studies
with several replicates whose number was fixed beforehand: what further looks are charged is in
`study/statistics/sequential_t.py`.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from itertools import combinations
from math import sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd

FEWEST = 5  # with fewer images there is no interval, and fewer categories are no level
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def upper_tail(t: float, freedom: float) -> float:
    """P(T > t) of Student's t: with t = √ν tan θ its density is that of cos^(ν-1) θ."""

    def integral(low: float) -> float:
        half = (np.pi / 2 - low) / 2
        return float(half * (WEIGHTS * np.cos(low + half * (NODES + 1)) ** (freedom - 1)).sum())

    return integral(np.arctan(t / np.sqrt(freedom))) / (2 * integral(0.0))


@lru_cache(maxsize=100_000)
def t_quantile(tail: float, freedom: float) -> float:
    """The t that is exceeded with a probability of at most 0.5, by bisection."""
    low, high = 0.0, 1.0
    while upper_tail(high, freedom) > tail:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def variance_parts(table: pd.DataFrame) -> list[tuple[float, float]]:
    """(Variance of the mean score, degrees of freedom) of images and, where there are several, of replicates.

    Henderson's first method. A factor k has the indicator matrix Z_k and the projection P_k; E[y' P_j y] is the sum
    over k of tr(P_j Z_k Z_k') σ²_k, and the mean's own part is taken off.
    """
    count = len(table)
    columns = ["replicate", "category", "image"]
    alone = table["replicate"].nunique() == 1  # then what is left varies as images do
    if alone:
        columns.remove("replicate")
    levels = table["category"].nunique()
    if not FEWEST <= levels < table["image"].nunique():
        columns.remove("category")
    factors = [pd.get_dummies(table[name]).to_numpy(float) for name in columns] + [np.eye(count)]
    ones = np.ones((count, 1))
    projections = [z / z.sum(axis=0) @ z.T for z in factors]
    mean = ones @ ones.T / count
    y = table["score"].to_numpy() - table["score"].mean()
    spread = [z @ z.T for z in factors]
    expected = np.array([[np.sum((p - mean) * s) for s in spread] for p in projections])
    of_mean = dict(zip([*columns, "rest"], [s.sum() / count**2 for s in spread], strict=True))
    if count == table["image"].nunique():  # every image once: images cannot be told from the rest
        keep = [number for number, name in enumerate([*columns, "rest"]) if name != "image"]
    else:
        keep = list(range(len(factors)))
    squares = np.array([y @ p @ y for p in projections])
    solved = np.linalg.solve(expected[np.ix_(keep, keep)], squares[keep])
    names = [[*columns, "rest"][number] for number in keep]
    part = dict.fromkeys(("replicate", "category", "image", "rest"), 0.0)
    part |= {name: one * of_mean[name] for name, one in zip(names, solved, strict=True)}
    freedom = (levels if "category" in columns else table["image"].nunique()) - 1
    images = max(max(part["category"], 0.0) + part["rest" if alone else "image"], 0.0)
    if alone:
        return [(images, freedom)]
    replicates = max(part["replicate"] + part["rest"], 0.0)
    return [(images, freedom), (replicates, table["replicate"].nunique() - 1)]


def quantile(parts: list[tuple[float, float]], tail: float) -> float:
    """The parts' t quantiles weighted with their variances (Cochran and Cox)."""
    total = sum(variance for variance, _ in parts)
    return sum(variance * t_quantile(tail, freedom) for variance, freedom in parts) / total


def interval(table: pd.DataFrame, value: float, error: float = 0.05) -> tuple[float, float, float]:
    """Value, lower and upper bound; the bounds are NaN for fewer than five images."""
    if table["image"].nunique() < FEWEST:
        return value, np.nan, np.nan
    parts = variance_parts(table)
    total = sum(variance for variance, _ in parts)
    half = quantile(parts, error / 2) * np.sqrt(total) if total else 0.0
    return value, value - half, value + half


def p_value(table: pd.DataFrame) -> float:
    """Two-sided, of a mean of 0."""
    parts, found = variance_parts(table), abs(table["score"].mean())
    wanted = found / np.sqrt(sum(variance for variance, _ in parts))
    low, high = -27.0, 0.0  # of the logarithm
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if quantile(parts, np.exp(middle) / 2) < wanted else (middle, high)
    return float(np.exp((low + high) / 2))


def scores_of(table: pd.DataFrame, metric: str) -> tuple[pd.Series, float]:
    """Scores whose mean varies as the metric does, and the metric itself."""
    if metric.endswith("_ratio"):
        base = metric.removesuffix("_ratio")
        if "pooled_hue_entropy" in base:
            bins = base.replace("pooled_hue_entropy", "hue_histogram")
            predicted = entropy(table[[f"{bins}_{number}" for number in range(36)]], table["replicate"])
            truth_bins = [f"{bins}_true_{number}" for number in range(36)]
            # All test images once, whichever replicates have them.
            true_rows = table.drop_duplicates("image")
            once = entropy(true_rows[truth_bins], pd.Series(0, true_rows.index))
            truth = table["image"].map(dict(zip(true_rows["image"], once, strict=True)))
        else:
            predicted, truth = table[base], table[f"{base}_true"]
        ratio = predicted.mean() / truth.mean()
        return (predicted - ratio * truth) / truth.mean(), ratio
    return table[metric], table[metric].mean()


def entropy(histograms: pd.DataFrame, group: pd.Series) -> pd.Series:
    """Of each group's histograms together, to first order by image."""
    found = pd.Series(0.0, histograms.index)
    for rows in group.groupby(group).groups.values():
        weights = histograms.loc[rows].to_numpy()
        pooled = weights.mean(axis=0)
        share = pooled / pooled.sum() if pooled.sum() else pooled
        bits = np.where(share > 0, -np.log2(np.where(share > 0, share, 1)), 0)
        together = (share * bits).sum()
        slope = np.where(share > 0, bits - together, 0) / (pooled.sum() or 1)
        found[rows] = together + weights @ slope
    return found


def metric_intervals(table: pd.DataFrame, metrics: list[str]) -> pd.DataFrame:
    """Mean with 95 % interval of every metric, by dataset and architecture."""
    lines = []
    for (dataset, architecture), rows in table.groupby(["dataset", "architecture"], sort=False):
        for metric in (name for name in metrics if name.removesuffix("_ratio") in rows or "hue" in name):
            score, value = scores_of(rows, metric)
            found = interval(rows[["replicate", "category", "image"]].assign(score=score), value)
            lines.append((dataset, architecture, metric, *found))
    return pd.DataFrame(lines, columns=["dataset", "architecture", "metric", "mean", "low", "high"])


def shaffer_steps(groups: int) -> list[int]:
    """How many pairs may still be equal when the i-th smallest p-value is tested (J. P. Shaffer 1986)."""
    possible = {0: {0}}
    for size in range(1, groups + 1):
        possible[size] = {
            first * (first - 1) // 2 + rest for first in range(1, size + 1) for rest in possible[size - first]
        }
    pairs = groups * (groups - 1) // 2
    return [max(count for count in possible[groups] if count <= pairs - place) for place in range(pairs)]


def spent(error: float, share: float) -> float:
    """What may be spent of an error when a share of the replicates is there (Lan and DeMets, O'Brien and Fleming)."""
    normal = NormalDist()
    return 2 * normal.cdf(normal.inv_cdf(error / 2) / sqrt(share))


def pair_tests(table: pd.DataFrame, objective: str) -> pd.DataFrame:
    """Difference (first minus second) with simultaneous interval and corrected p-value of every pair."""
    lines = []
    for dataset, finals in table.groupby("dataset", sort=False):
        names, rows = list(finals["architecture"].unique()), finals[finals["collapsed"] == 0]
        pairs = list(combinations(names, 2))
        key = ["replicate", "image", "category"]
        by_name = {name: rows[rows["architecture"] == name].set_index(key)[objective] for name in names}
        found = []
        for a, b in pairs:
            apart = (by_name[a] - by_name[b]).dropna().rename("score").reset_index()
            if apart.empty:  # no replicate has trainings of both that did not collapse
                found.append([dataset, a, b, np.nan, np.nan, np.nan, np.inf])
                continue
            # Where a training collapsed, a pair has fewer replicates than planned; one alone claims nothing of them.
            common = apart["replicate"].nunique()
            share = common / table["replicate"].nunique() if common > 1 else 1.0
            bounds = interval(apart, apart["score"].mean(), spent(0.05 / len(pairs), share))
            found.append([dataset, a, b, *bounds, spent(p_value(apart), 1 / share)])
        largest = 0.0
        steps = shaffer_steps(len(names))
        for step, line in zip(steps, sorted(found, key=lambda line: line[-1]), strict=True):
            largest = line[-1] = max(largest, min(1.0, step * line[-1])) if line[-1] < np.inf else np.nan
        lines += found
    return pd.DataFrame(lines, columns=["dataset", "a", "b", "difference", "low", "high", "p"])


METRICS = [
    kept + name
    for kept in ("", "kept_")
    for name in (
        *("ciede2000", "psnr", "ssim", "detail", "a_star_error", "white_fraction", "white_distance_ratio"),
        *("sharpness_ratio", "colourfulness_ratio", "saturation_ratio", "pooled_hue_entropy_ratio"),
    )
]


def control_effects(table: pd.DataFrame, objective: str) -> pd.DataFrame:
    """How much higher the controls lie than the finals that started from the same networks, with interval."""
    lines = []
    key = ["replicate", "final", "image", "category"]
    for (dataset, architecture), rows in table.groupby(["dataset", "architecture"], sort=False):
        finals, controls = (
            rows[rows["role"] == role].set_index(key)[objective] for role in ("final", "control")
        )
        if len(controls):
            apart = (controls - finals).dropna().rename("score").reset_index()
            lines.append((dataset, architecture, controls.mean(), *interval(apart, apart["score"].mean())))
    return pd.DataFrame(lines, columns=["dataset", "architecture", "control", "difference", "low", "high"])


def read(path: str) -> pd.DataFrame:
    """An exported file, packed or not."""
    return pd.read_csv(path, dtype={"category": str, "file": str}).fillna({"category": ""})


if __name__ == "__main__":
    evaluations = read(sys.argv[1])
    finals = evaluations[evaluations["role"] == "final"]
    if finals["replicate"].nunique() < 2:
        sys.exit(f"{sys.argv[1]} has the finals of one replicate; what is computed here needs at least two.")
    with pd.option_context("display.max_rows", None, "display.width", 120):
        print(metric_intervals(finals, METRICS).round(4).to_string(index=False))
        print(pair_tests(finals, "ciede2000").round(4).to_string(index=False))
        print(control_effects(evaluations, "ciede2000").round(4).to_string(index=False))
