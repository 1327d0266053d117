"""The registry of one study: killed uploads are mended, another study's models are left alone."""

import pytest

from study.deployment.mlflow_models import ModelRegistry
from study.errors import UsageError
from study.settings.identity import Identity
from study.tracking.mlflow_client import mlflow_client
from study.tracking.names import IDENTITY_TAG


def test_a_model_whose_upload_was_killed_is_removed_so_that_it_is_uploaded_again(lonely):
    registry, trial = ModelRegistry(lonely), lonely.trials[0]
    client = mlflow_client(lonely.uri)
    killed = client.create_logged_model(
        registry._experiment_id, name="killed", tags={"study.trial": trial.key}, params={}
    )
    assert str(killed.status) == "PENDING"
    assert registry._logged(trial) is None
    assert not client.search_logged_models([registry._experiment_id])


def test_a_registered_model_of_another_study_is_left_alone(lonely):
    client = mlflow_client(lonely.uri)
    client.create_registered_model("theirs-fruit", tags={IDENTITY_TAG: "b" * 32}, description="theirs")
    registry = ModelRegistry(lonely, Identity("a" * 32))
    with pytest.raises(UsageError, match="theirs-fruit that belongs to another study"):
        registry._make_registered("theirs-fruit", "mine")
    assert client.get_registered_model("theirs-fruit").description == "theirs"
    registry._make_registered("mine-fruit", "mine")
    assert client.get_registered_model("mine-fruit").tags[IDENTITY_TAG] == "a" * 32
