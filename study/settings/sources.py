"""From presets, files, flags and environment to validated settings."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from models.errors import ModelError
from study.errors import UsageError, first_line
from study.settings.flags import ENVIRONMENT_PREFIX, environment_settings
from study.settings.json_schema import SCHEMA_FILE
from study.settings.schema import StudySettings
from study.settings.yaml_text import check_values, read_yaml

# What settings meant in studies that were started before they existed.
_OF_EARLIER_STUDIES = {"seed": 0, "replicates": 1, "controls": False}


def _presets() -> Traversable:
    return resources.files("study.settings") / "presets"


def preset_names() -> list[str]:
    """Names of the presets that come with the software."""
    return sorted(Path(entry.name).stem for entry in _presets().iterdir() if entry.name.endswith(".yaml"))


def preset_or_file(which: str) -> Path:
    """The YAML file that a preset's name or a path stands for.

    Raises:
        UsageError: If it is neither.
    """
    if which in preset_names():
        return Path(str(_presets() / f"{which}.yaml"))
    path = Path(which)
    if path.is_file():
        return path
    raise UsageError(
        f"{which} is neither a preset ({', '.join(preset_names())}) nor a file; name one of them."
    )


def preset_text(which: str) -> str:
    """A preset, or a file of settings, to start one's own from.

    Raises:
        UsageError: If there is neither.
    """
    text = preset_or_file(which).read_text(encoding="utf-8")
    return text.replace(f"$schema=../{SCHEMA_FILE.name}", f"$schema={SCHEMA_FILE}")


def load_settings(
    source: Path | Mapping[str, Any], flags: dict[str, Any], datasets: dict[str, Any] | None = None
) -> StudySettings:
    """Validated settings, or one sentence that names the key.

    Args:
        source: A YAML file, or what stands in one.
        flags: Nested values that win over source and environment.
        datasets: Take the place of the source's datasets, and keep the limits that all of those have.

    Raises:
        UsageError: For an unreadable file, an unknown key or an impossible value.
    """
    content = _content(source)
    if datasets:
        content["datasets"] = _with_common_limits(datasets, content.get("datasets") or {})
        content.get("budget", {}).pop("epochs_for", None)
    with _one_sentence():
        return settings_from(content, flags)


def _with_common_limits(datasets: Mapping[str, Any], replaced: Mapping[str, Any]) -> dict[str, Any]:
    common: dict[str, Any] = {}
    for limit in ("train_limit", "validation_limit"):
        values = {one.get(limit) for one in replaced.values()}
        if len(values) == 1:
            common[limit] = values.pop()
    return {name: {**common, **one} for name, one in datasets.items()}


def _one_budget(below: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Epochs take the place of images that were given further below (file < environment < flag), and the reverse."""
    given, budget = changes.get("budget"), below.get("budget")
    if isinstance(given, Mapping) and isinstance(budget, dict):
        for one, other in (("epochs", "images"), ("images", "epochs")):
            if given.get(one) is not None and other not in given:
                budget.pop(other, None)


def stored_settings(source: Path | Mapping[str, Any]) -> StudySettings:
    """The settings that a study was started with, whatever the environment says now.

    Raises:
        UsageError: If the file cannot be read, or a plug-in is missing.
    """
    content = _OF_EARLIER_STUDIES | _content(source)
    with _one_sentence():
        return StudySettings(**content)


def changed_settings(file: Path, flags: dict[str, Any]) -> StudySettings:
    """The settings that a study was started with, with environment and flags laid over them.

    Args:
        file: The study's `study.yaml`.
        flags: Nested values that win over file and environment.

    Raises:
        UsageError: As `load_settings`.
    """
    return load_settings(_OF_EARLIER_STUDIES | _content(file), flags)


def _content(source: Path | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(source, Mapping):
        try:
            check_values(source)
        except ValueError as error:
            raise UsageError(f"The settings cannot be used: {error}.") from None
        return copy.deepcopy(dict(source))
    try:
        content = read_yaml(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{source} cannot be read: {first_line(error)}.") from None
    if not isinstance(content, dict):
        raise UsageError(f"{source} holds no settings; it needs lines such as `name: my-study`.")
    return content


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise UsageError(_sentence(error)) from None
    except ModelError as error:
        raise UsageError(str(error)) from None


def _variable(location: Sequence[str]) -> str:
    """The environment variable that sets the value at a location or around it, in brackets; empty if none does."""
    for length in range(len(location), 0, -1):
        name = ENVIRONMENT_PREFIX + "__".join(location[:length]).upper()
        if name in os.environ:
            return f" (from the environment variable {name})"
    return ""


def _sentence(error: ValidationError) -> str:
    sentences = []
    for problem in error.errors():
        location = [str(part) for part in problem["loc"] if part != "[key]"]
        key = ".".join(location)
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "string_pattern_mismatch":
            message = "use letters, digits, dots, underscores and hyphens alone"
        if problem["input"] is None and problem["type"] in ("model_type", "dict_type"):
            sentences.append(f"{key} is empty; give it settings, or leave it out.")
        elif problem["type"] == "extra_forbidden":
            sentences.append(f"Unknown setting {key}{_nearest(key)}; see --help for the settings there are.")
        elif problem["type"] == "missing":
            sentences.append(f"{key} is not set; give it in the file or as --{key} VALUE.")
        else:
            secret = "holds a password" in message
            given = "" if secret or isinstance(problem["input"], dict) else f" is {problem['input']!r}:"
            sentences.append(f"{key}{given} {message}{_variable(location)}." if key else f"{message}.")
    return "\n".join(sentences)


def _nearest(key: str) -> str:
    import difflib

    *sections, field = key.split(".")
    fields: dict[str, Any] = StudySettings.model_fields
    for section in sections:
        annotation = getattr(fields.get(section), "annotation", None)
        fields = getattr(annotation, "model_fields", {})
    near = difflib.get_close_matches(field, list(fields), n=1)
    return f" (did you mean {'.'.join([*sections, near[0]])}?)" if near else ""


def settings_from(content: dict[str, Any], flags: dict[str, Any]) -> StudySettings:
    """Settings from a file's content, with environment and flags laid over it.

    Args:
        content: (Some of) the fields of `StudySettings`, as in a study's YAML file.
        flags: Nested values that win over content and environment.

    Raises:
        pydantic.ValidationError: For an unknown key or an impossible value.
    """
    environment = environment_settings(StudySettings.model_fields)
    for changes, below in ((environment, content), (flags, content), (flags, environment)):
        _one_budget(below, changes)

    class Sources(StudySettings, BaseSettings):
        model_config = SettingsConfigDict(extra="forbid")

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            layers = (environment, content)
            return init_settings, *(InitSettingsSource(settings_cls, layer) for layer in layers)

    given = Sources(**flags)
    return StudySettings(**{name: getattr(given, name) for name in given.model_fields_set})
