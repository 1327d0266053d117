"""Checkpoints do not fill the disk."""

from __future__ import annotations

from study.clean import main as clean
from tests.support.bad_input.case import Case, Line, existing

_RETENTION = "tests/study/driver/test_retention.py"

LINES = [
    Line(
        "what trials keep, and study.clean",
        [
            f"{_RETENTION}::test_a_trial_keeps_its_checkpoint_as_long_as_it_may_go_on",
            f"{_RETENTION}::test_a_finished_study_keeps_what_an_extension_needs",
            f"{_RETENTION}::test_clean_frees_checkpoints_and_the_table_and_the_models_stay",
            f"{_RETENTION}::test_clean_with_keep_champions_leaves_the_champions_alone",
        ],
        [
            Case(
                "the checkpoints of a study that does not exist",
                existing("--name", "yours"),
                "mine",
                command=clean,
            ),
            Case("checkpoints outside of the home", lambda _: ["--name", "../x"], "../x", command=clean),
        ],
    ),
]
