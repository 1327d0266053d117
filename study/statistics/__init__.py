"""Statistics of a study as pure functions over (replicates × images) arrays; imports nothing of the study."""

from study.statistics.collapse import collapse_rate, without_collapsed
from study.statistics.compare import Comparison, compare
from study.statistics.decision import Decision, decide
from study.statistics.family import shaffer
from study.statistics.interval import Interval, Scope
from study.statistics.looks import look_level, repeated_p
from study.statistics.means import entropy_scores, mean_interval, ratio_interval
from study.statistics.proportion import wilson
from study.statistics.search import expected_best, incumbent, rank_correlation
from study.statistics.verdict import Verdict, verdicts

__all__ = [
    "Comparison",
    "Decision",
    "Interval",
    "Scope",
    "Verdict",
    "collapse_rate",
    "compare",
    "decide",
    "entropy_scores",
    "expected_best",
    "incumbent",
    "look_level",
    "mean_interval",
    "rank_correlation",
    "ratio_interval",
    "repeated_p",
    "shaffer",
    "verdicts",
    "wilson",
    "without_collapsed",
]
