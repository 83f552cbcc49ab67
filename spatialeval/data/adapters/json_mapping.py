"""A JSON mapping of id to one value, as saved answers often are: {"val_Art_Style_1": "(A)", ...}."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spatialeval.data.adapters import ADAPTERS
from spatialeval.data.lines import text_lines
from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@ADAPTERS.register("json_mapping")
def json_mapping(path: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per entry: `_key` and `value`."""
    try:
        data = json.loads("".join(text_lines(path)))
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON: {error}. Fetch the file again.") from error
    if not isinstance(data, dict):
        raise DataError(f"{path}: must hold one mapping of id to value, not a {type(data).__name__}.")
    for key, value in data.items():
        yield {"_key": key, "value": value}
