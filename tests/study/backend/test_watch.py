"""No study waits in silence: for room on a cluster, or for a worker that has stopped."""

import pytest

from study.backend.watch import Seen, Watch

SMALL = {"CPU": 2.0, "memory": 1e9}


class Scene:
    """A watch on a virtual clock, and what it said and did."""

    def __init__(self):
        self.now = 0.0
        self.nodes = [SMALL, SMALL]
        self.said = []
        self.ended = []
        self.getting_ready = ""
        self.watch = Watch(
            self.said.append,
            lambda: {"CPU": 64},
            lambda: self.nodes,
            lambda: self.getting_ready,
            lambda: self.now,
        )

    def pass_time(self, seconds, *trials):
        for _ in range(int(seconds)):
            self.now += 1
            self.watch.look(trials)

    def trial(self, key="fruit/unet/search/3", running=True):
        return Seen(key, "fruit/unet", running, lambda: self.ended.append(key))


@pytest.fixture
def scene():
    return Scene()


def test_a_trial_without_room_is_explained_after_a_minute_and_when_the_cluster_changes(scene):
    waiting = scene.trial(running=False)
    scene.pass_time(59, waiting)
    assert scene.said == []
    scene.pass_time(600, waiting)
    (sentence,) = scene.said
    assert "asks for 64 CPU on one node" in sentence
    assert "2 nodes of 2 CPU" in sentence
    scene.nodes = [SMALL, {"CPU": 8.0, "GPU": 1.0}]
    scene.pass_time(600, waiting)
    assert len(scene.said) == 2
    assert "1 node of 2 CPU, 1 node of 8 CPU and 1 GPU" in scene.said[1]


def test_nodes_that_get_the_images_first_are_told_every_ten_seconds_while_nothing_else_runs(scene):
    waiting = scene.trial(running=False)
    scene.getting_ready = "The images are being brought to 10.0.0.2."
    scene.pass_time(100, scene.trial())
    assert scene.said == []
    scene.pass_time(95, waiting)
    assert scene.said == [scene.getting_ready] * 10
    scene.getting_ready = ""
    scene.pass_time(60, waiting)
    assert len(scene.said) == 10
    scene.pass_time(2, waiting)
    assert "asks for 64 CPU" in scene.said[-1]


def test_trials_that_wait_behind_others_are_normal(scene):
    scene.pass_time(500, scene.trial("a"), scene.trial("b", running=False))
    assert scene.said == []


def test_nodes_that_can_have_no_trial_are_told_once_while_others_work(scene):
    scene.nodes = [SMALL, {"CPU": 64.0}, {"GPU": 1.0}]
    scene.pass_time(1, scene.trial(running=False))
    assert scene.said == []
    scene.pass_time(90, scene.trial())
    (sentence,) = scene.said
    assert sentence.startswith(
        "Each trial asks for 64 CPU, so 1 node of 2 CPU can have none; to ask for less, "
    )
    scene.nodes.append(SMALL)
    scene.pass_time(90, scene.trial())
    assert "so 2 nodes of 2 CPU can have none" in scene.said[1]


def report(scene, trial, every, times):
    for _ in range(times):
        scene.pass_time(every, trial)
        scene.watch.heard(trial.key, trial.cell)


def test_a_worker_that_stops_is_told_then_ended_and_watched_anew(scene):
    trial = scene.trial()
    report(scene, trial, every=30, times=3)
    scene.pass_time(5 * 30, trial)
    assert scene.said == []
    scene.pass_time(2, trial)
    assert scene.said == ["fruit/unet/search/3 has not reported for 3 min, where 30 s were enough so far."]
    scene.pass_time(20 * 30 - 5 * 30, trial)
    assert scene.ended == [trial.key]
    assert "its process is ended, and it is tried again" in scene.said[1]
    scene.pass_time(1, scene.trial(running=False))
    report(scene, trial, every=30, times=5)
    assert len(scene.said) == 2


def test_a_slow_worker_that_reports_again_is_told_and_becomes_the_measure(scene):
    trial = scene.trial()
    report(scene, trial, every=20, times=2)
    report(scene, trial, every=120, times=1)
    assert scene.said[-1] == "fruit/unet/search/3 reports again."
    said = len(scene.said)
    report(scene, trial, every=500, times=1)
    assert len(scene.said) == said


def test_short_epochs_and_unknown_ones_get_time(scene):
    quick = scene.trial()
    report(scene, quick, every=1, times=3)
    scene.pass_time(299, quick)
    assert scene.ended == []
    unknown = Seen("scenes/unet/search/0", "scenes/unet", True, lambda: scene.ended.append("never"))
    scene.pass_time(5000, unknown)
    assert scene.ended == []
    assert scene.said[-1] == "scenes/unet/search/0 has not reported for 10 min."
