import math

import pytest

from study.statistics import shaffer


def test_one_pair_needs_no_correction() -> None:
    assert shaffer([0.03]) == [0.03]
    assert shaffer([]) == []


def test_three_pairs_by_hand() -> None:
    """Of three architectures at most one pair is equal once another differs."""
    assert shaffer([0.04, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.03])
    assert shaffer([0.9, 0.8, 0.5]) == [1, 1, 1]


def test_six_pairs_have_shaffers_own_numbers() -> None:
    """Table 2 of the paper: with four means at most 6, 3, 3, 3, 2 and 1 hypotheses can be true."""
    p_values = [0.001, 0.002, 0.003, 0.004, 0.02, 0.05]
    assert shaffer(p_values) == pytest.approx([0.006, 0.006, 0.009, 0.012, 0.04, 0.05])


def test_a_test_that_could_not_be_made_is_none_and_still_a_pair() -> None:
    corrected = shaffer([math.nan, 0.02, 0.03])
    assert math.isnan(corrected[0])
    assert corrected[1:] == pytest.approx([0.06, 0.06])


def test_only_all_pairs_can_be_corrected() -> None:
    with pytest.raises(ValueError, match="2 p-values are not all pairs"):
        shaffer([0.1, 0.2])
