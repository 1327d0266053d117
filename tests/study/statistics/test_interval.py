import math

from study.statistics import Interval


def test_bounds_end_where_values_do():
    wide = Interval(0.2, -0.3, 0.7, "architecture", "t")
    assert wide.within(0, 1) == Interval(0.2, 0, 0.7, "architecture", "t")
    assert wide.within(-math.inf, 0.5).high == 0.5


def test_absent_bounds_stay_absent():
    found = Interval(0.2, math.nan, math.nan, "architecture", "t").within(0, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
