"""A study that begins with what an earlier one found."""

import pytest
from optuna.storages import InMemoryStorage

from study.driver.starts.warm_start import source_study, warm_configurations
from study.errors import UsageError
from study.search.conductor import Conductor
from study.search.database import best_configurations, open_storage
from study.search.ledger import StudyLedger
from study.search.trial_spec import TrialState
from study.settings.study_folder import StudyHome
from tests.support.simulated import run, study_settings


@pytest.fixture
def earlier(tmp_path):
    home = StudyHome(tmp_path / "earlier")
    home.root.mkdir()
    settings = study_settings(name="earlier", architectures=["unet"])
    home.write_settings(settings)
    ledger, _ = run(settings, storage=open_storage(home.ledger_url(settings)))
    best = {}
    for dataset in settings.datasets:
        complete = ledger.search(f"{dataset}/unet").trials(TrialState.COMPLETE)
        best[dataset] = min(complete, key=lambda trial: trial.best).params
    return best


def test_the_best_configurations_are_tried_first_those_of_the_same_dataset_before_others(earlier, tmp_path):
    settings = study_settings(
        architectures=["unet"],
        search={"warm_start": "earlier", "sampler": "random"},
    )
    found, chosen = source_study(tmp_path, "earlier")
    assert best_configurations(found.ledger_url(chosen), chosen) == {
        "unet": [("fruit", earlier["fruit"]), ("scenes", earlier["scenes"])]
    }
    found = [("scenes", {"learning_rate": 0.002}), ("fruit", {"learning_rate": 0.003})]
    warm = warm_configurations(settings, {"unet": [*found, ("more", {"learning_rate": 1e-3})]})["fruit/unet"]
    assert [one["learning_rate"] for one in warm] == [0.003, 0.002, 1e-3]
    conductor = Conductor(settings, StudyLedger(InMemoryStorage(), settings), warm={"fruit/unet": warm})
    handed_out = [conductor.next() for _ in range(8)]
    begun = [one.params["learning_rate"] for one in handed_out if one.dataset == "fruit"]
    assert begun[:3] == [0.003, 0.002, 1e-3]
    assert begun[3] not in begun[:3]  # the textbook's is not tried again


def test_the_earlier_study_may_be_given_by_its_folder(earlier, tmp_path):
    assert source_study(tmp_path / "elsewhere", str(tmp_path / "earlier"))[1].name == "earlier"


def test_a_study_that_is_not_there_or_lost_its_ledger_is_named(earlier, tmp_path):
    with pytest.raises(UsageError, match=r"no study later .*earlier"):
        source_study(tmp_path, "later")
    (tmp_path / "earlier" / "ledger.db").unlink()
    with pytest.raises(UsageError, match=r"warm_start names earlier, but its ledger .* does not hold"):
        source_study(tmp_path, "earlier")
