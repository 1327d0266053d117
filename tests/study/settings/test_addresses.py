"""Where a study's things lie: the same place for every process, each place for one thing."""

import pytest

from study.driver.launching import new_launch
from study.errors import UsageError

SETTINGS = {
    "name": "photos",
    "datasets": {"fruit": {"root": "drawn:fruit"}},
    "architectures": ["unet"],
    "model": {"image_size": 16, "width": 2, "device": "cpu"},
}


def test_relative_addresses_are_absolute_before_a_study_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"storage": "shared", "ledger": "sqlite:///l.db", "tracking": {"uri": "sqlite:///m.db"}}
    settings = new_launch(SETTINGS | given, {}, home=tmp_path).settings
    assert settings.storage == str(tmp_path / "shared")
    assert settings.ledger == f"sqlite:///{tmp_path}/l.db"
    assert settings.tracking.uri == f"sqlite:///{tmp_path}/m.db"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"storage": "memory://x"}, "storage is memory://x, which is lost"),
        ({"ledger": "sqlite://"}, "ledger is sqlite://, which is lost"),
        ({"ledger": "sqlite:///:memory:"}, "ledger is sqlite:///:memory:, which is lost"),
        ({"tracking": {"uri": "sqlite://"}}, "tracking.uri is sqlite://, which is lost"),
        ({"ledger": "sqlite:///a.db", "tracking": {"uri": "sqlite:///./a.db"}}, "one database"),
        (
            {
                "ledger": "postgresql+psycopg://me@host/studies",
                "tracking": {"uri": "postgresql+psycopg://you@host:5432/studies"},
            },
            "one database",
        ),
    ],
)
def test_places_that_forget_or_are_shared_are_refused_by_name(tmp_path, given, what):
    with pytest.raises(UsageError) as refusal:
        new_launch(SETTINGS | given, {}, home=tmp_path)
    assert what in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
