"""A Ray cluster with token authentication on the hosts of `tests.cluster.hosts`.

Only the head, where drivers run, has the project's code; what other nodes run must have travelled there.
"""

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.cluster.hosts import REPOSITORY, Host, Network

_PORT = 6379
_OBJECT_STORE_BYTES = 100 * 1024**2

# A cut link is noticed within about 10 s instead of a minute, which suits a real network better.
_FAST_DEATH = {
    "RAY_health_check_initial_delay_ms": "5000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_health_check_failure_threshold": "4",
}
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_enable_metrics_collection": "false",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "PYTHONWARNINGS": "ignore",
}
# The variables of every Ray process and driver on a host; the token itself lies in the host's home.
ENVIRONMENT = {"RAY_AUTH_MODE": "token", **_FAST_DEATH, **_QUIET}


class RayCluster(Network):
    """Hosts that each run a Ray node; `hosts[0]` is the head. A context manager.

    Args:
        workers: How many nodes there are beside the head.
        cpus: Logical CPUs of each node.
        dashboard: Whether the head takes jobs, at port 8265.
        variables: More variables of Ray's processes, such as the keys of an object store.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        cpus: int = 1,
        dashboard: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._token = secrets.token_hex(32)
        self._cpus = cpus
        self._head = (
            f"--head --port={_PORT} --include-dashboard={str(dashboard).lower()} --dashboard-host=0.0.0.0"
        )
        self._variables = {**ENVIRONMENT, **(variables or {})}
        try:
            self.head = self.add_node()
            added = [self.add_host() for _ in range(workers)]
            with ThreadPoolExecutor() as pool:
                list(pool.map(self.start_ray, added))
        except BaseException:
            self.__exit__()
            raise

    @property
    def address(self) -> str:
        """What `ray.init(address=...)` and `--ray-address` take on a host of the cluster."""
        return f"{self.hosts[0].ip}:{_PORT}"

    def add_node(self) -> Host:
        """Adds a host and joins it to the cluster as a Ray node; the first one is the head."""
        host = self.add_host()
        self.start_ray(host)
        return host

    def start_ray(self, host: Host) -> None:
        """Starts Ray on a host, again if its node was lost."""
        self.admit(host)
        is_head = host is self.hosts[0]
        if not is_head:
            hide_code(host)
        role = self._head if is_head else f"--address={self.address}"
        limits = f"--num-cpus={self._cpus} --num-gpus=0 --object-store-memory={_OBJECT_STORE_BYTES}"
        places = f"--node-ip-address={host.ip} --temp-dir={host.local}/ray"
        start = ["ray", "start", *f"{role} {limits} {places}".split()]
        host.execute(["env", "--chdir", host.local, *start], env=self._variables)

    def admit(self, host: Host) -> None:
        """Gives a host the cluster's token."""
        token = host.private / "home" / ".ray" / "auth_token"  # where Ray looks by itself
        token.parent.mkdir(exist_ok=True)
        token.touch(mode=0o600)
        token.write_text(self._token)


def hide_code(host: Host) -> None:
    """Takes the project's packages from a host."""
    for package in ("study", "models", "data_utils"):
        host.hide(REPOSITORY / package)
