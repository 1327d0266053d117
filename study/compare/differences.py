"""What differs between the settings and the data of two studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_NOT_OF_THE_QUESTION = ("name", "tracking.", "resources.", "ledger", "storage", "plugins", "skip_bad_images")
_FACTS = ("layout", "images", "train", "validation", "test", "fingerprint")
_FINGERPRINT_DIGITS = 12


class Difference(NamedTuple):
    """A value that two studies do not share; empty where one has none."""

    what: str
    a: str
    b: str


def differing_settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """Settings that change what a study finds; where it runs and where its files lie is left out.

    Args:
        a: Resolved settings of one study, as JSON has them.
        b: Of the other.
    """
    flat_a, flat_b = (dict(_flat(one)) for one in (a, b))
    keys = dict.fromkeys([*flat_a, *flat_b])
    return [
        Difference(key, _text(flat_a.get(key)), _text(flat_b.get(key)))
        for key in keys
        if flat_a.get(key) != flat_b.get(key) and not key.startswith(_NOT_OF_THE_QUESTION)
    ]


def differing_data(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """Facts of the datasets of either study that differ.

    Args:
        a: `StudyRecord.data` of one study.
        b: Of the other.
    """
    found = []
    for name in dict.fromkeys([*a["datasets"], *b["datasets"]]):
        of_a, of_b = a["datasets"].get(name, {}), b["datasets"].get(name, {})
        found += [
            Difference(f"{name}: {fact}", _fact(of_a, fact), _fact(of_b, fact))
            for fact in _FACTS
            if of_a.get(fact) != of_b.get(fact)
        ]
    if a.get("vgg16") != b.get("vgg16"):
        found.append(Difference("VGG16's weights", _text(a.get("vgg16")), _text(b.get("vgg16"))))
    return found


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _fact(facts: Mapping[str, Any], name: str) -> str:
    text = _text(facts.get(name))
    return text[:_FINGERPRINT_DIGITS] if name == "fingerprint" else text


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value in (None, {}) else str(value)
