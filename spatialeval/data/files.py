"""Rows of local files: parquet, jsonl, json, csv, tsv, gzip of the text ones, and formats that an adapter reads."""

from __future__ import annotations

import csv
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from spatialeval.data.adapters import ADAPTERS
from spatialeval.data.cells import ParquetShelf
from spatialeval.data.lines import TABLES, decode, is_table, open_bytes, suffix, text_lines
from spatialeval.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

Row = dict[str, Any]
"""One row as stored: column name -> value. Media cells are bytes, dicts of bytes and path, texts, or lists of these."""

MAX_CELL = 2**30
"""Characters of one csv cell; the standard limit of 131,072 is less than one base64 picture."""

_LONGEST_INDEX = 12
"""Characters of a cell that may be the index of another row instead of an image."""


def read_files(
    paths: Iterable[Path], *, records: str | None = None, adapter: str | None = None, root: Path | None = None
) -> Iterator[Row]:
    """Yield the rows of the files, one file after the other.

    Every row also gets `_file` (the file's name), `_path` (its path below `root`, with forward slashes) and `_index`
    (0-based within the file); rows of a JSON object of rows get `_key`. Values of csv and tsv stay texts.

    Args:
        paths: the files, in the order wanted.
        records: dotted key of the list or object that holds the rows of a JSON file.
        adapter: name of the reader in ADAPTERS, for files that are no table.
        root: the data folder that `_path` is relative to; the file's own folder when not given.

    Raises:
        DataError: a file that cannot be read; names file and line and what to do.
    """
    for path in paths:
        added = {"_file": path.name, "_path": _relative(path, root)}
        count = 0
        for row in _read(path, records, adapter):
            yield {**row, **added, "_index": count}
            count += 1
        if not count:
            raise DataError(f"{path} holds no rows. Fetch it again, or point --data at another file.")


def _relative(path: Path, root: Path | None) -> str:
    if root is None or not path.is_relative_to(root):
        return path.name
    return path.relative_to(root).as_posix() if path != root else path.name


def _read(path: Path, records: str | None, adapter: str | None) -> Iterator[Row]:
    if adapter is not None:
        return ADAPTERS.get(adapter)(path)
    found = suffix(path)
    if not is_table(path):
        raise DataError(
            f"{path} has the suffix {found or 'of no format'!r}, which is not one of {', '.join(TABLES)} (all but "
            f".parquet also with .gz). Convert the file, or name an adapter: {', '.join(ADAPTERS.names())}."
        )
    if found == ".json":
        return _json(path, records)
    if records is not None:
        raise DataError(f"{path}: `records: {records}` applies to .json files only. Remove it from the task file.")
    return _READERS[found](path)


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only parquet needs it

    if not path.exists():
        raise MissingDataError(f"{path} does not exist. Check the path given to --data.")
    try:
        shelf = ParquetShelf(path)
        names = shelf.columns()
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"{path}: column {twice[0]!r} occurs twice. Rename one of them.")
        yield from shelf.rows()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not readable as parquet ({_first_line(error)}). Fetch it again.") from error


def _jsonl(path: Path) -> Iterator[Row]:
    for number, line in enumerate(text_lines(path), start=1):
        if line.strip():
            value = _parse(line.rstrip("\r\n"), path, number)
            if not isinstance(value, dict):
                raise DataError(
                    f"{path}:{number}: a row must be a JSON object, not {_kind(value)}. Write one object per line."
                )
            yield value


def _json(path: Path, records: str | None) -> Iterator[Row]:
    with open_bytes(path) as stream:
        value = _parse(decode(stream.read(), path), path)
    place = ""
    for key in records.split(".") if records else ():
        if not isinstance(value, dict) or key not in value:
            holds = f"its keys are {_some(value)}" if isinstance(value, dict) else f"it is {_kind(value)}"
            raise DataError(f"{path}: `records: {records}` finds no {key!r} in {place or 'the file'}: {holds}.")
        value, place = value[key], f"{place}.{key}".lstrip(".")
    if isinstance(value, list):
        keyed: Iterable[tuple[Any, Any]] = enumerate(value)
    elif isinstance(value, dict):
        keyed = value.items()
    else:
        raise DataError(f"{path}: rows must be a list or an object of objects, not {_kind(value)}. Set `records`.")
    for key, row in keyed:
        if not isinstance(row, dict):
            hint = f"Set `records` to the key that holds the rows: {_some(value)}." if isinstance(value, dict) else ""
            raise DataError(f"{path}: {place or 'row'} {key!r} is {_kind(row)}, not an object. {hint}".rstrip())
        yield {**row, "_key": key} if isinstance(value, dict) else row


def _parse(text: str, path: Path, line: int = 1) -> Any:
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():  # JSON can escape half a character, which no request and no result can hold
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"{path}:{line + error.lineno - 1}"
        raise DataError(
            f"{place}: invalid JSON at column {error.colno}: {error.msg}. "
            "Repair that line, or fetch the file again if it was cut off."
        ) from None
    except RecursionError:
        raise DataError(f"{path}:{line}: JSON nested too deeply to be rows. Fetch the file again.") from None
    except UnicodeEncodeError as error:
        half = f"{ord(error.object[error.start]):#06x}"
        raise DataError(f"{path}:{line}: a text holds half a character ({half} alone). Repair the file.") from None
    return value


def _csv(path: Path) -> Iterator[Row]:
    return _separated(path, ",")


def _tsv(path: Path) -> Iterator[Row]:
    return _separated(path, "\t")


def _separated(path: Path, delimiter: str) -> Iterator[Row]:
    """Yield the rows; one whose `image` is the `index` of another row, as in VLMEvalKit's tables, gets that image."""
    held: dict[str, str] | None = None
    for row in _cells(path, delimiter):
        named = row.get("image", "")
        if "index" in row and named.isdecimal() and len(named) <= _LONGEST_INDEX:
            held = _images(path, delimiter) if held is None else held
            yield {**row, "image": held.get(named, named)}
        else:
            yield row


def _images(path: Path, delimiter: str) -> dict[str, str]:
    """Return the images of the rows that others refer to. Reads the file twice more, so as not to hold all images."""
    wanted = {row["image"] for row in _cells(path, delimiter) if len(row["image"]) <= _LONGEST_INDEX}
    rows = _cells(path, delimiter)
    return {row["index"]: row["image"] for row in rows if row["index"] in wanted and not row["image"].isdecimal()}


def _cells(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    # The limit belongs to the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
    # strict: an open quotation mark would otherwise swallow the rest of the file as one cell.
    reader = csv.reader(text_lines(path), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        _check_header(header, path)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{path}:{reader.line_num}: {len(cells)} cells for {len(header)} columns. "
                    "A cell that holds the delimiter, a quotation mark or a line break must be quoted."
                )
            yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{path}:{reader.line_num}: not valid {suffix(path)[1:]}: {error}. Quote such cells, or use jsonl."
        ) from None


def _check_header(header: Sequence[str], path: Path) -> None:
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(f"{path}:1: column {twice[0]!r} occurs twice. Rename one of them.")


def _some(value: dict[str, Any]) -> str:
    names = ", ".join(repr(key) for key in islice(value, 8))
    return names + (f" and {len(value) - 8} more" if len(value) > 8 else "")


def _kind(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".parquet": _parquet,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _tsv,
}
