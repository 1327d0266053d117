"""A study by `ray job submit` on machines that share an object store and nothing else."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from study.search.attributes import NODES
from tests.cluster.hosts import REPOSITORY
from tests.cluster.ray_cluster import ENVIRONMENT, RayCluster, hide_code
from tests.cluster.studies import NAME, Results, settings
from tests.support.image_folders import colour_folder
from tests.support.servers import PASSWORD

_HEAD, _STORE_PORT, _BUCKET = "10.77.0.1", 9000, "studies"
KEYS = {
    "AWS_ENDPOINT_URL": f"http://{_HEAD}:{_STORE_PORT}",
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": PASSWORD,
    "AWS_DEFAULT_REGION": "us-east-1",
    "PYTHONPATH": str(REPOSITORY),  # where the head has the software; the other machines have none
}
MAKE = f"import s3fs; s3fs.S3FileSystem().mkdir({_BUCKET!r})"
PUT = "import sys, s3fs; s3fs.S3FileSystem().put(*sys.argv[1:], recursive=True)"
LIST = f"import s3fs; print(*s3fs.S3FileSystem().find({_BUCKET!r}), sep='\\n')"


@pytest.fixture
def cluster(hosts_or_skip):
    """A head with an object store, a worker, and a laptop with photographs; yields cluster and laptop."""
    store = Path(sys.executable).with_name("moto_server")
    if not store.exists():
        pytest.skip("moto_server is not installed beside this Python")
    pytest.importorskip("s3fs")
    pytest.importorskip("aiohttp_cors", reason="ray job submit needs the packages of ray[default]")
    with RayCluster(workers=1, dashboard=True, variables=KEYS) as cluster:
        cluster.head.start([store, "-H", "0.0.0.0", "-p", str(_STORE_PORT)], output=subprocess.DEVNULL)
        make_bucket(cluster.head)
        laptop = cluster.add_host()
        hide_code(laptop)
        cluster.admit(laptop)
        colour_folder(laptop.private / "photos" / "images", 48)
        # Enough work for the worker, which has to load its software and to fetch the photographs first.
        study = settings(trials=16, epochs=3, pruner="none") | {"architectures": ["unet"]}
        (laptop.private / "photos" / "study.yaml").write_text(yaml.safe_dump(study))
        yield cluster, laptop


def make_bucket(host):
    """Asks until the store is there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            host.execute(["python", "-c", MAKE], env=KEYS)
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise


@pytest.mark.timeout(500)
def test_images_are_sent_nodes_fetch_them_the_study_runs_and_its_table_comes_back(cluster):
    cluster, laptop = cluster
    head, worker = cluster.hosts[:2]
    here = head.local / "studies"  # a folder of the head's own

    def submit(*command, options=()):
        job = ["ray", "job", "submit", "--address", f"http://{head.ip}:8265", *options, "--", *command]
        return laptop.execute(["env", "--chdir", laptop.local, *job], env=ENVIRONMENT, timeout=300)

    submit("cp", "--recursive", ".", here, options=["--working-dir", laptop.local / "photos"])
    submit("python", "-c", PUT, here / "images", f"{_BUCKET}/images")
    launch = ["python", "-m", "study.launch", here / "study.yaml", "--data", f"s3://{_BUCKET}/images"]
    places = ["--home", here / "runs", "--storage", f"s3://{_BUCKET}/photos", "--ray-address", "auto"]
    printed = submit(*launch, *places)
    table = submit("python", "-m", "study.export", "--name", NAME, "--home", here / "runs")
    print(printed, table)

    assert re.search(r"\| images +\| unet +\|", table)
    trials = Results(head.private / "studies" / "runs").trials().values()
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert {node for trial in trials for node in trial.user_attrs[NODES]} == {head.ip, worker.ip}
    kept = head.execute(["python", "-c", LIST], env=KEYS)
    assert f"{_BUCKET}/photos/{NAME}/trials/images/unet/0/" in kept
    assert not (worker.private / "studies").exists()
    for node in (head, worker):  # each has fetched the photographs itself
        cache = node.private / "home" / ".cache" / "colorization-study"
        assert len(list(cache.glob("*.fetched/images/*.png"))) == 48
    # Ray's own logs hold the environment that it was started in; the study's files must not.
    found = subprocess.run(
        ["grep", "-rlI", PASSWORD, head.private / "studies"], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
