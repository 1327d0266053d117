"""What cells and models cost, and champions that are too slow."""

from types import SimpleNamespace

import pytest

from study.comparison.selection import champion_of, latency_sentence, too_slow
from study.comparison.summary import summarise_study
from study.comparison.table import table_rows


def limited(record, latency):
    """The same study with a constraint."""
    settings = {**record.settings, "verdict": {**record.settings["verdict"], "latency_ms": latency}}
    names = ("cells", "usage", "finals", "search", "replicates")
    return SimpleNamespace(settings=settings, **{name: getattr(record, name) for name in names})


def test_search_and_finals_are_charged_apart(whole):
    for one in summarise_study(whole):
        assert one.search_seconds == sum(
            trial.device_seconds for trial in whole.search(one.dataset, one.architecture)
        )
        assert one.final_seconds == 2 * 4.0
        assert one.final_epochs == 2 * 4
        assert one.device_seconds == one.search_seconds + one.final_seconds


def test_using_a_model_has_columns_of_its_own(whole):
    row = table_rows(whole.trivial, summarise_study(whole))[1]
    shown = [row[name] for name in ("weights", "multiply_adds", "milliseconds", "peak_bytes")]
    assert shown == ["1.00 M", "2 M", "4.0", "4"]


@pytest.mark.parametrize(
    ("latency", "champion"), [(None, "unet"), (4.5, "unet"), (3.5, "koalarization"), (1.0, None)]
)
def test_a_champion_keeps_the_time_that_it_is_given(whole, latency, champion):
    record = limited(whole, latency)
    found = champion_of(record, "fruit")
    assert (found and found.architecture) == champion


def test_who_is_too_slow_is_told(whole):
    assert latency_sentence(limited(whole, None)) == ""
    assert list(too_slow(limited(whole, 4.5))) == ["cgan"]
    assert latency_sentence(limited(whole, 4.5)) == (
        "cgan (5.0 ms an image) cannot be champion within verdict.latency_ms 4.5."
    )
    assert "so there is none" in latency_sentence(limited(whole, 1.0))
