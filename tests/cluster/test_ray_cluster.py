import shutil
import subprocess
import sys
import time

import pytest

from tests.cluster.ray_cluster import ENVIRONMENT
from tests.cluster.studies import write_settings


@pytest.mark.timeout(180)
@pytest.mark.parametrize("token", ["f" * 64, None], ids=["wrong", "none"])
def test_a_driver_without_the_token_is_refused(ray_cluster, tmp_path, token):
    stranger = {**ENVIRONMENT, "HOME": str(ray_cluster.head.local), "RAY_NUM_REDIS_GET_RETRIES": "2"}
    stranger.update({"RAY_AUTH_TOKEN": token} if token else {})
    file = write_settings(ray_cluster.shared, trials=1, epochs=1)
    launch = ["python", "-m", "study.launch", file, "--ray-address", ray_cluster.address, "--home", tmp_path]
    with pytest.raises(AssertionError, match=f"{ray_cluster.address} cannot be used: .*token") as refusal:
        ray_cluster.head.execute(launch, env=stranger, timeout=120)
    assert "Traceback" not in str(refusal.value)
    assert " complete, best " not in str(refusal.value)


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
