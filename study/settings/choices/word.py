"""A setting whose values are the entries of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from models.registry import Table


@dataclass(frozen=True)
class WordOf:
    """Annotates a setting that names an entry of a table; other words are refused with the list of known ones."""

    table: Table[Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._known, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # Plug-ins may add words, so the known ones are examples.
        return {**handler(core), "examples": list(self.table)}

    def _known(self, word: str) -> str:
        if word not in self.table:
            raise ValueError(f"no {self.table.kind} has this name; known are {', '.join(self.table)}")
        return word
