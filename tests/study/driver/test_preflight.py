"""Addresses that cannot be used are refused before anything starts."""

import socket

import pytest

from study.driver.preflight import check_addresses, check_resources
from study.errors import UsageError
from study.settings.schema import StudySettings

SETTINGS = StudySettings(datasets={"fruit": {"root": "drawn:fruit"}})


@pytest.mark.parametrize("address", ["auto", "local", None])
def test_addresses_that_only_ray_can_check_are_left_to_it(address, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    check_addresses(SETTINGS, address)
    assert SETTINGS.tracking.uri is None


@pytest.mark.parametrize("by_environment", [False, True])
def test_ray_client_is_refused_with_the_two_ways_that_work(by_environment, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "ray://10.0.0.1:10001")
    with pytest.raises(UsageError, match=r"Ray Client .*HEAD:6379.*ray job submit"):
        check_addresses(SETTINGS, None if by_environment else "ray://10.0.0.1:10001")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8265", "http://head:8265", "https://cluster.example/ray"]
)
def test_a_dashboards_address_is_told_from_the_clusters(monkeypatch, address):
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(
        UsageError, match=rf"RAY_ADDRESS is {address}, .*dashboard.*HEAD:6379.*ray job submit"
    ):
        check_addresses(SETTINGS, None)
    with pytest.raises(UsageError, match="--ray-address is "):
        check_addresses(SETTINGS, address)


def test_a_stale_ray_address_is_named_with_what_it_should_be(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1 does not answer .*correct RAY_ADDRESS .*unset it"):
        check_addresses(SETTINGS, None)


def resources(**changed):
    return SETTINGS.model_copy(update={"resources": SETTINGS.resources.model_copy(update=changed)})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"cpus_per_trial": 3}, r"cpus_per_trial is 3, but this machine has 2 CPUs"),
        ({"gpus_per_trial": 0.5}, r"gpus_per_trial is 0\.5, but this machine has no GPU"),
        ({"gpus_per_trial": 2.0}, r"gpus_per_trial is 2, but this machine has no GPU"),
    ],
)
def test_what_this_machine_cannot_give_is_refused_by_name(monkeypatch, changed, sentence):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(UsageError, match=sentence):
        check_resources(resources(**changed), None)


def test_more_gpus_for_a_trial_than_this_machine_has_are_refused(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    check_resources(resources(gpus_per_trial=2.0), None)
    with pytest.raises(
        UsageError, match=r"gpus_per_trial is 3, but this machine has 2 GPUs .*give 2 at most"
    ):
        check_resources(resources(gpus_per_trial=3.0), None)


@pytest.mark.parametrize(
    ("section", "changed", "sentence"),
    [
        ("model", {"device": "cpu"}, r"gpus_per_trial is 4, but model\.device is cpu"),
        ("model", {"device": "cuda:1"}, r"gpus_per_trial is 4, but model\.device is cuda:1"),
        ("model", {"compile": True}, r"gpus_per_trial is 4, but model\.compile"),
        ("model", {"batch_size": 3}, r"gpus_per_trial is 4, but model\.batch_size is 3"),
        (
            "search",
            {"space": {"unet": {"batch_size": [2, 8]}}},
            r"search\.space\.unet\.batch_size begins at 2",
        ),
    ],
)
def test_what_several_gpus_cannot_share_is_named(section, changed, sentence):
    settings = resources(gpus_per_trial=4.0)
    check_resources(settings, "head:6379")
    changed = {section: getattr(settings, section).model_copy(update=changed)}
    with pytest.raises(UsageError, match=sentence):
        check_resources(settings.model_copy(update=changed), "head:6379")


def test_a_cluster_may_have_what_this_machine_has_not(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    check_resources(resources(cpus_per_trial=64, gpus_per_trial=0.5), "head:6379")
    with pytest.raises(UsageError, match="give a whole number"):
        check_resources(resources(gpus_per_trial=1.5), "head:6379")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "no-such-host.invalid:6379"])
def test_a_cluster_that_does_not_answer_is_named(address):
    with pytest.raises(UsageError, match=rf"The Ray cluster {address} does not answer .*--ray-address"):
        check_addresses(SETTINGS, address)


def test_a_listening_cluster_is_accepted():
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_addresses(SETTINGS, f"127.0.0.1:{server.getsockname()[1]}")
        assert server.fileno() >= 0
