"""From a command line to validated settings: presets, files and `--section.field value` flags."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from models.errors import ModelError
from study.errors import UsageError, first_line
from study.settings.schema import StudySettings

ENVIRONMENT_PREFIX = "STUDY_"
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
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(f"{flag}: {value} cannot be read as a YAML value.") from None


def load_settings(
    source: Path | Mapping[str, Any], flags: dict[str, Any], datasets: dict[str, Any] | None = None
) -> StudySettings:
    """Validated settings, or one sentence that names the key.

    Args:
        source: A YAML file, or what stands in one.
        flags: Nested values that win over source and environment.
        datasets: Take the place of the source's datasets.

    Raises:
        UsageError: For an unreadable file, an unknown key or an impossible value.
    """
    content = _content(source)
    _check_environment()
    if datasets:
        content["datasets"] = datasets
        content.get("budget", {}).pop("epochs_for", None)
    with _one_sentence():
        return settings_from(content, flags)


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
        return copy.deepcopy(dict(source))
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{source} cannot be read as YAML: {first_line(error)}.") from None
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


def _check_environment() -> None:
    import os

    for name in os.environ:
        if name.startswith(ENVIRONMENT_PREFIX):
            field = name.removeprefix(ENVIRONMENT_PREFIX).split("__")[0].lower()
            if field not in StudySettings.model_fields:
                raise UsageError(
                    f"The environment variable {name} names no setting ({field}); unset or correct it."
                )


def _sentence(error: ValidationError) -> str:
    sentences = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "string_pattern_mismatch":
            message = "use letters, digits, dots, underscores and hyphens alone"
        if problem["type"] == "extra_forbidden":
            sentences.append(f"Unknown setting {key}{_nearest(key)}; see --help for the settings there are.")
        elif problem["type"] == "missing":
            sentences.append(f"{key} is not set; give it in the file or as --{key} VALUE.")
        else:
            secret = "holds a password" in message
            given = "" if secret or isinstance(problem["input"], dict) else f" is {problem['input']!r}:"
            sentences.append(f"{key}{given} {message}." if key else f"{message}.")
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

    class Sources(StudySettings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid"
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, content)

    given = Sources(**flags)
    return StudySettings(**{name: getattr(given, name) for name in given.model_fields_set})
