"""The ledger's database: what it writes by itself is what Optuna would have written."""

import math

import optuna
import psycopg
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from study.search.database import open_storage
from study.settings.study_folder import sqlite_url

SPACE = {
    "learning_rate": FloatDistribution(1e-5, 1e-2, log=True),
    "generator_init": CategoricalDistribution(["scratch", "unet"]),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    address = request.getfixturevalue("postgres")
    with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE written")
    return f"postgresql+psycopg://{address}/written"


def write_trials(study):
    """A trial in every state, with every kind of value; every write is done twice where that is allowed."""
    study.set_user_attr("fingerprint", {"images": 3})
    for number in range(6):
        if number % 2:
            study.enqueue_trial(
                {"learning_rate": 1e-3, "generator_init": "scratch"}, user_attrs={"seed": number}
            )
        trial = study.ask(SPACE)
        assert trial.number == number
        for attribute in ("127.0.0.1", ["127.0.0.1", "10.0.0.2"]):
            trial.set_user_attr("nodes", attribute)
        for step, value in enumerate((9.5, math.inf, -math.inf, math.nan, 0.1 + 0.2)):
            trial.report(value, step)
    for number, state in enumerate((TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)):
        study.tell(number, 0.1 + 0.2 if state is TrialState.COMPLETE else None, state)
    study.tell(3, math.inf)
    study.enqueue_trial({"learning_rate": 1e-4, "generator_init": "unet"})


def contents(trial):
    # As text, since NaN differs from itself.
    return vars(trial) | {"intermediate_values": repr(trial.intermediate_values)}


def test_optuna_reads_everything_that_the_ledger_wrote(url):
    study = optuna.create_study(
        study_name="cell",
        storage=open_storage(url),
        sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=1),
    )
    write_trials(study)
    plain = optuna.load_study(study_name="cell", storage=RDBStorage(url))
    assert [contents(trial) for trial in plain.get_trials()] == [
        contents(trial) for trial in study.get_trials()
    ]
    assert plain.user_attrs == study.user_attrs == {"fingerprint": {"images": 3}}
    assert plain.trials[1].user_attrs["nodes"] == ["127.0.0.1", "10.0.0.2"]
    with pytest.raises(UpdateFinishedTrialError):
        study._storage.set_trial_user_attr(study.trials[0]._trial_id, "late", True)

    again = optuna.load_study(study_name="cell", storage=open_storage(url))
    assert [contents(one) for one in again.get_trials()] == [contents(one) for one in plain.get_trials()]
    assert again.ask(SPACE).number == 6  # the one that waits
    assert again.ask(SPACE).number == 7
    assert [trial.state.name for trial in RDBStorage(url).get_all_trials(again._study_id)][5:] == [
        "RUNNING"
    ] * 3
