"""The JSON Schema of task files. The copy at docs/task.schema.json is what task files point their editors to."""

from __future__ import annotations

import json

from spatialeval.tasks.schema import TaskSpec


def json_schema() -> str:
    """Return the schema as JSON text with a final newline. Variants are checked like the sections they change."""
    schema = TaskSpec.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "spatialeval task file"
    variant = schema["$defs"]["Variant"]["properties"]
    for part, name in (("data", "Data"), ("sample", "SampleSpec")):
        section = {key: value for key, value in schema["$defs"][name].items() if key != "required"}
        variant[part] = {**section, "title": f"changed {part}"}
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"
