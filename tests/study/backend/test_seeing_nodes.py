"""Nodes that do not see the study's storage get no trial."""

import shutil
import threading

import pytest
import ray
from ray import cloudpickle, tune

from study.backend.capacity import Capacity
from study.backend.ray_tuner import run_trials
from study.backend.seeing_nodes import NODE_LABEL, SeeingNodes, why_unseen
from study.settings.study_folder import StudyHome
from study.storage.owner import set_storage_owner
from study.storage.storage import Storage
from tests.support.simulated import simulate, study_settings


def test_a_storage_is_seen_where_the_studys_mark_is_read_and_something_can_be_written(tmp_path):
    uri = str(tmp_path / "storage")
    set_storage_owner(Storage(uri), "mine", "7f")
    assert why_unseen(uri, "7f") == ""
    assert why_unseen(uri, "8a") == "what the study has written is not there"
    elsewhere = tmp_path / "elsewhere"
    assert why_unseen(str(elsewhere), "7f") == "what the study has written is not there"
    assert not elsewhere.exists() or not list(elsewhere.iterdir())
    (tmp_path / "storage" / "study.json").write_text("{")
    assert "damaged" in why_unseen(uri, "7f")
    shutil.rmtree(uri)
    (tmp_path / "storage").write_text("a file")
    assert why_unseen(uri, "7f")


@pytest.fixture
def cluster(monkeypatch):
    """Nodes by id, and what each answers; an exception is raised, None takes its time."""
    nodes, answers = {}, {}

    def alive():
        return [
            {"NodeID": name, "Alive": True, "NodeManagerAddress": f"10.0.0.{name}", "Resources": {"CPU": 1.0}}
            for name in nodes
        ]

    def get(name):
        if isinstance(answers[name], Exception):
            raise answers[name]
        return answers[name]

    def wait(names, num_returns, timeout):
        return [name for name in names if answers[name] is not None], []

    monkeypatch.setattr(ray, "nodes", alive)
    monkeypatch.setattr(ray, "wait", wait)
    monkeypatch.setattr(ray, "get", get)
    monkeypatch.setattr(SeeingNodes, "_ask", lambda self, name: name)
    monkeypatch.setattr("study.backend.capacity._SECONDS", 0.0)
    return nodes, answers


def test_a_node_that_sees_nothing_is_told_once_and_left_out(cluster):
    nodes, answers = cluster
    nodes |= {"1": 1, "2": 1, "3": 1}
    answers |= {"2": "", "3": "what the study has written is not there"}
    told = []
    seeing = SeeingNodes("/mnt/all", "7f", "1", told.append)
    capacity = Capacity(1, 0, seeing)
    assert capacity() == capacity() == 2
    assert len(told) == 1
    assert "The node 10.0.0.3 does not see the study's storage /mnt/all" in told[0]
    assert seeing.placement() == {"bundle_label_selector": [{NODE_LABEL: "!in(3)"}]}
    del nodes["3"]
    assert capacity() == 2
    assert seeing.placement() == {}


def test_a_node_that_joins_gets_trials_once_it_has_answered(cluster):
    nodes, answers = cluster
    nodes["1"] = 1
    capacity = Capacity(1, 0, seeing := SeeingNodes("/mnt/all", "7f", "1", print))
    assert capacity() == 1
    nodes["2"] = 1
    answers["2"] = None
    assert capacity() == 1
    assert seeing.placement() == {"bundle_label_selector": [{NODE_LABEL: "!in(2)"}]}
    answers["2"] = ""
    assert capacity() == 2
    nodes["3"] = 1
    answers["3"] = ray.exceptions.RayError()
    assert capacity() == 2


def test_what_tune_sends_to_workers_holds_neither_the_driver_nor_its_console(tmp_path, monkeypatch):
    lock = threading.RLock()  # as a console has one

    def say(sentence):
        with lock:
            print(sentence)

    class Tuner:
        def __init__(self, trainable, **_):
            self.trainable = trainable

        def fit(self):
            assert cloudpickle.dumps(self.trainable)

    monkeypatch.setattr(tune, "Tuner", Tuner)
    settings = study_settings(architectures=["unet"])
    _, conductor, _, _ = simulate(settings)
    nodes = SeeingNodes("/mnt/all", "7f", "1", say)
    run_trials(tune.Trainable, settings, StudyHome(tmp_path / "mine"), conductor, say, nodes)
