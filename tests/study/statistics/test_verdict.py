import math

import numpy as np
import pytest
from numpy.typing import NDArray

from study.statistics import compare, shaffer, verdicts, without_collapsed


def made(
    *means: float, replicates: int = 10, spread: float = 1.0, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Architectures a, b, … with these means; replicates of each have the standard deviation `spread`."""
    random = np.random.default_rng(seed)
    image = random.normal(size=40)
    return {
        "abc"[index]: mean
        + image
        + spread * random.normal(size=(replicates, 1))
        + random.normal(size=(replicates, 40))
        for index, mean in enumerate(means)
    }


def test_a_clear_difference_is_better_whichever_side_comes_first() -> None:
    for means, first in (((10.0, 20.0), "a"), ((20.0, 10.0), "b")):
        (found,) = verdicts(made(*means), [5], 5)
        assert (found.word, found.a, found.decided) == ("better", first, True)
        assert found.difference.high < 0
    (highest,) = verdicts(made(10, 20), [5], 5, lower_is_better=False)
    assert (highest.a, highest.difference.low > 0) == ("b", True)


def test_a_small_difference_is_equivalent_only_by_the_margin() -> None:
    scores = made(10, 10.02, spread=0.05)
    assert [one.word for one in verdicts(scores, [10], 10, margin=1)] == ["equivalent"]
    assert [one.word for one in verdicts(scores, [10], 10)] == ["not decided"]
    assert [one.word for one in verdicts(made(10, 10.9, spread=0.05), [10], 10, margin=2)] == ["equivalent"]


def test_one_look_at_all_replicates_is_the_comparison_itself() -> None:
    scores = made(10, 11)
    (found,), plain = verdicts(scores, [10], 10), compare(scores["a"], scores["b"])
    assert found.p_value == pytest.approx(plain.p_value, rel=1e-3)
    assert found.difference.low == pytest.approx(plain.difference.low, rel=1e-3)
    three = made(10, 11, 12.5)
    p_values = [compare(three[a], three[b]).p_value for a, b in ("ab", "ac", "bc")]
    assert [one.p_value for one in verdicts(three, [10], 10)] == pytest.approx(shaffer(p_values), rel=1e-3)


def test_looks_cost_something_and_a_single_replicate_is_no_look() -> None:
    scores = made(10, 11.5)
    (once,), (often,) = verdicts(scores, [8], 8), verdicts(scores, [3, 4, 5, 6, 7, 8], 8)
    assert often.difference.high > once.difference.high
    (with_one,) = verdicts(scores, [1, 3, 4, 5, 6, 7, 8], 8)
    assert with_one == often


def test_what_a_look_decided_stays_decided() -> None:
    scores = made(10, 13, spread=0.1)
    scores["a"][5:] += np.linspace(-8, 9, 5)[:, None]  # later replicates are erratic
    assert verdicts(scores, [5], 10)[0].word == "better"
    (later,) = verdicts(scores, [5, 10], 10)
    assert later.word == "better"
    assert later.difference.low < 0 < later.difference.high
    (unseen,) = verdicts(scores, [10], 10)
    assert unseen.word == "not decided"


def test_one_replicate_speaks_of_configurations_and_decides_nothing() -> None:
    (found,) = verdicts(made(10, 20), [1], 10)
    assert (found.word, found.difference.scope) == ("better", "these configurations")
    assert not found.decided
    assert found.further is None


def test_collapsed_replicates_do_not_count() -> None:
    scores = made(10, 12)
    collapsed = np.arange(10) % 3 == 0
    sound = {"a": without_collapsed(scores["a"], collapsed), "b": scores["b"]}
    (found,) = verdicts(sound, [4, 10], 10)
    kept = {name: one[~collapsed] for name, one in scores.items()}
    (expected,) = verdicts(kept, [2, 6], 10)
    assert found.replicates == 6
    assert found.p_value == pytest.approx(expected.p_value)
    nothing = {"a": without_collapsed(scores["a"], np.ones(10)), "b": scores["b"]}
    (unknown,) = verdicts(nothing, [4, 10], 10)
    assert (unknown.word, unknown.replicates) == ("not decided", 0)
    assert math.isnan(unknown.p_value)


def test_the_number_of_further_replicates_would_decide() -> None:
    """Five more by the formula: with eight the t interval at the level of a last look excludes 0."""
    difference = np.array([1.0, -1.0, 2.0]) + 1.2
    scores = {"a": np.zeros((3, 8)), "b": np.repeat(difference[:, None], 8, axis=1)}
    (found,) = verdicts(scores, [3], 10)
    assert found.further is not None
    total = 3 + found.further
    repeated = np.resize(difference, total)
    spread = np.std(difference, ddof=1) / np.std(repeated, ddof=1)
    later = repeated.mean() + (repeated - repeated.mean()) * spread
    later += difference.mean() - later.mean()
    longer = {"a": np.zeros((total, 8)), "b": np.repeat(later[:, None], 8, axis=1)}
    assert verdicts(longer, [3, total], 10)[0].word == "better"


def test_replicates_alone_may_not_do() -> None:
    random = np.random.default_rng(0)
    a = np.repeat(random.normal(size=(1, 10)), 4, axis=0) + 0.01 * random.normal(size=(4, 1))
    (found,) = verdicts({"a": a, "b": np.zeros((4, 10)) + a.mean() + 0.01}, [4], 10)
    assert (found.word, found.further) == ("not decided", None)


@pytest.mark.parametrize("architectures", [2, 3])
def test_looking_after_every_replicate_claims_no_more_than_it_may(architectures: int) -> None:
    studies = 300
    wrong = [
        any(
            one.word == "better" for one in verdicts(made(*[10] * architectures, seed=seed), range(3, 11), 10)
        )
        for seed in range(studies)
    ]
    assert np.mean(wrong) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
