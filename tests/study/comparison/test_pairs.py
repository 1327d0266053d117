"""The verdict in one sentence."""

import math
from types import SimpleNamespace

import pytest

from study.comparison.pairs import lead_sentence


def pair(a: str, b: str, word: str, scope: str = "architecture", value: float = -1.0):
    difference = SimpleNamespace(scope=scope, value=value)
    return SimpleNamespace(a=a, b=b, verdict=SimpleNamespace(word=word, difference=difference))


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([], "Only cgan was tried on fruit."),
        ([pair("cgan", "unet", "better")], "cgan colours fruit best."),
        ([pair("cgan", "unet", "equivalent")], "cgan and unet colour fruit equally well."),
        ([pair("unet", "cgan", "equivalent")], "cgan and unet colour fruit equally well."),
        ([pair("unet", "cgan", "better")], "unet colours fruit best."),
        (
            [pair("cgan", "unet", "better", "these configurations")],
            "cgan colours fruit best, as far as one replicate can tell.",
        ),
        (
            [
                pair("cgan", "unet", "not decided"),
                pair("cgan", "vggunet", "better", "these configurations"),
                pair("cgan", "koalarization", "better", "these configurations"),
            ],
            "It is not decided which architecture colours fruit best: cgan or unet; vggunet and koalarization could "
            "be compared in one replicate alone.",
        ),
        (
            [
                pair("unet", "cgan", "not decided"),
                pair("cgan", "koalarization", "not decided", "these configurations"),
            ],
            "It is not decided which architecture colours fruit best: cgan, unet or koalarization; koalarization "
            "could be compared in one replicate alone.",
        ),
        (
            [
                pair("cgan", "unet", "not decided"),
                pair("cgan", "koalarization", "not decided", "these configurations", math.nan),
            ],
            "It is not decided which architecture colours fruit best: cgan, unet or koalarization.",
        ),
        (
            [
                pair("unet", "cgan", "better"),
                pair("cgan", "vggunet", "better"),
                pair("unet", "vggunet", "not decided"),
            ],
            "It is not decided which architecture colours fruit best: unet or vggunet.",
        ),
    ],
)
def test_the_lowest_mean_is_held_against_each_other_one_once(pairs, sentence):
    """Pairs are compared where both sides have a replicate, so that one may be led by the higher mean."""
    assert lead_sentence("cgan", pairs, "fruit") == sentence
