"""Which proxy an address is asked through."""

import pytest

from models.proxy import proxy_of


@pytest.fixture(autouse=True)
def no_other_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_proxy_of_an_address_is_named_with_its_variable(monkeypatch):
    assert proxy_of("http://host:5000") is None
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    assert str(proxy_of("http://host:5000")) == "the proxy http://proxy:3128 that HTTP_PROXY names"
    assert proxy_of("https://host") is None
    monkeypatch.setenv("all_proxy", "socks5://other:1080")
    assert str(proxy_of("https://host")) == "the proxy socks5://other:1080 that all_proxy names"


def test_a_server_that_no_proxy_names_is_asked_itself(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,.example.org")
    assert proxy_of("http://127.0.0.1:5000") is None
    assert proxy_of("http://mlflow.example.org") is None
    assert proxy_of("http://mlflow.example.com") is not None
