"""A trial's files say where they come from, and others are refused."""

from dataclasses import replace

import pytest

from models.checkpoint import load_weights, save_weights
from models.metrics.evaluation import evaluation_metadata
from study.errors import StudyError
from study.search.cells import Stage
from study.settings.identity import Identity
from study.storage.paths import EVALUATION, WEIGHTS
from study.training.trial import Trial
from tests.study.training.test_trial import data, finish, settings, spec  # noqa: F401

MINE, THEIRS, OLD = Identity("a" * 32), Identity("b" * 32), Identity("c" * 32, adopted=True)


@pytest.mark.parametrize(
    ("changes", "study", "what"),
    [
        ({}, THEIRS, "it belongs to another study"),
        ({"params": {"learning_rate": 0.5}}, MINE, "its parameters are"),
        ({"seed": 6}, MINE, "its seed is 5, not 6"),
    ],
)
def test_a_checkpoint_of_another_study_configuration_or_seed_is_refused(
    settings,  # noqa: F811
    data,  # noqa: F811
    changes,
    study,
    what,
):
    Trial(settings, spec(), data, MINE).advance()
    assert Trial(settings, spec(), data, MINE).epoch == 1
    with pytest.raises(StudyError, match=rf"checkpoint trials/fruit/unet/0/.* is not of this trial .*{what}"):
        Trial(settings, replace(spec(), **changes), data, study)


def test_pretrained_weights_and_evaluations_of_another_study_are_refused(settings, data):  # noqa: F811
    finish(Trial(settings, spec(), data, MINE))
    start = replace(spec("cgan", generator_init="unet"), generator_from=0)
    Trial(settings, start, data, MINE)
    with pytest.raises(StudyError, match=r"weights file .*another study"):
        Trial(settings, start, data, THEIRS)
    final = spec(stage=Stage.FINAL)
    finish(Trial(settings, final, data, MINE))
    files = Trial(settings, final, data, MINE)._files
    file = files.storage.get_file(f"{files.folder}/{EVALUATION}", into=None)
    assert evaluation_metadata(file)["study"] == MINE.key
    files._origin = replace(files._origin, study=THEIRS)
    with pytest.raises(StudyError, match=r"evaluation .*another study"):
        files.evaluation()


def test_files_without_an_origin_are_taken_by_a_study_from_before_there_were_any_alone(settings, data):  # noqa: F811
    finish(Trial(settings, spec(), data, MINE))
    files = Trial(settings, spec(), data, MINE)._files
    file = files.storage.get_file(f"{files.folder}/{WEIGHTS}", into=None)
    save_weights(file, load_weights(file)[0], {"trial": "fruit/unet/0"})
    start = replace(spec("cgan", generator_init="unet"), generator_from=0)
    Trial(settings, start, data, OLD)
    with pytest.raises(StudyError, match="does not say which study"):
        Trial(settings, start, data, MINE)
