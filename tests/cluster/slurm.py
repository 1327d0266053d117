"""A Slurm of two nodes on this machine, with its own key, ports and folders; it leaves nothing behind."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
_BIN = "/usr/sbin:/usr/bin:/sbin:/bin"
_NODES = ("n1", "n2")
_CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
AuthInfo=socket={folder}/munge.sock,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
KillWait=2
SchedulerParameters=sched_interval=2,batch_sched_delay=0
NodeName={names} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports} CPUs=1 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES State=UP
"""


def why_no_slurm() -> str | None:
    """Returns why this machine cannot run a Slurm, or None if it can."""
    missing = [program for program in _PROGRAMS if shutil.which(program, path=_BIN) is None]
    if missing:
        return f"a Slurm needs the programs {', '.join(missing)}"
    return None if os.geteuid() == 0 else "a Slurm needs root"


class Slurm:
    """A running Slurm; a context manager.

    Args:
        folder: For its configuration, state and logs; its path is short, since sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Slurm":
        key, configuration = self._folder / "munge.key", self._folder / "slurm.conf"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        controller, *ports = _free_ports(1 + len(_NODES))
        values = {"names": ",".join(_NODES), "ports": ",".join(map(str, ports)), "folder": self._folder}
        host = socket.gethostname().partition(".")[0]
        configuration.write_text(_CONFIGURATION.format(host=host, controller=controller, **values))
        files = {"socket": "munge.sock", "key-file": "munge.key", "pid-file": "munged.pid"}
        files |= {"log-file": "munged.log", "seed-file": "munge.seed"}
        try:
            self._start(
                "munged", "--foreground", "--force", *(f"--{k}={self._folder}/{v}" for k, v in files.items())
            )
            wait_for((self._folder / "munge.sock").exists)
            self._start("slurmctld", "-D")
            for node in _NODES:
                self._start("slurmd", "-D", "-N", node)
            wait_for(lambda: self.run("sinfo", "--noheader", "--format=%T %D").strip() == "idle 2")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            daemon.wait(timeout=60)

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Returns what a Slurm command printed."""
        done = subprocess.run(
            list(map(str, command)),
            env=self._environment(),
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def state(self, job: str) -> str:
        """Returns a job's state, such as PENDING."""
        return self.run("squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job}").strip()

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH"))}
        return {**own, "PATH": _BIN, "SLURM_CONF": str(self._folder / "slurm.conf")}

    def _start(self, program: str, *arguments: str) -> None:
        log = (self._folder / f"{program}-{len(self._daemons)}.log").open("wb")
        with log:
            command = [program, *arguments]
            self._daemons.append(
                subprocess.Popen(
                    command, env=self._environment(), stdout=log, stderr=log, start_new_session=True
                )
            )


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds.

    Raises:
        TimeoutError: After two minutes.
    """
    deadline = time.monotonic() + 500
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("Slurm did not come to where the test expects it; its logs lie in its folder")
        time.sleep(0.2)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
