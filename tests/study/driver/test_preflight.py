"""Addresses that cannot be used are refused before anything starts."""

import socket

import pytest

from study.driver.preflight import check_addresses
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


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "no-such-host.invalid:6379"])
def test_a_cluster_that_does_not_answer_is_named(address):
    with pytest.raises(UsageError, match=rf"The Ray cluster {address} does not answer .*--ray-address"):
        check_addresses(SETTINGS, address)


def test_a_listening_cluster_is_accepted():
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_addresses(SETTINGS, f"127.0.0.1:{server.getsockname()[1]}")
        assert server.fileno() >= 0
