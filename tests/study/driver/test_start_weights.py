"""A study that fine-tunes an earlier model."""

import json

import pytest

from models.architectures import architecture, seeded_build
from models.colorizer import Colorizer, ColorizerConfig
from models.settings import ModelSettings
from models.vgg import vgg16_describer
from study.driver.starts.start_weights import check_start, place_start, start_sentence
from study.errors import UsageError
from study.settings.schema import StudySettings
from study.storage.storage import Storage
from tests.support.synthetic import CPU

ORIGIN = {"dataset": "orchard", "data_fingerprint": "abc", "device_seconds": 12.0}


def model(folder, name="vggunet", width=2, target="luma_kept", **parameters):
    definition = architecture(name)
    given = {**definition.textbook, **parameters}
    learner = seeded_build(definition, ModelSettings(width=width, target=target), given, CPU, 0)
    describer = vgg16_describer(definition.features, "random") if definition.features else None
    config = ColorizerConfig(
        name,
        width,
        32,
        vgg16="random" if describer else "",
        origin=ORIGIN,
        parameters=given,
        target=target,
    )
    Colorizer(config, learner.generator_tensors(), describer, CPU).save(folder)
    return str(folder)


def settings(start, **changed):
    content = {
        "datasets": {"fruit": {"root": "drawn:fruit"}},
        "architectures": ["unet", "vggunet"],
        "model": {"image_size": 32, "width": 2, "start_from": start},
        "training": {"target": "luma_kept"},
    }
    return StudySettings(**{**content, **changed})


def test_only_options_whose_network_takes_the_weights_are_searched(tmp_path):
    narrowed = check_start(settings(model(tmp_path / "earlier", loss="mse")))
    assert narrowed.search.space == {"vggunet": {"loss": ["l1", "mse"]}}
    assert StudySettings(**narrowed.model_dump(mode="json")) == narrowed
    with pytest.raises(UsageError, match=r"fit loss mse alone; let search\.space\.vggunet\.loss have it"):
        check_start(settings(str(tmp_path / "earlier"), search={"space": {"vggunet": {"loss": ["bins"]}}}))


def test_the_weights_are_kept_with_the_study_and_told_with_their_cost(tmp_path):
    chosen, storage = settings(model(tmp_path / "earlier")), Storage(str(tmp_path / "storage"))
    start = place_start(chosen, storage)
    assert start == {"architecture": "vggunet", "from": str(tmp_path / "earlier"), **ORIGIN}
    (tmp_path / "earlier" / "config.json").unlink()
    assert place_start(chosen, storage) == start  # a study that goes on needs the folder no more
    told = start_sentence(start, {"fruit": "other"})
    assert "which took 12 device-seconds" in told
    assert "may be among the test images" in told
    assert "may be among" not in start_sentence(start, {"fruit": "abc"})
    assert json.dumps(start)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"architectures": ["unet"]}, "none of the architectures"),
        ({"training": {"target": "rgb"}}, "training.target is luma_kept, not rgb"),
        ({"model": {"width": 4}}, "model.width is 2, not 4"),
    ],
)
def test_a_model_that_does_not_fit_the_study_is_refused_by_name(tmp_path, changed, sentence):
    chosen = settings(model(tmp_path / "earlier"))
    for section, values in changed.items():
        update = values if isinstance(values, list) else getattr(chosen, section).model_copy(update=values)
        chosen = chosen.model_copy(update={section: update})
    with pytest.raises(UsageError, match=sentence):
        check_start(chosen)


def test_without_a_start_nothing_is_looked_for(tmp_path):
    chosen = settings(None)
    assert check_start(chosen) is chosen
    assert place_start(chosen, Storage(str(tmp_path))) == {}
