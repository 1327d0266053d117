"""The list of settings, made from the configuration's own fields: for `--help` and the documentation."""

from __future__ import annotations

import textwrap
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from study.settings.choices.pruners import PRUNERS
from study.settings.choices.samplers import SAMPLERS
from study.settings.choices.word import WordOf
from study.settings.schema import DatasetSettings, StudySettings

_COLUMNS = 80


def settings_reference() -> str:
    """Every setting with its default and meaning, at most 80 columns wide."""
    lines = ["settings (file < environment STUDY_SECTION__FIELD < flag --section.field):"]
    for name, default, meaning in settings_table():
        if name == "name":  # stands among the command's own options
            continue
        lines.append(f"  --{name}" + (f" [{default}]" if default else ""))
        plain = meaning.replace("`", "")  # the page of settings is Markdown, a console is not
        lines += textwrap.wrap(plain, _COLUMNS, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join(lines)


def settings_table() -> list[tuple[str, str, str]]:
    """(name, default, meaning) of every setting."""
    rows = []
    for name, field in StudySettings.model_fields.items():
        if name == "datasets":
            rows += [
                _row(f"datasets.NAME.{inner}", one) for inner, one in DatasetSettings.model_fields.items()
            ]
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            rows += [_row(f"{name}.{inner}", one) for inner, one in field.annotation.model_fields.items()]
        else:
            rows.append(_row(name, field))
    return rows


def _row(name: str, field: FieldInfo) -> tuple[str, str, str]:
    drawn = field.annotation is int and field.default_factory is not None
    default: Any = None if drawn else field.get_default(call_default_factory=True)
    shown = "" if default in (None, PydanticUndefined, {}, []) else str(default)
    if isinstance(default, list):
        shown = ", ".join(default)
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    for note in field.metadata:
        if isinstance(note, WordOf):
            choices = tuple(note.table)
    meaning = field.description or ""
    return name, shown, f"{meaning} ({', '.join(choices)})" if choices else meaning


def settings_markdown() -> str:
    """The same as a page: `python -m study.reference > docs/settings.md`."""
    rows = [
        f"| `{name}` | {f'`{default}`' if default else ''} | {_escaped(meaning)} |"
        for name, default, meaning in settings_table()
    ]
    head = [
        "# Settings",
        "",
        "Made by `python -m study.reference`. A setting comes from a preset or YAML file, then the environment",
        "(`STUDY_BUDGET__TRIALS=8`), then a flag (`--budget.trials 8`); the later one wins. Values are YAML.",
        "",
        "| setting | default | meaning |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, "", *_samplers(), "", *_pruners()]) + "\n"


def _samplers() -> list[str]:
    """Every sampler, and what it leaves to chance."""
    lines = ["## Samplers", "", "| `search.sampler` | proposes by | drawn at random |", "| --- | --- | --- |"]
    for one in SAMPLERS.values():
        drawn = [
            "every trial" if one.draws_at_random else "",
            "the first `search.startup_trials`" if one.learns_from else "",
            "" if one.choices else "options",
            "" if one.conditional else "what depends on an option",
        ]
        lines.append(f"| `{one.name}` | {one.meaning} | {', '.join(filter(None, drawn))} |")
    return lines


def _pruners() -> list[str]:
    """Every pruner, and whether it waits."""
    lines = [
        "## Pruners",
        "",
        "| `search.pruner` | stops | waits for complete trials |",
        "| --- | --- | --- |",
    ]
    for one in PRUNERS.values():
        waits = "`search.startup_trials`" if one.needs_complete_trials else ""
        lines.append(f"| `{one.name}` | {one.meaning} | {waits} |")
    return lines


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
