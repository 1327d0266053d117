"""Statistics of a study as pure functions over (seeds × images) arrays."""

from study.statistics.compare import Comparison, compare, holm
from study.statistics.decision import Decision, decide
from study.statistics.improvement import probability_of_improvement
from study.statistics.interval import Interval, Scope
from study.statistics.means import mean_interval, ratio_interval
from study.statistics.proportion import wilson
from study.statistics.ranks import rank_correlation
from study.statistics.search import expected_best, incumbent

__all__ = [
    "Comparison",
    "Decision",
    "Interval",
    "Scope",
    "compare",
    "decide",
    "expected_best",
    "holm",
    "incumbent",
    "mean_interval",
    "probability_of_improvement",
    "rank_correlation",
    "ratio_interval",
    "wilson",
]
