import hashlib
import secrets
import shutil
import time
from pathlib import Path

import pytest
import yaml
from optuna.trial import TrialState

from tests.cluster.hosts import REPOSITORY, Network
from tests.cluster.ray_cluster import ENVIRONMENT, hide_code
from tests.cluster.ssh import USER, make_key, make_user, serve_ssh, why_no_ssh
from tests.cluster.studies import CELLS, Results, write_settings

CLUSTER_YAML = REPOSITORY / "cluster.yaml"
LIMITS = "--num-cpus=1 --object-store-memory=100000000"


def test_the_file_is_what_rays_launcher_accepts():
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(yaml.safe_load(CLUSTER_YAML.read_text()))
    validate_config(config)
    assert config["available_node_types"]["local.cluster.node"]["min_workers"] == 2


def test_the_file_holds_no_secret_and_mounts_only_what_is_there():
    config = yaml.safe_load(CLUSTER_YAML.read_text())
    local = [Path(path) for path in config["file_mounts"].values() if not path.startswith("~")]
    assert [path for path in local if not (REPOSITORY / path).exists()] == []
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    commands = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    starts = [command for command in commands if "ray start" in command]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token" in command for command in starts)


@pytest.fixture
def launcher(hosts_or_skip):
    """A laptop and three machines it may log in to; yields the laptop and the file for them."""
    if reason := why_no_ssh():
        pytest.skip(reason)
    pytest.importorskip("aiohttp_cors", reason="ray job submit needs the packages of ray[default]")
    with Network() as network:
        user = network.folder.name  # Ray keeps its ssh sockets in a folder of /tmp named after the user
        variables = {
            **ENVIRONMENT,
            "RAY_TMPDIR": str(network.folder / "local"),
            "LOGNAME": user,
            "RAY_gcs_rpc_server_reconnect_timeout_s": "5",  # how long workers wait for a head that is gone
        }
        key = make_key(network.folder)
        *machines, laptop = [network.add_host() for _ in range(4)]
        for host in network.hosts:
            make_user(host, variables)
        for machine in machines:
            hide_code(machine)
            serve_ssh(machine, key)
        token = laptop.private / "home" / ".ray" / "auth_token"
        token.parent.mkdir()
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        config = network.shared / "cluster.yaml"
        config.write_text(yaml.safe_dump(for_hosts(machines, key)))
        yield laptop, config, machines, variables
        shutil.rmtree(f"/tmp/ray_ssh_{hashlib.sha256(user.encode()).hexdigest()[:10]}", ignore_errors=True)


def for_hosts(machines, key):
    """Returns cluster.yaml with the hosts' addresses; they share this machine's installed packages."""
    config = yaml.safe_load(CLUSTER_YAML.read_text())
    config["provider"].update(head_ip=machines[0].ip, worker_ips=[machine.ip for machine in machines[1:]])
    config["auth"] = {"ssh_user": USER, "ssh_private_key": str(key)}
    config["setup_commands"] = config["setup_commands"][:1]
    for commands in ("head_start_ray_commands", "worker_start_ray_commands"):
        config[commands] = [f"{line} {LIMITS}" if "ray start" in line else line for line in config[commands]]
    return config


@pytest.mark.timeout(600)
def test_up_a_study_by_submit_and_down(launcher):
    laptop, config, machines, variables = launcher
    shared, home = config.parent, machines[0].local / "runs"
    trials = 12  # enough work for those that come late: a node has to load its software first
    file = write_settings(shared, trials, epochs=10, pruner="none")
    try:
        print(laptop.execute(["ray", "up", "--yes", config], env=variables, timeout=120))
        laptop.start(["ray", "dashboard", config], env=variables)
        assert wait_for_dashboard(laptop) == 401
        wait_until(lambda: all(runs_ray(machine) for machine in machines))
        submit = ["ray", "job", "submit", "--address", "http://127.0.0.1:8265", "--working-dir", ".", "--"]
        launch = ["python", "-m", "study.launch", file, "--ray-address", "auto", "--home", home]
        storage = ["--storage", shared / "checkpoints"]
        print(laptop.execute([*submit, *launch, *storage], env=variables, timeout=300))
    finally:
        print(laptop.execute(["ray", "down", "--yes", config], env=variables, timeout=120))
    results = Results(machines[0].private / "runs")
    found = results.trials()
    assert set(found) == {(cell, number) for cell in CELLS for number in range(trials)} | {
        (f"{cell}/finals", 0) for cell in CELLS
    }
    assert {trial.state for trial in found.values()} == {TrialState.COMPLETE}
    assert results.nodes() == {machine.ip for machine in machines}
    wait_until(lambda: not any(runs_ray(machine) for machine in machines))


def runs_ray(host):
    return "/raylet/raylet " in host.run(["ps", "axww", "-o", "args"]).stdout


def wait_until(condition):
    deadline = time.monotonic() + 150
    while not condition():
        assert time.monotonic() < deadline, "nothing changed within two minutes and a half"
        time.sleep(0.5)


def wait_for_dashboard(host):
    """Returns the dashboard's answer through the tunnel, once there is one, to who has no token."""
    code = "import requests; print(requests.get('http://127.0.0.1:8265/api/version', timeout=5).status_code)"
    deadline = time.monotonic() + 500
    while True:
        try:
            return int(host.execute(["python", "-c", code]))
        except AssertionError:
            if time.monotonic() > deadline:
                raise
