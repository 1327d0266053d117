"""Addresses of runs, and signs as they are printed."""

from __future__ import annotations

import pytest

from study.reporting.interactive.run_pages import LOCAL_PAGES, pages_address, run_page
from study.reporting.interactive.trial_table import trial_label
from study.reporting.interactive.typography import with_real_minus
from tests.support.cell_evidence import trial


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sqlite:////home/me/runs/demo/mlflow.db", LOCAL_PAGES),
        ("https://me:secret@tracker.example/mlflow/", "https://tracker.example/mlflow"),
        ("http://tracker:5000", "http://tracker:5000"),
    ],
)
def test_a_run_has_a_page_without_passwords_and_folders(uri, address):
    assert pages_address(uri) == address
    one = trial(3, experiment_id="7", run_id="abc")
    assert run_page(uri, one) == f"{address}/#/experiments/7/runs/abc"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("<td>-0.50 [-1.2, 0.1]</td>", "<td>−0.50 [−1.2, 0.1]</td>"),
        ("<p>1e-05 to 1e-2</p>", "<p>1e−05 to 1e−2</p>"),
        (
            "<p>2026-11-26, image-5.jpg, a/-7.jpg, U-Net</p>",
            "<p>2026-11-26, image-5.jpg, a/-7.jpg, U-Net</p>",
        ),
        ("<p>9d3e-4a1b-8c3e-41d0</p>", "<p>9d3e-4a1b-8c3e-41d0</p>"),
        ('<i class="n -1">-1</i>', '<i class="n -1">−1</i>'),
        ("<script>x = -1 < -2</script><code>-1</code>", "<script>x = -1 < -2</script><code>-1</code>"),
    ],
)
def test_numbers_have_a_real_minus_and_names_keep_their_hyphen(typed, printed):
    assert with_real_minus(typed) == printed


def test_trials_of_several_replicates_are_told_apart():
    one, other = trial(3), trial(3, replicate=2)
    assert trial_label(one, [one]) == "3"
    assert trial_label(other, [one, other]) == "2/3"
