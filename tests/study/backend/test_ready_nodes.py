"""Nodes that do not see the study's storage get no trial, and those that do get its data first."""

import shutil
import threading

import pytest
import ray
from ray import cloudpickle, tune

from study.backend.capacity import Capacity
from study.backend.ray_tuner import run_trials
from study.backend.ready_nodes import NODE_LABEL, ReadyNodes, why_unseen
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


class Cluster:
    """Nodes by id, and what the tasks on each have answered so far: an exception is raised."""

    def __init__(self):
        self.nodes = []
        self.seen, self.brought = {}, {}

    def alive(self):
        return [
            {"NodeID": name, "Alive": True, "NodeManagerAddress": f"10.0.0.{name}", "Resources": {"CPU": 1.0}}
            for name in self.nodes
        ]

    def start(self, _, node, function, *__):
        return (self.seen if function is why_unseen else self.brought), node

    def wait(self, tasks, num_returns, timeout):
        return [task for task in tasks if task[1] in task[0]], []

    def get(self, task):
        answers, node = task
        if isinstance(answers[node], Exception):
            raise answers[node]
        return answers[node]


class Task(tuple):
    """Of an answer's place; hashed as an object reference is."""

    __hash__ = object.__hash__


@pytest.fixture
def cluster(monkeypatch):
    cluster = Cluster()
    monkeypatch.setattr(ray, "nodes", cluster.alive)
    monkeypatch.setattr(ray, "wait", cluster.wait)
    monkeypatch.setattr(ray, "get", cluster.get)
    monkeypatch.setattr(ReadyNodes, "_on", lambda *arguments: Task(cluster.start(*arguments)))
    monkeypatch.setattr("study.backend.capacity._SECONDS", 0.0)
    return cluster


@pytest.fixture
def ready():
    """The nodes of a study that was started on node 1, and what they told."""
    told = []
    return ReadyNodes("/mnt/all", "7f", "1", str, told.append), told


def test_a_node_that_sees_nothing_is_told_once_and_left_out(cluster, ready):
    nodes, told = ready
    cluster.nodes = ["1", "2", "3"]
    cluster.seen |= {"2": "", "3": "what the study has written is not there"}
    cluster.brought["2"] = ""
    capacity = Capacity(1, 0, nodes)
    assert capacity() == capacity() == 2
    assert len(told) == 1
    assert "The node 10.0.0.3 does not see the study's storage /mnt/all" in told[0]
    assert nodes.placement() == {"bundle_label_selector": [{NODE_LABEL: "!in(3)"}]}
    cluster.nodes.remove("3")
    assert capacity() == 2
    assert nodes.placement() == {}


def test_a_node_that_joins_gets_trials_once_it_has_answered(cluster, ready):
    nodes, _ = ready
    cluster.nodes = ["1"]
    capacity = Capacity(1, 0, nodes)
    assert capacity() == 1
    cluster.nodes.append("2")
    assert capacity() == 1
    assert nodes.placement() == {"bundle_label_selector": [{NODE_LABEL: "!in(2)"}]}
    cluster.seen["2"], cluster.brought["2"] = "", ""
    assert capacity() == 2
    cluster.nodes.append("3")
    cluster.seen["3"] = ray.exceptions.RayError()
    assert capacity() == 2


def test_a_node_gets_trials_once_it_has_the_images(cluster, ready):
    nodes, told = ready
    cluster.nodes = ["1", "2", "3", "4"]
    cluster.seen |= {"2": "", "3": "", "4": ""}
    capacity = Capacity(1, 0, nodes)
    assert capacity() == 1
    assert nodes.waiting_for().startswith(
        "The images are being brought to 10.0.0.2, 10.0.0.3, 10.0.0.4 (0 s so far)"
    )
    cluster.brought |= {"2": "", "3": "The store does not answer. They come from the driver's node instead."}
    cluster.brought["4"] = full = ray.exceptions.RayTaskError("bring_data", "", OSError("The disk is full."))
    assert full.cause.args == ("The disk is full.",)
    assert capacity() == 3
    assert nodes.waiting_for() == ""
    assert nodes.placement() == {"bundle_label_selector": [{NODE_LABEL: "!in(4)"}]}
    assert sorted(told) == [
        "The node 10.0.0.3: The store does not answer. They come from the driver's node instead.",
        "The node 10.0.0.4 gets no trial: The disk is full.",
    ]


def test_a_process_that_is_lost_begins_again_while_its_node_is_alive(cluster, ready):
    nodes, told = ready
    cluster.nodes = ["1", "2"]
    cluster.seen["2"] = ray.exceptions.WorkerCrashedError()
    capacity = Capacity(1, 0, nodes)
    assert capacity() == 1
    cluster.seen["2"] = ""
    cluster.brought["2"] = ray.exceptions.WorkerCrashedError()
    assert capacity() == 1
    assert told == ["The node 10.0.0.2 lost the process that brought the images; once more …"]
    cluster.brought["2"] = ""
    assert capacity() == 2
    assert len(told) == 1


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
    nodes = ReadyNodes("/mnt/all", "7f", "1", str, say)
    run_trials(tune.Trainable, settings, StudyHome(tmp_path / "mine"), conductor, say, nodes)
