import pytest

from tests.cluster.hosts import why_no_hosts
from tests.cluster.ray_cluster import RayCluster


@pytest.fixture(scope="session")
def hosts_or_skip():
    if reason := why_no_hosts():
        pytest.skip(reason)


@pytest.fixture(scope="package")
def ray_cluster(hosts_or_skip):
    """Three hosts with a Ray node each, made once; one test loses the workers, the others need the head alone."""
    with RayCluster(workers=2) as cluster:
        yield cluster
