"""Hosts of their own on one machine: Linux namespaces joined by a switch.

A host is an `init` process in network, process, mount, host-name and IPC namespaces of its own, with its own
address, `/dev/shm` and a private folder `local` (the same path on every host, other contents). All else is
the machine's, so `shared` is what a network file system is to a real cluster.

The namespaces have no names and live as long as their `init`, which dies with the process that made it:
whatever happens to a test, no process, interface or mount stays behind, and the machine's own network is
never touched.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_PROGRAMS = ("ip", "unshare", "nsenter", "setpriv", "mount")
_UNSHARE = ("--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
_INIT = "trap : TERM; while :; do sleep 3600 & wait; done"
_NETWORK = "10.77.0"
_SWITCH_ADDRESS = f"{_NETWORK}.254"


def why_no_hosts() -> str | None:
    """Returns why this machine cannot make hosts, or None if it can."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"hosts need the programs {', '.join(missing)}"
    if os.geteuid() != 0:
        return "hosts need root, to make network namespaces"
    probe = ["unshare", *_UNSHARE, "sh", "-c", "ip link add probe type bridge && ip link add veth type veth"]
    made = subprocess.run(probe, check=False, capture_output=True, text=True)
    return None if made.returncode == 0 else f"namespaces cannot be made here: {made.stderr.strip()}"


class Namespaces:
    """One set of namespaces, held by an init process until `kill`."""

    def __init__(self, name: str) -> None:
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            *_UNSHARE,
            "sh",
            "-c",
            f"hostname {name}; {_INIT}",
        ]
        self._keeper = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        self.name = name
        self.init = _wait_for_child(self._keeper.pid)
        while self.run(["hostname"]).stdout.strip() != name:
            time.sleep(0.01)

    def command(self, command: Sequence[str | Path]) -> list[str]:
        """Returns `command` wrapped so that it runs inside."""
        spaces = ["--net", "--mount", "--uts", "--ipc", "--pid", f"--wd={REPOSITORY}"]
        return ["nsenter", "--target", str(self.init), *spaces, "--", *map(str, command)]

    def run(self, command: Sequence[str | Path], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a short system command inside."""
        return subprocess.run(self.command(command), check=check, capture_output=True, text=True, timeout=60)

    def ip_program(self, command: str) -> None:
        """Runs the program ip on the network inside; processes are numbered as they are outside."""
        enter = ["nsenter", "--target", str(self.init), "--net", "ip", *command.split()]
        subprocess.run(enter, check=True, capture_output=True, timeout=60)

    def kill(self) -> None:
        """SIGKILLs every process inside at once; the namespaces, their links and mounts go with them."""
        if self._keeper.poll() is None:
            os.kill(self.init, signal.SIGKILL)
            self._keeper.wait()


class Host(Namespaces):
    """A machine with one address, linked to the switch.

    Attributes:
        ip: Its address; other hosts also reach it by `name`.
        local: The path of its private folder on the host itself; `home` is below it.
        private: The path of the same folder on the machine.
    """

    def __init__(self, network: "Network", number: int) -> None:
        super().__init__(f"host{number}")
        self.ip = f"{_NETWORK}.{number}"
        self.local = network.folder / "local"
        self.home = self.local / "home"
        self._switch = network.switch
        self._link = f"port{number}"
        self._switch.ip_program(f"link add {self._link} type veth peer eth0 netns {self.init}")
        self._switch.ip_program(f"link set {self._link} master switch up")
        self.ip_program(f"address add {self.ip}/24 dev eth0")
        self.ip_program("link set lo up")
        self.ip_program("link set eth0 up")
        # Ray finds its own address by the default route.
        self.ip_program(f"route add default via {_SWITCH_ADDRESS}")
        self.private = network.folder / self.name
        (self.private / "home").mkdir(parents=True)
        for line in (
            f"mount --bind {self.private} {self.local}",
            f"mount --bind {network.names} /etc/hosts",
            "mount -t tmpfs -o size=512m shm /dev/shm",
        ):
            self.run(line.split())

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Returns what a process on this host finds in its environment, and nothing else."""
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
        return {
            "PATH": path,
            "HOME": str(self.home),
            "TMPDIR": str(self.local),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            **(extra or {}),
        }

    def start(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        output: int | None = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Starts a program on this host; stop it with `interrupt` or `kill`, as signals stop at the door."""
        return subprocess.Popen(
            self.command(command),
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def execute(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout: float = 120
    ) -> str:
        """Runs a program on this host and returns what it printed, standard error included.

        Raises:
            AssertionError: It failed; the message holds what it printed.
            TimeoutExpired: It did not end in time (it is killed).
        """
        process = self.start(command, env=env)
        try:
            printed, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            interrupt(process, signal.SIGKILL)
            raise
        assert process.returncode == 0, f"{' '.join(map(str, command))} on {self.name}:\n{printed}"
        return printed

    def hide(self, folder: Path) -> None:
        """Covers a folder of the machine with an empty one, on this host only."""
        self.run(["mount", "-t", "tmpfs", "-o", "size=1m", "empty", folder])

    def cut_link(self) -> None:
        """Unplugs the host: packets are lost in both directions and no connection is closed."""
        self._switch.ip_program(f"link set {self._link} down")

    def restore_link(self) -> None:
        """Plugs the host in again."""
        self._switch.ip_program(f"link set {self._link} up")


class Network:
    """A switch and the hosts on it; a context manager that leaves nothing behind.

    Attributes:
        folder: A short path (sockets have at most 107 characters) for everything here.
        shared: A folder that all hosts and the machine see.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="net", dir="/tmp"))
        self.shared = self.folder / "shared"
        self.names = self.folder / "hosts"
        self.hosts: list[Host] = []
        self.shared.mkdir()
        (self.folder / "local").mkdir()
        names = [f"{_NETWORK}.{number} host{number}" for number in range(1, 250)]
        self.names.write_text("\n".join(["127.0.0.1 localhost", *names, ""]))
        self.switch = Namespaces("switch")
        self.switch.ip_program("link add switch type bridge")
        self.switch.ip_program(f"address add {_SWITCH_ADDRESS}/24 dev switch")
        self.switch.ip_program("link set switch up")

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *exception: object) -> None:
        for host in self.hosts:
            host.kill()
        self.switch.kill()
        shutil.rmtree(self.folder)

    def add_host(self) -> Host:
        """Returns a new host; its number is never used again."""
        host = Host(self, len(self.hosts) + 1)
        self.hosts.append(host)
        return host


def interrupt(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> None:
    """Sends a signal to the program that `Host.start` started, not to the door it went in by."""
    os.kill(_wait_for_child(process.pid), number)


def _wait_for_child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.01)
    raise TimeoutError(f"process {pid} started no child within 10 seconds")
