import math

import pytest

from study.statistics import decide


@pytest.mark.parametrize(
    ("low", "high", "side", "expected"),
    [
        (1.1, 1.5, "above", "seen"),
        (0.5, 0.9, "above", "not seen"),
        (0.9, 1.1, "above", "not decided"),
        (1.0, 1.5, "above", "not decided"),
        (0.5, 0.9, "below", "seen"),
        (1.1, 1.5, "below", "not seen"),
        (math.nan, 2.0, "above", "not decided"),
    ],
)
def test_three_answers(low: float, high: float, side: str, expected: str) -> None:
    assert decide(low, high, 1.0, side) == expected
