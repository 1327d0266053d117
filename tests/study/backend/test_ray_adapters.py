"""What a failing trial means: retried by Tune, handed out again, told FAIL, or the end of the driver."""

import traceback
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.tune.experiment import Trial

from study.backend.ray_adapters import SPEC, LedgerScheduler
from study.errors import StudyError
from study.search.cells import Stage
from study.search.trial_spec import TrialSpec
from study.storage.storage import StorageError

WORK = TrialSpec("fruit", "unet", Stage.SEARCH, 3, {"learning_rate": 1e-3}, 5, 10)


class Told:
    """A conductor that writes down what it is told."""

    def __init__(self):
        self.failed: list[tuple[TrialSpec, str]] = []
        self.handed_out_again: list[TrialSpec] = []

    def fail(self, spec, reason):
        self.failed.append((spec, reason))

    def hand_out_again(self, spec):
        self.handed_out_again.append(spec)


@pytest.fixture
def failing(tmp_path: Path):
    def make(status: str, left: int, text: str = "ValueError: no such luck") -> SimpleNamespace:
        (tmp_path / "error.txt").write_text(f"Traceback\n  File …\n{text}\n")
        return SimpleNamespace(
            status=status,
            max_failures=2,
            should_recover=lambda: left > 0,
            config={SPEC: asdict(WORK)},
            error_file=str(tmp_path / "error.txt"),
        )

    return make


def test_a_trial_that_tune_has_queued_again_is_left_to_it(failing):
    told = Told()
    LedgerScheduler(told).on_trial_error(None, failing(Trial.ERROR, left=1))
    assert not told.failed + told.handed_out_again


def test_a_trial_that_failed_too_often_is_told_with_its_reason(failing):
    told = Told()
    LedgerScheduler(told).on_trial_error(None, failing(Trial.RUNNING, left=0))
    assert told.failed == [(WORK, "ValueError: no such luck")]


def test_a_process_that_died_before_the_trial_began_costs_it_a_retry_but_not_for_ever(failing):
    told = Told()
    scheduler = LedgerScheduler(told)
    for _ in range(3):
        scheduler.on_trial_error(None, failing(Trial.PENDING, left=2))
    assert told.handed_out_again == [WORK, WORK]
    assert told.failed == [(WORK, "ValueError: no such luck")]


def test_a_storage_that_cannot_be_used_ends_the_driver_and_no_trial(failing):
    told = Told()
    scheduler = LedgerScheduler(told)
    error = StorageError("Cannot save 'trials/3' in storage /full: the disk is full.")
    text = "".join(traceback.format_exception_only(error)).strip()
    with pytest.raises(StudyError, match=r"^Cannot save .*--resume\.$"):
        scheduler.on_trial_error(None, failing(Trial.RUNNING, left=0, text=text))
    assert isinstance(scheduler.error, StudyError)
    assert not told.failed + told.handed_out_again
