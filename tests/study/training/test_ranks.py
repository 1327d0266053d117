"""A trial on several processes, here two on the CPU: as on one, and an end for all when one is lost."""

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_utils.load_dataset import load_dataset
from models.architectures import architecture
from models.collectives import total
from models.vgg import vgg16_describer
from study.errors import StudyError
from study.search.cells import Stage
from study.search.trial_spec import TrialSpec
from study.settings.identity import NOBODY
from study.settings.schema import StudySettings
from study.training.data import TrialData
from study.training.features import opened_features
from study.training.ranks import Leader, Work
from study.training.trial import Trial
from tests.support.together import die_leading

CPU = torch.device("cpu")
EPOCHS = 2
NAMES = ("koalarization", "unet", "cgan", "vggunet")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return load_dataset("drawn:fruit", 32, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def describers():
    return {kind: vgg16_describer(kind, "random") for kind in ("vector", "maps")}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return StudySettings(
        datasets={"fruit": {"root": "drawn:fruit", "train_limit": 14, "validation_limit": 4}},
        model={"image_size": 32, "width": 4, "batch_size": 5, "device": "cpu"},
        budget={"epochs": EPOCHS},
        storage=str(tmp_path_factory.mktemp("storage")),
    )


@pytest.fixture(scope="module")
def begin(settings, images, describers):
    """Builds a trial, with a leader in two processes."""

    def build(name, number, rank=None):
        textbook = dict(architecture(name).textbook)
        spec = TrialSpec("fruit", name, Stage.SEARCH, number, textbook, seed=5, epochs=EPOCHS)
        describer = describers.get(spec.network.features)
        features = () if describer is None else opened_features(None, lambda: describer, CPU)
        data = TrialData(images, *features)
        if rank is None:
            return Trial(settings, spec, data)
        with rank.beginning(Work(settings, spec, NOBODY, images.source, None, describer)):
            return Trial(settings, spec, data, NOBODY, rank)

    return build


@pytest.fixture(scope="module")
def together(begin):
    """What trials of two processes report: of each architecture, and one that goes on from its first epoch."""
    leader = Leader(2, CPU)
    try:
        reports = {name: finish(begin(name, 1, leader)) for name in NAMES}
        begin("cgan", 2, leader).advance()
        resumed = begin("cgan", 2, leader)
        assert resumed.epoch == 1
        return {**reports, "resumed cgan": finish(resumed)}
    finally:
        leader.end()


def finish(trial):
    reports = []
    while trial.epoch < EPOCHS:
        reports += trial.advance()[0]
    return [{name: value for name, value in one.items() if "seconds" not in name} for one in reports]


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_of_two_processes_equals_that_of_one(name, begin, together):
    for ours, alone in zip(together[name], finish(begin(name, 0)), strict=True):
        assert ours == pytest.approx(alone, rel=1e-3, abs=1e-5)


def test_a_trial_of_two_processes_goes_on_from_its_checkpoint(together):
    assert together["resumed cgan"] == together["cgan"]


@pytest.fixture
def short_lived():
    """A leader for a test that loses its follower, and the follower's process."""
    one = Leader(2, CPU)
    yield one, one._followers[0].process
    one.end()


def test_a_process_that_fails_is_told_with_its_reason(begin, images, settings, short_lived):
    leader, follower = short_lived
    elsewhere = replace(images.source, folder="/nowhere", key="none")
    work = Work(settings, begin("unet", 3)._spec, NOBODY, elsewhere)
    with (
        pytest.raises(StudyError, match=r"GPU 1 of this trial failed \(StudyError: The images of fruit"),
        leader.beginning(work),
    ):
        pass
    assert follower.exitcode is not None


def test_a_process_that_is_lost_in_an_epoch_fails_the_trial(begin, short_lived):
    leader, follower = short_lived
    trial = begin("unet", 4, leader)
    step = trial.learner.train_step

    def fatal(batch):
        follower.kill()
        return step(batch)

    trial.learner.train_step = fatal
    with pytest.raises(StudyError, match="GPU 1 of this trial ended with exit code -9"):
        trial.advance()
    assert total(torch.ones(1)) == 1  # alone again


def test_a_follower_ends_with_its_leader():
    ours, theirs = multiprocessing.Pipe()
    leader = multiprocessing.get_context("spawn").Process(target=die_leading, args=(theirs,))
    leader.start()
    follower = ours.recv()
    leader.join()
    for _ in range(600):
        if not Path(f"/proc/{follower}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the follower goes on")
