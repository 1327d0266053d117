"""Settings as words: `--section.field value` on a command line, `STUDY_SECTION__FIELD` in the environment."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

from study.errors import UsageError, masked
from study.settings.yaml_text import read_yaml

ENVIRONMENT_PREFIX = "STUDY_"


def split_flags(words: Sequence[str], options: Collection[str]) -> tuple[list[str], list[str]]:
    """Part a command line into a command's own words and the settings' flags with their values.

    Args:
        words: The command line.
        options: The command's own options, such as `--name`.
    """
    own: list[str] = []
    flags: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word.partition("=")[0] in options:
            own.append(word)
            continue
        flags.append(word)
        if "=" not in word and rest and not rest[0].startswith("--"):
            flags.append(rest.pop(0))
    return own, flags


def nested_flags(words: Sequence[str]) -> dict[str, Any]:
    """`--budget.trials 4` → `{"budget": {"trials": 4}}`; values are read as YAML.

    Raises:
        UsageError: For a word that is no flag, or a flag without a value.
    """
    nested: dict[str, Any] = {}
    words = list(words)
    while words:
        flag = words.pop(0)
        if not flag.startswith("--"):
            raise UsageError(f"{flag} stands alone; settings are given as --section.field VALUE.")
        name, given, value = flag[2:].partition("=")
        if not given:
            if not words or words[0].startswith("--"):
                raise UsageError(f"{flag} needs a value.")
            value = words.pop(0)
        *sections, field = name.replace("-", "_").split(".")
        target = nested
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise UsageError(f"{flag} goes below {section}, which was given a value of its own.")
        target[field] = _yaml_value(flag, value)
    return nested


def _yaml_value(flag: str, value: str) -> Any:
    try:
        return read_yaml(value)
    except ValueError as error:
        raise UsageError(f"{flag}: {masked(value)} cannot be used ({error}).") from None


def environment_settings(fields: Collection[str]) -> dict[str, Any]:
    """`STUDY_BUDGET__TRIALS=4` → `{"budget": {"trials": 4}}`; values are read as YAML.

    Args:
        fields: Names that a variable may begin with.

    Raises:
        UsageError: For a variable that names none of them, or whose value is no YAML.
    """
    nested: dict[str, Any] = {}
    for name, value in sorted(os.environ.items()):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        *sections, field = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        if (first := [*sections, field][0]) not in fields:
            raise UsageError(
                f"The environment variable {name} names no setting ({first}); unset or correct it."
            )
        target = nested
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise UsageError(
                    f"The environment variable {name} goes below {section}, which another one sets."
                )
        target[field] = _yaml_value(f"The environment variable {name}", value)
    return nested
