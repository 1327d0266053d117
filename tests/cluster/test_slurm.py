"""`slurm.sh` on a real Slurm of two nodes, with stand-ins for Ray and the study."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.cluster.hosts import REPOSITORY
from tests.cluster.slurm import Slurm, wait_for, why_no_slurm

# The study: leaves its folder, stops in an orderly way on SIGTERM, and ends by itself once it is resumed.
PYTHON = """#!/bin/bash
case "$*" in
    *secrets*) echo token-of-run-${SLURM_RESTART_COUNT:-0}; exit;;
    *get_node_ip_address*) echo 127.0.0.1; exit;;
esac
echo "$RAY_AUTH_MODE $RAY_AUTH_TOKEN: $*" >> launched
mkdir -p "runs/$SLURM_JOB_NAME"
[[ $* == *--resume* ]] && exit
trap 'echo stopped >> launched; exit 130' TERM
touch "runs/$SLURM_JOB_NAME/study.yaml"
while :; do sleep 0.1; done
"""
RAY = """#!/bin/bash
if [[ $1 == health-check ]]; then
    grep -q "^$RAY_AUTH_TOKEN" started-n1 && grep -q "^$RAY_AUTH_TOKEN" started-n2
    exit
fi
echo "$RAY_AUTH_TOKEN: $*" >> "started-$SLURMD_NODENAME"
exec sleep 600
"""


@pytest.fixture(scope="module")
def slurm():
    if reason := why_no_slurm():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    with Slurm(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def submitted(slurm, tmp_path):
    """A folder from which a study was submitted, and the job, which runs."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, text in (("python", PYTHON), ("ray", RAY)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    where = ["--parsable", "--job-name=mine", "--nodes=2", "--cpus-per-task=1"]
    study = ["quick", "--data", "two words", "--budget.trials", "3"]
    job = slurm.run("sbatch", *where, REPOSITORY / "slurm.sh", *study, cwd=tmp_path).strip()
    wait_for((tmp_path / "runs" / "mine" / "study.yaml").exists)
    yield tmp_path, job
    slurm.run("scancel", job)
    wait_for(lambda: slurm.state(job) in ("", "COMPLETED", "CANCELLED"))


def test_a_study_that_the_time_limit_cuts_queues_itself_and_goes_on(slurm, submitted):
    folder, job = submitted
    slurm.run("scancel", "--batch", "--signal=USR1", job)  # as Slurm does before the limit
    wait_for(lambda: slurm.state(job) == "COMPLETED")
    port = 20000 + int(job) % 10000
    where = f"--name mine --ray-address 127.0.0.1:{port}"
    assert (folder / "launched").read_text().splitlines() == [
        f"token token-of-run-0: -m study.launch quick --data two words --budget.trials 3 {where}",
        "stopped",
        f"token token-of-run-1: -m study.launch --resume {where}",
    ]
    head, worker = ((folder / f"started-{node}").read_text().splitlines() for node in ("n1", "n2"))
    for number in range(2):
        assert head[number].startswith(f"token-of-run-{number}: start --head --port={port} ")
        assert worker[number].startswith(f"token-of-run-{number}: start --address=127.0.0.1:{port} ")


def test_a_cancelled_study_stops_and_stays_so(slurm, submitted):
    folder, job = submitted
    slurm.run("scancel", job)
    wait_for(lambda: slurm.state(job) == "CANCELLED")
    wait_for(lambda: "stopped" in (folder / "launched").read_text())
    assert (folder / "launched").read_text().count("study.launch") == 1
