"""Questions about metro maps whose rows name the file of the network instead of holding it (FSCCS/ReasonMap-Train)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from spatialeval.data.adapters import ADAPTERS
from spatialeval.data.lines import text_lines
from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS_UP = 3
"""Folders above a table in which `stations` is looked for: hub repositories keep tables in `data`."""
_NAME = re.compile(r"\w[\w .-]*")


@ADAPTERS.register("metro_rows")
def metro_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with the network itself in `json`: line -> stops, from stations/COUNTRY/CITY.json.

    These files are in fscdc/ReasonMap; the folder `stations` stands beside the table or above it. Rows of a city
    without a file are an error, rows that hold their network stay as they are.
    """
    from spatialeval.data.files import read_files  # noqa: PLC0415 - that module imports the adapters

    known: dict[tuple[str, str], Any] = {}
    for number, row in enumerate(read_files([path])):
        if isinstance(row.get("json"), str) and row["json"].lstrip().startswith("{"):
            yield row
            continue
        city = str(row.get("country")), str(row.get("city"))
        if city not in known:
            known[city] = _network(path, number, *city)
        yield {**row, "json": known[city]}


def _network(path: Path, number: int, country: str, city: str) -> Any:
    """Return the lines of a city; raise DataError where its file is not here."""
    if not (_NAME.fullmatch(country) and _NAME.fullmatch(city)):
        raise DataError(f"{path}: row {number}: country {country!r} and city {city!r} name no file. Mend the row.")
    for folder in list(path.absolute().parents)[:_FOLDERS_UP]:
        file = folder / "stations" / country / f"{city}.json"
        if file.is_file():
            try:
                return json.loads("".join(text_lines(file)))
            except ValueError as error:
                raise DataError(f"{file}: not valid JSON: {error}. Fetch the file again.") from error
    raise DataError(
        f"{path}: row {number} needs stations/{country}/{city}.json, which is in fscdc/ReasonMap. "
        f"Put that repository's folder `stations` into {path.parent}."
    )
