"""Better, equivalent, or not decided: for all pairs of architectures, after any number of looks."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from numpy.typing import ArrayLike

from study.statistics.compare import paired
from study.statistics.components import Components, Scores, as_scores, components
from study.statistics.family import shaffer
from study.statistics.interval import Interval, half_width, symmetric, two_sided_p
from study.statistics.looks import look_level, repeated_p, spent

Word = Literal["better", "equivalent", "not decided"]
MOST_FURTHER = 1000
"""If this many more replicates would not decide, replicates alone will not."""


@dataclass(frozen=True)
class Verdict:
    """What is known of two architectures, valid over all looks and all pairs.

    Attributes:
        a: The one with the better mean so far.
        b: The other.
        word: "better": a is better than b. "equivalent": they differ by less than the margin, whichever is better.
        difference: Mean score of a minus that of b, with an interval that holds for all pairs and at all looks at the
            same time. "Better" rests on the p-value and may need less than that this interval excludes 0.
        p_value: Of "no difference", corrected for looks and pairs.
        replicates: Number of replicates compared.
        further: About how many more would decide, if all is as it looks; None where it is decided, where one replicate
            says nothing of others, and where replicates alone will not decide it.
    """

    a: str
    b: str
    word: Word
    difference: Interval
    p_value: float
    replicates: int
    further: int | None

    @property
    def decided(self) -> bool:
        """Whether it says which architecture to take; a word on configurations alone does not."""
        return self.word != "not decided" and self.difference.scope == "architecture"


def verdicts(
    scores: Mapping[str, ArrayLike],
    looks: Sequence[int],
    most_replicates: int,
    margin: float | None = None,
    lower_is_better: bool = True,
    level: float = 0.95,
    categories: ArrayLike | None = None,
) -> list[Verdict]:
    """Compare all pairs of architectures on one dataset.

    Each pair is tested as in `compare`, at every look with the error that may be spent there (`repeated_p`), and
    p-values are corrected for all pairs (`shaffer`). Equivalence is two one-sided tests (D. J. Schuirmann,
    J. Pharmacokinetics and Biopharmaceutics 15, 1987): at some look the whole interval lay within ± margin. It
    precedes "better", since a difference below the margin is one that does not matter. What one look has decided
    stays decided, unless the difference has changed its sign since.

    Args:
        scores: Replicates × images by architecture; row r is replicate r on all sides. NaN where a replicate has no
            score (`without_collapsed`).
        looks: Replicates that the study had at each look, growing; the last is the present one. A look at a single
            replicate is not charged, since it claims nothing of architectures.
        most_replicates: How many there will be at most, fixed before the first look. With only two, three equal
            architectures are told apart in up to 8 % of studies in place of 5 (1500 simulated).
        margin: A difference smaller than this does not matter; None if every difference does.
        lower_is_better: Whether a lower score is an improvement.
        level: 1 minus the error allowed: of any false "better" at any look, and likewise of any false "equivalent".
        categories: One integer per image, or None.

    Returns:
        One verdict per pair, in the order of `scores`, the better side first.

    Raises:
        ValueError: When sides do not have the same images, or looks do not grow to at most `most_replicates`.
    """
    arrays = {name: as_scores(one) for name, one in scores.items()}
    pairs = list(combinations(arrays, 2))
    tests = [_Test.of(paired(arrays[a], arrays[b]), looks, most_replicates, categories) for a, b in pairs]
    corrected = shaffer([test.p_value() for test in tests])
    found = []
    for (a, b), test, p_value in zip(pairs, tests, corrected, strict=True):
        alpha = (1 - level) / len(pairs)
        word: Word = "not decided"
        if margin is not None and test.ever_within(margin, alpha):
            word = "equivalent"
        elif p_value < 1 - level:
            word = "better"
        further = test.further(alpha, margin) if word == "not decided" else None
        last = test.interval(alpha, len(test.found) - 1)
        verdict = Verdict(a, b, word, last, p_value, test.counts[-1], further)
        behind = verdict.difference.value > 0 if lower_is_better else verdict.difference.value < 0
        found.append(_swapped(verdict) if behind else verdict)
    return found


def _swapped(verdict: Verdict) -> Verdict:
    return replace(verdict, a=verdict.b, b=verdict.a, difference=-verdict.difference)


@dataclass(frozen=True)
class _Test:
    """One pair's test at each look at which the pair had more replicates than before.

    Attributes:
        found: The mean difference and its variance components at each look.
        most_replicates: As in `verdicts`.
    """

    found: list[Components]
    most_replicates: int

    @classmethod
    def of(
        cls, differences: Scores, looks: Sequence[int], most_replicates: int, categories: ArrayLike | None
    ) -> _Test:
        """Collapsed replicates do not count; a single one is only used where there is no other."""
        found = {
            one.replicates: one for one in (components(differences[:look], categories) for look in looks)
        }
        several = [one for count, one in found.items() if count > 1]
        return cls(several or [found[max(found)]], most_replicates)

    @property
    def counts(self) -> list[int]:
        """Number of replicates at each look."""
        return [one.replicates for one in self.found]

    def p_value(self) -> float:
        """Over all looks; those that pointed the other way do not count."""
        p_values = [
            1.0 if one.mean * self.found[-1].mean < 0 else two_sided_p(one.mean, one.parts())
            for one in self.found
        ]
        return (
            repeated_p(p_values, self.counts, self.most_replicates) if self.counts[-1] > 1 else p_values[-1]
        )

    def ever_within(self, margin: float, alpha: float) -> bool:
        """Whether the whole interval lay within ± margin at any look."""
        intervals = [self.interval(alpha, number) for number in range(len(self.found))]
        return any(-margin < one.low and one.high < margin for one in intervals)

    def interval(self, alpha: float, number: int) -> Interval:
        """At one look; with probability 1 - alpha the intervals of all looks hold the truth."""
        found, counts = self.found[number], self.counts[: number + 1]
        error = look_level(counts, self.most_replicates, alpha) if found.replicates > 1 else alpha
        method = f"repeated interval of paired differences, {found.method}"
        return symmetric(found.mean, found.parts(), found.scope, method, 1 - error)

    def further(self, alpha: float, margin: float | None) -> int | None:
        """How many more replicates decide if mean and variances stay, with no look before the last of them."""
        last, now = self.found[-1], self.counts[-1]
        if now < 2 or math.isnan(last.mean):
            return None

        def decides(more: int) -> bool:
            most = max(now + more, self.most_replicates)
            error = spent(now + more, most, alpha) - spent(now, most, alpha)
            half = half_width(last.with_replicates(now + more).parts(), 1 - error)
            return abs(last.mean) > half or (margin is not None and abs(last.mean) + half < margin)

        more = bisect_left(range(MOST_FURTHER + 1), True, lo=1, key=decides)
        return more if more <= MOST_FURTHER else None
