"""A champion that may be worse than no colour at all is said to be."""

from dataclasses import replace

from models.metrics import OBJECTIVE
from study.comparison.finals import Evidence
from study.comparison.summary import summarise_cell, surely_helps
from study.comparison.table import beats_text
from study.comparison.warning import GREY_COPY, champion_warning
from study.statistics import Interval


def test_only_a_champion_whose_whole_interval_lies_below_the_grey_copy_goes_without_a_warning(whole):
    cell = summarise_cell(Evidence(whole), "fruit", "unet")
    trivial = whole.trivial["fruit"]
    grey = trivial[GREY_COPY][OBJECTIVE]

    def with_interval(value, low, high):
        test = {**cell.test, OBJECTIVE: Interval(value, low, high, "architecture", method="made up")}
        beats = {**cell.beats, GREY_COPY: value < grey}
        return replace(cell, test=test, beats=beats, surely_helps=surely_helps(test, trivial))

    good, unsure, bad = (with_interval(grey + d, grey + d - 2, grey + d + 2) for d in (-3, -1, 1))
    assert champion_warning(whole, good) == ""
    assert "(unet) is not certain to be better than photographs left grey" in champion_warning(whole, unsure)
    assert "(unet) is no better than photographs left grey" in champion_warning(whole, bad)
    assert ["not surely" in beats_text(one) for one in (good, unsure, bad)] == [False, True, False]


def test_a_champion_that_was_not_tested_is_said_to_be_untested(failing):
    assert "has no finals" in champion_warning(failing, summarise_cell(Evidence(failing), "fruit", "cgan"))
