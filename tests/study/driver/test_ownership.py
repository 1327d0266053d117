"""Two studies of one name never meet: in the ledger, the storage, MLflow or its model registry."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from mlflow import MlflowClient

from study.driver.launching import new_launch, resumed_launch
from study.driver.ownership.claims import check_ownership, take_ownership
from study.errors import StudyError, UsageError
from study.search.attributes import IDENTITY
from study.search.database import open_storage, owners
from study.search.ledger import StudyLedger
from study.settings.identity import read_identity
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome, sqlite_url
from study.storage.owner import OWNER, storage_owner
from study.storage.storage import Storage
from study.tracking.delivery import deliver_all
from study.tracking.mlflow_runs import MlflowRuns, connect_tracker
from study.tracking.names import IDENTITY_TAG
from study.tracking.outbox import Outbox
from study.tracking.record import StudyRecord
from study.tracking.tracker import Tracker
from tests.conftest import run_module

PHOTOS = {
    "name": "photos",
    "datasets": {"fruit": {"root": "drawn:fruit"}},
    "architectures": ["unet"],
    "model": {"image_size": 16, "width": 2, "device": "cpu"},
}


def begun(folder: Path, **addresses: object) -> tuple[StudySettings, StudyHome]:
    """A study named photos that has written to everything it owns."""
    settings = StudySettings(**PHOTOS, **addresses)
    home = StudyHome(folder / "photos")
    check_ownership(settings, home)
    home.root.mkdir(parents=True, exist_ok=True)
    ledger = StudyLedger(open_storage(home.ledger_url(settings)), settings)
    take_ownership(settings, home, ledger)
    home.write_settings(settings)
    outbox = Outbox(home.outbox)
    Tracker(outbox).open_study({}, {})
    deliver_all(outbox, lambda: connect_tracker(settings, home), print)
    return settings, home


@pytest.fixture
def postgres_ledger(postgres):
    with psycopg.connect(f"postgresql://{postgres}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS owned")
        connection.execute("CREATE DATABASE owned")
    return f"postgresql+psycopg://{postgres}/owned"


@pytest.mark.parametrize("place", ["ledger", "postgres", "storage", "database", "server"])
def test_a_second_study_of_the_name_is_refused_before_anything_is_written(tmp_path, request, place):
    addresses = {
        "ledger": lambda: {"ledger": sqlite_url(tmp_path / "shared.db")},
        "postgres": lambda: {"ledger": request.getfixturevalue("postgres_ledger")},
        "storage": lambda: {"storage": str(tmp_path / "shared")},
        "database": lambda: {"tracking": {"uri": sqlite_url(tmp_path / "shared.db")}},
        "server": lambda: {"tracking": {"uri": request.getfixturevalue("mlflow_server").uri}},
    }[place]()
    settings, home = begun(tmp_path / "mine", **addresses)
    check_ownership(settings, home)  # the study itself goes on
    with pytest.raises(UsageError, match=r"belongs? to another study; choose another --name") as refusal:
        new_launch(PHOTOS | addresses, {}, home=tmp_path / "theirs")
    assert len(str(refusal.value).splitlines()) == 1
    assert not (tmp_path / "theirs").exists()


def test_a_registered_model_of_another_study_is_refused(tmp_path):
    uri = sqlite_url(tmp_path / "mlflow.db")
    MlflowClient(uri, uri).create_registered_model("photos-fruit")
    with pytest.raises(UsageError, match="a registered model photos-fruit that belongs to another study"):
        new_launch(PHOTOS | {"tracking": {"uri": uri}}, {}, home=tmp_path / "runs")


def test_everything_that_a_study_owns_carries_its_identity(tmp_path):
    settings, home = begun(tmp_path)
    identity = read_identity(home.root)
    assert identity is not None
    assert not identity.adopted
    assert set(owners(home.ledger_url(settings), "photos").values()) == {identity.key}
    assert storage_owner(Storage(home.storage_uri(settings))) == identity.key
    client = MlflowClient(home.tracking_uri(settings))
    assert client.get_experiment_by_name("photos").tags[IDENTITY_TAG] == identity.key


def test_a_removed_folder_leaves_its_shared_storage_to_whom_it_belongs(tmp_path):
    _, home = begun(tmp_path, storage=str(tmp_path / "shared"))
    home.root.rename(tmp_path / "removed")
    with pytest.raises(UsageError, match=r"The storage .*shared/photos holds files that belongs? to another"):
        new_launch(PHOTOS | {"storage": str(tmp_path / "shared")}, {}, home=tmp_path)


def test_a_study_that_was_stopped_in_the_middle_of_beginning_begins_again(tmp_path):
    _, home = begun(tmp_path)
    before = read_identity(home.root)
    home.settings_file.unlink()
    new_launch(PHOTOS, {}, home=tmp_path)
    begun(tmp_path)
    assert read_identity(home.root) == before


@pytest.mark.parametrize("place", ["ledger", "storage", "tracking"])
def test_resume_refuses_what_belongs_to_another_study(tmp_path, place):
    begun(tmp_path / "theirs")
    begun(tmp_path / "mine")
    theirs = tmp_path / "theirs" / "photos"
    address = {
        "ledger": sqlite_url(theirs / "ledger.db"),
        "storage": str(tmp_path / "shared"),
        "tracking": {"uri": sqlite_url(theirs / "mlflow.db")},
    }[place]
    if place == "storage":
        (tmp_path / "shared").mkdir()
        (theirs / "storage").rename(tmp_path / "shared" / "photos")
    with pytest.raises(UsageError, match=r"belongs? to another study"):
        resumed_launch(None, {place: address}, home=tmp_path / "mine", name="photos")


def test_a_study_from_before_identities_adopts_one_and_refuses_others_from_then_on(tmp_path):
    settings, home = begun(tmp_path)
    make_old(settings, home)
    resumed_launch(None, {}, home=tmp_path, name="photos")
    ledger = StudyLedger(open_storage(home.ledger_url(settings)), settings)
    identity = take_ownership(settings, home, ledger)
    assert identity.adopted
    connect_tracker(settings, home)
    assert set(owners(home.ledger_url(settings), "photos").values()) == {identity.key}
    client = MlflowClient(home.tracking_uri(settings))
    assert client.get_experiment_by_name("photos").tags[IDENTITY_TAG] == identity.key
    begun(tmp_path / "theirs")
    with pytest.raises(UsageError, match=r"belongs? to another study"):
        resumed_launch(
            None,
            {"ledger": sqlite_url(tmp_path / "theirs/photos/ledger.db")},
            home=tmp_path,
            name="photos",
        )


def make_old(settings: StudySettings, home: StudyHome) -> None:
    """Take the identity from everything, as a study from before there were any."""
    (home.root / "identity.json").unlink()
    (home.root / "storage" / OWNER).unlink()
    storage = open_storage(home.ledger_url(settings))
    with storage._backend.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM study_user_attributes WHERE key = '{IDENTITY}'")
    client = MlflowClient(home.tracking_uri(settings))
    experiment = client.get_experiment_by_name("photos").experiment_id
    client.delete_experiment_tag(experiment, IDENTITY_TAG)


def test_delivery_and_reading_refuse_another_studys_experiment(tmp_path):
    settings, home = begun(tmp_path / "theirs")
    _, mine = begun(tmp_path / "mine")
    uri = home.tracking_uri(settings)
    with pytest.raises(StudyError, match=r"belongs? to another study"):
        MlflowRuns(uri, "photos", None, Storage(str(tmp_path)), mine.identity)
    with pytest.raises(UsageError, match="another study named photos"):
        StudyRecord(uri, "photos", mine.identity)


def test_a_study_goes_on_with_more_replicates_than_its_ledger_holds(tmp_path):
    settings, home = begun(tmp_path)
    check_ownership(settings.model_copy(update={"replicates": settings.replicates + 1}), home)


def test_a_lost_ledger_is_refused(tmp_path):
    _, home = begun(tmp_path)
    (home.root / "ledger.db").unlink()
    done = run_module("study.launch", "--name", "photos", "--home", tmp_path, "--resume")
    assert done.returncode == 2
    assert "has begun, but the ledger" in done.stderr
    assert "does not hold fruit/unet" in done.stderr
    assert not (home.root / "ledger.db").exists()
