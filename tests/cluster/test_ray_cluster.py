import json
import shutil
import subprocess
import sys
import time

import pytest

from tests.cluster.ray_cluster import ENVIRONMENT

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def tune(ray_cluster):
    """Starts the counting driver on the head and waits for its summary."""
    for left in ("places", "tune"):
        shutil.rmtree(ray_cluster.shared / left, ignore_errors=True)

    def start(trials, steps):
        arguments = [ray_cluster.address, ray_cluster.shared, trials, steps]
        return ray_cluster.head.start(["python", "-m", "tests.cluster.tune_job", *arguments], env=ENVIRONMENT)

    return start


def summary_of(cluster, driver):
    printed, _ = driver.communicate(timeout=150)
    assert driver.returncode == 0, printed
    return json.loads((cluster.shared / "summary.json").read_text())


def wait_for_steps(cluster, place, steps=2):
    """Waits until a trial has taken some steps on a host."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        files = list((cluster.shared / "places").glob("*"))
        if any(file.read_text().split().count(place.ip) >= steps for file in files):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no trial took {steps} steps on {place.name}")


def test_a_run_uses_every_node(ray_cluster, tune):
    trials = summary_of(ray_cluster, tune(6, 4))
    assert {trial["steps"] for trial in trials} == {4}
    assert {place for trial in trials for place in trial["seen"]} == {host.ip for host in ray_cluster.hosts}


def test_a_node_that_joins_late_gets_trials(ray_cluster, tune):
    driver = tune(8, 6)
    wait_for_steps(ray_cluster, ray_cluster.head)
    late = ray_cluster.add_node()
    trials = summary_of(ray_cluster, driver)
    late.kill()
    assert {trial["steps"] for trial in trials} == {6}
    assert late.ip in {place for trial in trials for place in trial["seen"]}


def test_trials_on_lost_nodes_continue_elsewhere_without_losing_a_step(ray_cluster, tune):
    killed, cut = ray_cluster.add_node(), ray_cluster.add_node()
    driver = tune(5, 14)
    wait_for_steps(ray_cluster, killed)
    killed.kill()
    wait_for_steps(ray_cluster, cut)
    cut.cut_link()
    trials = summary_of(ray_cluster, driver)
    assert [trial["failed"] for trial in trials] == [False] * 5
    assert [len(trial["seen"]) for trial in trials] == [14] * 5, "a step was lost or counted twice"
    moved = {trial["seen"][0] for trial in trials if trial["seen"][0] != trial["seen"][-1]}
    assert moved == {killed.ip, cut.ip}

    # The host behind the cut link was declared dead; plugged in again it joins as a new node.
    cut.restore_link()
    cut.execute(["ray", "stop", "--force"], env=ENVIRONMENT)
    ray_cluster.start_ray(cut)
    assert cut.ip in nodes_alive(ray_cluster)
    assert killed.ip not in nodes_alive(ray_cluster)
    cut.kill()


def nodes_alive(cluster):
    code = (
        f"import ray; ray.init(address={cluster.address!r}, log_to_driver=False, logging_level='error')\n"
        "print(*(node['NodeManagerAddress'] for node in ray.nodes() if node['Alive']))"
    )
    return cluster.head.execute(["python", "-c", code], env=ENVIRONMENT).split()


@pytest.mark.parametrize("token", ["f" * 64, None], ids=["wrong", "none"])
def test_a_driver_without_the_token_is_refused(ray_cluster, token):
    stranger = {**ENVIRONMENT, "HOME": str(ray_cluster.head.local), "RAY_NUM_REDIS_GET_RETRIES": "2"}
    stranger.update({"RAY_AUTH_TOKEN": token} if token else {})
    code = f"import ray; ray.init(address={ray_cluster.address!r}); print('admitted')"
    with pytest.raises(AssertionError, match="AuthenticationError") as refusal:
        ray_cluster.head.execute(["python", "-c", code], env=stranger, timeout=60)
    assert "admitted\n" not in str(refusal.value).splitlines()[1:]


def test_nothing_is_left_behind_when_the_tests_are_killed(hosts_or_skip):
    code = (
        "import sys, time\nfrom tests.cluster.hosts import Network\nnetwork = Network()\n"
        "print(network.add_host().init, network.switch.init, network.folder, flush=True)\ntime.sleep(60)"
    )
    tests = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    host, switch, folder = tests.stdout.readline().split()
    tests.kill()
    tests.communicate()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_alive(pid) for pid in (host, switch)):
        time.sleep(0.05)
    shutil.rmtree(folder)
    assert not _alive(host)
    assert not _alive(switch)


def _alive(pid):
    return subprocess.run(["kill", "-0", pid], check=False, capture_output=True).returncode == 0
