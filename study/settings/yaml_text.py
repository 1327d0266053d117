"""YAML as people write settings: no dates, no surprises, and nothing that explodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from study.errors import first_line

_MOST_VALUES = 10_000
_DEEPEST = 20
_MERGE = "tag:yaml.org,2002:merge"
_DATE = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """YAML's safe types, without dates (2024-01-02 is a text) and without keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping; of two equal keys YAML's own loader would drop the first without a word."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(problem=f"the key {key.value!r} stands twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Any:
    """Texts, numbers, truth values, lists and mappings of them.

    Raises:
        ValueError: It is no YAML, has a key that is no text, or is too deep or, with its aliases, too large.
    """
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or first_line(error)
        raise ValueError(f"it is no YAML: {problem}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    check_values(content)
    return content


def check_values(content: Any) -> None:
    """Look at every value, as often as an alias repeats it.

    Raises:
        ValueError: A key is no text, or there are too many values or levels.
    """
    values = 0
    left = [(content, 0)]
    while left:
        value, depth = left.pop()
        values += 1
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if values > _MOST_VALUES:
            raise ValueError(f"with its aliases it has more than {_MOST_VALUES} values")
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"the key {key!r} is no text; write it in quotes")
            left += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list):
            left += [(one, depth + 1) for one in value]
