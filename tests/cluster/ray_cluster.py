"""A Ray cluster with token authentication on the hosts of `tests.cluster.hosts`."""

import secrets

from tests.cluster.hosts import Host, Network

_PORT = 6379
_DASHBOARD_PORT = 8265
_OBJECT_STORE_BYTES = 100 * 1024**2

# A lost node is noticed within about 4 s instead of the half minute that suits a real network.
_FAST_DEATH = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
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
        dashboard: Run the dashboard on the head, which `ray job submit` needs.
    """

    def __init__(self, *, workers: int = 2, cpus: int = 1, dashboard: bool = False) -> None:
        super().__init__()
        self._token = secrets.token_hex(32)
        self._cpus = cpus
        self._dashboard = dashboard
        try:
            self.head = self.add_node()
            for _ in range(workers):
                self.add_node()
        except BaseException:
            self.__exit__()
            raise

    @property
    def address(self) -> str:
        """What `ray.init(address=...)` and `--ray-address` take on a host of the cluster."""
        return f"{self.head_ip}:{_PORT}"

    @property
    def dashboard_url(self) -> str:
        """What `ray job submit --address` takes on a host of the cluster."""
        return f"http://{self.head_ip}:{_DASHBOARD_PORT}"

    @property
    def head_ip(self) -> str:
        """The address of the first host."""
        return self.hosts[0].ip

    def add_node(self, *, resources: str = "{}") -> Host:
        """Adds a host and joins it to the cluster as a Ray node; the first one is the head.

        Args:
            resources: JSON of Ray's custom resources on this node.
        """
        host = self.add_host()
        self.start_ray(host, resources=resources)
        return host

    def start_ray(self, host: Host, *, resources: str = "{}") -> None:
        """Starts Ray on a host, again if its node was lost."""
        token = host.private / "home" / ".ray" / "auth_token"  # where Ray looks by itself
        token.parent.mkdir(exist_ok=True)
        token.touch(mode=0o600)
        token.write_text(self._token)
        role = [f"--address={self.address}"]
        if host is self.hosts[0]:
            role = [
                "--head",
                f"--port={_PORT}",
                f"--include-dashboard={self._dashboard}",
                f"--dashboard-host={host.ip}",
            ]
        command = ["ray", "start", *role, f"--node-ip-address={host.ip}", f"--temp-dir={host.local}/ray"]
        command += [
            f"--num-cpus={self._cpus}",
            "--num-gpus=0",
            f"--object-store-memory={_OBJECT_STORE_BYTES}",
        ]
        command += [
            f"--resources={resources}",
            "--disable-usage-stats",
            "--min-worker-port=11000",
            "--max-worker-port=11999",
        ]
        host.execute(command, env=ENVIRONMENT)
