"""No message shows a secret that an address carries."""

import pytest

from study.errors import StudyError, first_line, holds_secret


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:hidden@host:5000/x", "http://me:***@host:5000/x"),
        ("http://hidden@host", "http://***@host"),
        ("s3://key:hid%2Fden@bucket/x", "s3://key:***@bucket/x"),
        ("http://me:hid@den@host", "http://me:***@host"),
        ("me:hidden@head:6379", "me:***@head:6379"),
        ("postgresql+psycopg://me:hidden@db/x", "postgresql+psycopg://me:***@db/x"),
        (
            "postgresql://db/x?sslmode=require&password=hidden",
            "postgresql://db/x?sslmode=require&password=***",
        ),
        ("http://host/?access_token=hidden&a=b", "http://host/?access_token=***&a=b"),
        ("http://host/#API_KEY=hidden", "http://host/#API_KEY=***"),
    ],
)
def test_secrets_are_masked_and_found(address, shown):
    assert holds_secret(address)
    sentence = f"The server {address} does not answer."
    assert str(StudyError(sentence)) == f"The server {shown} does not answer."
    assert "hidden" not in first_line(ValueError(sentence))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@db/x?sslkey=/home/me/key.pem&passfile=/home/me/.pgpass",
        "postgresql+psycopg://me@127.0.0.1:5432/x",
        "sqlite:////home/me/a@b/ledger.db",
        "models:/photos-scenes@champion",
        "s3://bucket/folder",
        "me@example.org",
        "10.0.0.1:6379",
    ],
)
def test_addresses_without_secrets_stay_as_they_are(address):
    assert not holds_secret(address)
    assert str(StudyError(address)) == address
