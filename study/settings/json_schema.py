"""The JSON schema of a study's file, made from the configuration's own fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from study.settings.schema import StudySettings

SCHEMA_FILE = Path(__file__).with_name("study.schema.json")
"""The schema that comes with the software: `python -m study.schema --output study/settings/study.schema.json`."""


def schema_text() -> str:
    """The schema, indented. A file may leave out whatever flags or the environment give."""
    schema = StudySettings.model_json_schema()
    _without_required(schema)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Study"}
    return json.dumps(head, indent=2, ensure_ascii=False) + "\n"


def _without_required(node: Any) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("required"), list):
            del node["required"]
        for value in node.values():
            _without_required(value)
    elif isinstance(node, list):
        for value in node:
            _without_required(value)
