"""Where trials run on clusters with GPUs: a real Ray, whose GPUs are made up, and trials that compute nothing."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
import ray
from optuna.storages import InMemoryStorage
from ray import tune
from ray.cluster_utils import Cluster

from models.metrics import OBJECTIVE
from study.backend.ray_adapters import REPORTS, SPEC
from study.backend.ray_tuner import run_trials
from study.search.conductor import Conductor
from study.search.ledger import StudyLedger
from study.search.trial_spec import TrialState
from study.settings.study_folder import StudyHome
from tests.support.simulated import Diary, study_settings

_CPUS = 0.5  # of a trial: few CPUs, few processes that Ray starts beforehand
_PATIENCE = 60


@pytest.fixture
def cluster(monkeypatch):
    """A head with one CPU, and as many GPUs as the test says with `head`; more nodes may join."""
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    for module in ("capacity", "watch"):
        monkeypatch.setattr(f"study.backend.{module}._SECONDS", 0.0)
    made = []

    def head(gpus):
        made.append(Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": gpus}))
        ray.init(address=made[0].address, log_to_driver=False, logging_level="error")
        return made[0]

    yield head
    ray.shutdown()
    for one in made:
        one.shutdown()


def trial_class(folder, together):
    """Trials of one report, which write down where they are and then wait until so many have done so.

    Defined here, so that it travels by value and a worker imports nothing of the project.
    """

    class Meeting(tune.Trainable):
        def setup(self, config):
            self.reset_config(config)

        def reset_config(self, new_config):
            self._number = new_config[SPEC]["number"]
            return True

        def step(self):
            place = {"node": ray.get_runtime_context().get_node_id(), "gpus": ray.get_gpu_ids()}
            fresh = Path(folder, f"{self._number}.new")
            fresh.write_text(json.dumps(place))
            fresh.rename(fresh.with_suffix(".json"))
            deadline = time.monotonic() + _PATIENCE
            while len(list(Path(folder).glob("*.json"))) < together:
                if time.monotonic() > deadline:
                    raise TimeoutError("the others did not come")
                time.sleep(0.05)
            return {REPORTS: [{"epoch": 1, OBJECTIVE: 1.0, "device_seconds": 0.1}]}

    return Meeting


def places(folder):
    """Node and GPUs of each trial, by number."""
    found = {int(path.stem): json.loads(path.read_text()) for path in folder.glob("*.json")}
    return [(found[number]["node"], found[number]["gpus"]) for number in sorted(found)]


def run(tmp_path, together, trials, gpus, listener=None):
    """A study of one cell; the sentences it said, and its trials' places."""
    settings = study_settings(
        architectures=["unet"],
        budget={"trials": trials, "epochs": 1},
        finals={"seeds": 0},
        resources={"cpus_per_trial": _CPUS, "gpus_per_trial": gpus, "max_failures": 0},
    )
    del settings.datasets["scenes"]
    folder, said = tmp_path / "places", []
    folder.mkdir()
    conductor = Conductor(settings, StudyLedger(InMemoryStorage(), settings), [listener] if listener else [])
    run_trials(
        trial_class(str(folder), together), settings, StudyHome(tmp_path / "study"), conductor, said.append
    )
    (cell,) = conductor.cells
    assert cell.states == {TrialState.COMPLETE: trials}
    return said, places(folder)


@pytest.mark.timeout(150)
def test_three_gpus_on_two_nodes_take_six_trials_of_half_a_gpu_at_once(cluster, tmp_path):
    started = cluster(1)
    started.add_node(num_cpus=2, num_gpus=2)
    said, found = run(tmp_path, together=6, trials=6, gpus=0.5)
    shares = Counter((node, *gpus) for node, gpus in found)
    assert len(shares) == 3, shares  # all that the cluster has
    assert set(shares.values()) == {2}
    per_node = Counter(node for node, _ in shares)
    assert sorted(per_node.values()) == [1, 2]
    assert said == []


class AddsGpus(Diary):
    """Lets a node with a GPU join when so many trials have begun."""

    def __init__(self, cluster, after):
        super().__init__()
        self._cluster = cluster
        self._left = after
        self.node = None

    def started(self, spec):
        self._left -= 1
        if self._left == 0:
            self.node = self._cluster.add_node(num_cpus=1, num_gpus=1)


@pytest.mark.timeout(150)
def test_trials_follow_the_first_gpu_to_the_node_that_brings_it_and_the_idle_ones_are_told(cluster, tmp_path):
    started = cluster(0)
    head = ray.get_runtime_context().get_node_id()
    joins = AddsGpus(started, after=3)
    said, found = run(tmp_path, together=1, trials=6, gpus=None, listener=joins)
    assert found[:2] == [(head, []), (head, [])]
    late = joins.node.node_id
    assert [(node, len(gpus)) for node, gpus in found[2:]] == [(late, 1)] * 4
    (idle,) = [sentence for sentence in said if "can have none" in sentence]
    assert idle.startswith("Each trial asks for 0.5 CPU and 1 GPU, so 1 node of 1 CPU can have none; ")
