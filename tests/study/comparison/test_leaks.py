"""The verdict with and without test images of the training set, and studies whose objective keeps the luminance."""

import numpy as np
import pytest

from study.comparison.finals import Evidence
from study.comparison.leaks import leaks
from study.reporting.answer import answer


def test_both_tables_are_given_and_the_files_named(replicated):
    found = leaks(Evidence(replicated), "fruit")
    assert found is not None
    assert found.files == ("Cucumber/0.jpg", "Lemon/1.jpg")
    assert [one.a for one in found.pairs[0]] == ["unet", "unet"]
    for with_them, without in found.scores.values():
        assert with_them.value != without.value


def test_the_scores_without_them_are_those_of_the_other_images(replicated):
    evidence = Evidence(replicated)
    clean = evidence.without_leaks()
    for cell, other in zip(evidence.of("fruit"), clean.of("fruit"), strict=True):
        assert np.array_equal(other.scores(), np.delete(cell.scores(), [0, 5], axis=1))
        grey = evidence.trivial("fruit")["grey copy"]
        assert len(other.of_images(grey, "ciede2000")) == other.scores().shape[1]
    assert len(clean.labels("fruit")) == len(evidence.labels("fruit")) - 2


def test_the_answer_says_it_in_a_sentence(replicated, whole):
    sentences = answer(Evidence(replicated), "fruit").sentences
    assert any(
        "2 of 12 test images also stand in the training set" in one and "the verdict is the same" in one
        for one in sentences
    )
    assert not any("training set" in one for one in answer(Evidence(whole), "fruit").sentences)


def test_the_objective_is_what_is_compared(replicated, whole):
    (cell, *_), (pair, *_) = Evidence(replicated).of("fruit"), answer(Evidence(replicated), "fruit").pairs
    assert np.array_equal(cell.scores(), cell.scores("kept_ciede2000"))
    scores = {one.architecture: one.scores("kept_ciede2000") for one in Evidence(replicated).of("fruit")}
    expected = np.nanmean(scores[pair.a]) - np.nanmean(scores[pair.b])
    if "koalarization" not in (pair.a, pair.b):
        assert pair.verdict.difference.value == pytest.approx(expected)
    assert "luminance kept" in answer(Evidence(replicated), "fruit").sentences[0]
    assert "luminance" not in answer(Evidence(whole), "fruit").sentences[0]
