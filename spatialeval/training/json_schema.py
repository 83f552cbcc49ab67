"""The JSON Schema of recipes. The copy at docs/recipe.schema.json is what recipe files point their editors to."""

from __future__ import annotations

import json
from typing import Any

from spatialeval.training.schema import Recipe


def json_schema() -> str:
    """Return the schema as JSON text with a final newline. A text may stand for a source, a reward or an exam alone."""
    schema = Recipe.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "spatialeval recipe"
    for part in schema["$defs"].values():
        _allow_texts(part)
    _allow_texts(schema)
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


_SHORT = {"#/$defs/Source", "#/$defs/Term", "#/$defs/Gate"}
"""Sections that a text alone may stand for."""


def _allow_texts(node: Any) -> None:
    if isinstance(node, list):
        for each in node:
            _allow_texts(each)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        if reference in _SHORT:
            del node["$ref"]
            node["anyOf"] = [{"$ref": reference}, {"type": "string"}]
            return
        for value in node.values():
            _allow_texts(value)
