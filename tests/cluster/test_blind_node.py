"""A node that does not see the study's storage: no compute is spent there, and a sentence says so."""

import pytest
from optuna.trial import TrialState

from tests.cluster.ray_cluster import ENVIRONMENT, RayCluster
from tests.cluster.studies import Results, write_settings


@pytest.mark.timeout(300)
def test_a_node_that_does_not_see_the_storage_gets_no_trial(hosts_or_skip):
    with RayCluster(workers=1) as cluster:
        head, blind = cluster.hosts
        blind.hide(cluster.shared)
        file = write_settings(cluster.shared, trials=2, epochs=2)
        folders = ["--home", head.local / "runs", "--storage", cluster.shared / "checkpoints"]
        launch = ["python", "-m", "study.launch", file, "--ray-address", cluster.address, *folders]
        driver = head.start(launch, env=ENVIRONMENT)
        printed, _ = driver.communicate(timeout=240)
        assert driver.returncode == 0, printed
        assert f"The node {blind.ip} does not see the study's storage" in printed
        results = Results(head.private / "runs")
        assert {trial.state for trial in results.trials().values()} <= {
            TrialState.COMPLETE,
            TrialState.PRUNED,
        }
        assert results.nodes() == {head.ip}
