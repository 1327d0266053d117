"""Seeds, replicates and controls: of new studies, and of those that were started before there were any."""

import pytest
import yaml

from study.driver.resume import resumed
from study.errors import UsageError
from study.settings.schema import StudySettings, cell_key
from study.settings.sources import load_settings, preset_names, preset_or_file, stored_settings
from study.settings.study_folder import StudyHome

CONTENT = {"name": "mine", "datasets": {"fruit": {"root": "drawn:fruit"}}, "architectures": ["unet"]}


def test_a_study_draws_its_seed_and_keeps_it(tmp_path):
    first, second = load_settings(CONTENT, {}), load_settings(CONTENT, {})
    assert first.seed != second.seed
    home = StudyHome(tmp_path / "mine")
    home.write_settings(first)
    assert resumed(tmp_path, "mine", None, {})[0] == first
    assert resumed(tmp_path, None, second, {})[0].seed == first.seed  # the same file again, without a seed
    with pytest.raises(UsageError, match=r"seed is 4, but was"):
        resumed(tmp_path, "mine", None, {"seed": 4})


def test_a_given_seed_is_taken():
    assert load_settings(CONTENT, {"seed": 4}).seed == 4
    assert all("seed" not in yaml.safe_load(preset_or_file(name).read_text()) for name in preset_names())


def test_an_earlier_study_has_one_replicate_and_no_controls(tmp_path):
    home = StudyHome(tmp_path / "mine")
    home.write_settings(StudySettings(**CONTENT, seed=0))
    stored = yaml.safe_load(home.settings_file.read_text())
    for key in ("replicates", "controls", "splits", "verdict"):
        del stored[key]
    home.settings_file.write_text(yaml.safe_dump(stored))
    assert stored_settings(home.settings_file).replicates == 1
    given = load_settings(CONTENT, {})  # a file that never spoke of replicates
    for settings in (resumed(tmp_path, "mine", None, {})[0], resumed(tmp_path, None, given, {})[0]):
        assert (settings.replicates, settings.controls, settings.splits.test) == (1, False, "given")
    assert resumed(tmp_path, "mine", None, {"replicates": 4, "controls": True})[0].replicates == 4


def test_replicates_may_only_grow(tmp_path):
    StudyHome(tmp_path / "mine").write_settings(StudySettings(**CONTENT, replicates=4))
    assert resumed(tmp_path, "mine", None, {"replicates": 5})[0].replicates == 5
    with pytest.raises(UsageError, match=r"replicates is 3, but the study was run with 4; it can only grow"):
        resumed(tmp_path, "mine", None, {"replicates": 3})


@pytest.mark.parametrize(
    ("flags", "key"),
    [
        ({"verdict": {"margin": 1.0}}, "verdict.margin"),
        ({"verdict": {"most_replicates": 20}}, "verdict.most_replicates"),
        ({"splits": {"test": "rotate"}}, "splits.test"),
    ],
)
def test_what_a_verdict_rests_on_is_fixed_before_the_first_result(tmp_path, flags, key):
    StudyHome(tmp_path / "mine").write_settings(StudySettings(**CONTENT))
    with pytest.raises(UsageError, match=key):
        resumed(tmp_path, "mine", None, flags)
    assert resumed(tmp_path, "mine", None, {"verdict": {"until": "decided"}})[0].verdict.until == "decided"


def test_more_replicates_than_there_may_be_are_refused():
    with pytest.raises(UsageError, match=r"replicates is 12, but verdict.most_replicates 10"):
        load_settings(CONTENT, {"replicates": 12})


def test_keys_of_the_first_replicate_are_spelled_as_ever():
    assert cell_key("fruit", "unet", 1) == cell_key("fruit", "unet") == "fruit/unet"
    assert cell_key("fruit", "unet", 2) == "fruit/unet/replicate-2"
