import pytest

from tests.cluster.hosts import why_no_hosts
from tests.cluster.ray_cluster import RayCluster


@pytest.fixture(scope="session")
def hosts_or_skip():
    if reason := why_no_hosts():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def ray_cluster(hosts_or_skip):
    """Three hosts with a Ray node each, made once; tests that break a node add it first."""
    with RayCluster(workers=2) as cluster:
        yield cluster
