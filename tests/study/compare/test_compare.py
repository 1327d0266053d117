"""`python -m study.compare`: what differs between two studies, and what that did to their results."""

import io

import pytest
from rich.console import Console

from study.compare.__main__ import main
from study.compare.differences import differing_data, differing_settings
from study.compare.results import compare_studies
from study.compare.tables import results_table
from study.comparison.finals import Evidence
from tests.support.recorded_studies import Writer, complete


@pytest.fixture(scope="module")
def narrow_and_wide(store):
    """One question asked twice: the second has a better U-Net, the same Koalarization, and a cGAN."""
    records = []
    for name, error, more in (("narrow", 0.5, []), ("wide", 0.1, ["cgan"])):
        writer = Writer(
            *store,
            name,
            architectures=["koalarization", "unet", *more],
            datasets=["fruit"],
            replicates=4,
            pictures=False,
            training={"ema": 0.9 if more else 0},
        )
        for architecture in writer.settings.architectures:
            for replicate in range(1, 5):
                of_this = error if architecture == "unet" else 0.3
                writer.search("fruit", architecture, [complete(14, architecture)], replicate=replicate)
                writer.final("fruit", architecture, 0, of_this + 0.002 * (replicate % 3), replicate=replicate)
        records.append(writer.close())
    return records


def test_only_settings_of_the_question_are_listed(narrow_and_wide):
    a, b = (record.settings for record in narrow_and_wide)
    found = {one.what: (one.a, one.b) for one in differing_settings(a, b)}
    assert found == {
        "architectures": ("koalarization, unet", "koalarization, unet, cgan"),
        "training.ema": ("0.0", "0.9"),
    }


def test_data_that_differ_are_named(narrow_and_wide):
    a, b = (record.data for record in narrow_and_wide)
    assert differing_data(a, b) == []
    other = {**b, "datasets": {"fruit": {**b["datasets"]["fruit"], "fingerprint": "f" * 64, "train": 61}}}
    assert [one.what for one in differing_data(a, other)] == ["fruit: train", "fruit: fingerprint"]


def test_an_architecture_is_judged_on_the_test_images_of_both(narrow_and_wide):
    rows = {one.architecture: one for one in compare_studies(*map(Evidence, narrow_and_wide))}
    better = rows["unet"].verdict
    assert (better.a, better.b, better.word) == ("second", "first", "better")
    assert rows["unet"].images == 12
    assert rows["koalarization"].verdict.word != "better"
    assert rows["cgan"].why_not == "in one study alone"
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(results_table(("narrow", "wide"), list(rows.values())))
    shown = console.export_text()
    assert "p < 0.001, 12 images" in shown
    assert f"-{-better.difference.value:.2f} [" in shown


def test_results_on_other_images_are_not_tested(narrow_and_wide):
    a, b = map(Evidence, narrow_and_wide)
    b.record.__dict__["settings"] = {**b.record.settings, "model": {"image_size": 64}}
    try:
        assert {one.why_not for one in compare_studies(a, b)} == {"other image size", "in one study alone"}
    finally:
        del b.record.__dict__["settings"]


def test_the_command_prints_differences_results_and_both_answers(narrow_and_wide, store, capsys):
    _, uri = store
    assert main(["narrow", "wide", "--tracking-uri", uri]) == 0
    out = capsys.readouterr().out
    assert "training.ema" in out
    assert "Same data." in out
    assert "narrow, fruit:" in out
    assert "wide, fruit:" in out
    assert main(["narrow", "none", "--tracking-uri", uri]) == 2
    assert "has no study named none" in capsys.readouterr().err
