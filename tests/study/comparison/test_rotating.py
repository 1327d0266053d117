"""Studies whose replicates have test images of their own."""

from types import SimpleNamespace

import numpy as np
import pytest

from data_utils.pictures import save_sheet
from study.comparison.control import control_sentence
from study.comparison.finals import Evidence
from study.comparison.pairs import compare_pairs
from study.reporting.categories import categories
from study.reporting.picture_samples import load_pictures, samples
from study.storage.paths import PREDICTIONS, grey_path, truth_path
from tests.support.cell_evidence import trial

TESTS = {1: [0, 2, 4, 6, 8, 10], 2: [1, 3, 5, 7, 9, 11]}
"""Positions by replicate."""


def record(tmp_path):
    """Two architectures, of which the second has a final in the first replicate alone; pictures show positions."""

    def final(name, replicate):
        known = {"replicate": replicate, "run_id": f"{name}-{replicate}", "best": 10.0 + replicate}
        return trial(architecture=name, role="final", collapsed=False, **known)

    finals = {"unet": [final("unet", 1), final("unet", 2)], "cgan": [final("cgan", 1)]}

    def evaluation(one):
        index = np.array(TESTS[one.replicate])
        error = index + (0.5 if one.architecture == "cgan" else 0.0)
        return {"index": index, "ciede2000": error, "kept_ciede2000": error, "a_star_error": 0.0 * error}

    def trivial_evaluation(dataset, name, replicate):
        index = np.array(TESTS[replicate])
        return {"index": index, "ciede2000": index + 20.0}

    def download(run, path, folder):
        numbers = {run: TESTS[int(run[-1])]} if path == PREDICTIONS else {
            made("fruit", replicate): test for replicate, test in TESTS.items() for made in (grey_path, truth_path)
        }  # fmt: skip
        pictures = np.zeros((6, 8, 8, 3), np.uint8)
        pictures += (
            np.array(numbers[run if path == PREDICTIONS else path], np.uint8)[:, None, None, None] * 20
        )
        save_sheet(folder / "sheet.jpg", pictures)
        return folder / "sheet.jpg"

    return SimpleNamespace(
        cells=[("fruit", "unet"), ("fruit", "cgan")],
        settings={"datasets": {"fruit": {}}, "architectures": ["unet", "cgan"]},
        data={"datasets": {"fruit": {"categories": ["even", "odd"]}}},
        trivial={"fruit": {"grey copy": {}}},
        replicates=2,
        rotates=True,
        looks=[],
        objective="ciede2000",
        finals=lambda dataset, name: finals[name],
        evaluation=evaluation,
        trivial_evaluation=trivial_evaluation,
        test_images=lambda dataset, replicate: (
            [f"{position}.png" for position in TESTS[replicate]],
            [position % 2 for position in TESTS[replicate]],
        ),
        run_id=lambda key: "study-1",
        download=download,
    )


@pytest.fixture
def evidence(tmp_path):
    return Evidence(record(tmp_path))


def test_scores_of_all_architectures_are_of_the_same_images(evidence):
    unet, cgan = evidence.of("fruit")
    assert unet.images.tolist() == cgan.images.tolist() == list(range(12))
    assert np.nanmax(unet.scores(), axis=0).tolist() == list(range(12))
    assert np.isnan(cgan.scores()[0, 1::2]).all()
    assert evidence.trivial("fruit")["grey copy"]["ciede2000"].tolist() == [20.0 + one for one in range(12)]
    assert evidence.labels("fruit").tolist() == [0, 1] * 6


def test_an_architecture_without_a_replicate_is_compared_where_both_are(evidence):
    (pair,) = compare_pairs(evidence, "fruit")
    assert (pair.a, pair.b) == ("unet", "cgan")
    assert pair.verdict.difference.value == pytest.approx(-0.5)


def test_pictures_and_categories_are_of_every_replicates_images(evidence):
    pictures = load_pictures(evidence, "fruit")
    assert pictures is not None
    for shown in (pictures.truth, pictures.predictions["unet"]):
        assert np.abs(shown[:, 0, 0, 0].astype(int) - 20 * np.arange(12)).max() <= 3
    assert pictures.errors["unet"].tolist() == list(range(12))
    assert np.isnan(pictures.errors["cgan"][1::2]).all()
    assert [one.images for one in categories(evidence, "fruit", pictures)] == [6, 6]
    chosen = samples(evidence, "fruit", pictures)
    assert {one.file for one in chosen} <= {f"{position}.png" for position in TESTS[1]}  # both have these
    assert (chosen[0].file, chosen[-1].file) == ("0.png", "10.png")


def test_controls_are_compared_on_the_images_of_each_replicate(tmp_path):
    rotating = record(tmp_path)
    known = rotating.evaluation

    def evaluation(one):
        """The second replicate has an image less; controls err by 2 more."""
        there = slice(-1) if one.replicate == 2 else slice(None)
        more = 2.0 if one.role == "control" else 0.0
        return {
            name: values[there] + (more if "ciede2000" in name else 0) for name, values in known(one).items()
        }

    rotating.evaluation = evaluation
    rotating.controls = lambda dataset, name: [
        trial(architecture=name, role="control", replicate=replicate, controls=0)
        for replicate in (1, 2)
        if name == "unet"
    ]
    sentence = control_sentence(Evidence(rotating), "fruit")
    assert "+2.00 [+2.00, +2.00] beside unet: unet itself made the difference" in sentence
