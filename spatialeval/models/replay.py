"""replay:FILE - replies saved earlier, by this package or by anything else, as a model.

The file is JSONL, CSV or Parquet by its suffix, each possibly gzipped (`.gz`), with a column of sample ids and one of
replies. A null reply counts as not saved; an empty one is an empty answer (CSV cannot tell the two apart: empty).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import DataError, MissingDataError, ModelError, UsageError, nearest
from spatialeval.messages import Finish, Response
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.chat import storable
from spatialeval.models.extra import check_keys, option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spatialeval.messages import Request

ID_COLUMNS = ("id", "sample_id", "idx")
RESPONSE_COLUMNS = ("response", "reply", "prediction")
FINISH_COLUMNS = ("finish", "finish_reason")

_AGAIN = "The file seems cut off or damaged: save or copy it again, or take that line out."
_Row = tuple[int, dict[str, Any]]
"""A row and its place: the line of a text file, the number of a Parquet row, both from 1."""


@dataclass(frozen=True, slots=True)
class SavedReply:
    """A reply of a file: its text, and whether the token cap had cut it."""

    text: str
    finish: Finish = "stop"


def read_replies(path: Path, id_column: str | None = None, response_column: str | None = None) -> dict[str, SavedReply]:
    """Return the replies of a file by sample id.

    Args:
        path: a .jsonl, .csv or .parquet file, possibly with .gz behind.
        id_column: the column of sample ids; None takes the first of ID_COLUMNS that is there.
        response_column: the column of replies; None takes the first of RESPONSE_COLUMNS that is there.

    Raises MissingDataError when there is no such file, UsageError for another suffix, and DataError, naming file and
    line, for a missing column, an id that comes twice, a reply that is no text, and a file that is cut off.
    """
    if not path.is_file():
        raise MissingDataError(f"there is no file {path}. Name a JSONL, CSV or Parquet file of saved replies.")
    replies: dict[str, SavedReply] = {}
    seen: dict[str, int] = {}
    columns: tuple[str, str, str | None] | None = None
    for place, row in _rows(path):
        if columns is None:
            ids = _column(path, row, "ids", id_column, ID_COLUMNS)
            columns = ids, _column(path, row, "replies", response_column, RESPONSE_COLUMNS), _finish_column(row)
        key = _key(path, place, row, columns[0])
        if key in seen:
            raise DataError(f"{path}:{place}: id {key!r} was on line {seen[key]} already. Keep one reply per id.")
        seen[key] = place
        text = _text(path, place, row, columns[1])
        if text is not None:
            cut = columns[2] is not None and row.get(columns[2]) == "length"
            replies[key] = SavedReply(text, "length" if cut else "stop")
    return replies


class ReplayModel(Model):
    """Answers with the saved reply of a sample. Options: `id_column` and `response_column`."""

    def __init__(self, path: Path, options: ModelOptions) -> None:
        check_keys("replay", options, ("id_column", "response_column"))
        self.spec, self.path = f"replay:{path}", path
        self.id_column = option("replay", options, "id_column", None, str)
        self.response_column = option("replay", options, "response_column", None, str)
        self._replies: Mapping[str, SavedReply] | None = None

    def identity(self) -> dict[str, Any]:
        """Return the digest of the file and the columns read."""
        if not self.path.is_file():
            raise MissingDataError(f"there is no file {self.path}. Name a file of saved replies.")
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        columns = {"id_column": self.id_column, "response_column": self.response_column}
        return {"spec": self.spec, "sha256": digest, **columns}

    async def start(self) -> None:
        """Read the file; raises what `read_replies` raises."""
        self._replies = read_replies(self.path, self.id_column, self.response_column)

    async def ask(self, request: Request) -> Response:
        """Return the saved reply; raise ModelError `no_content` when the sample has none."""
        if self._replies is None or request.sample is None:
            raise UsageError(f"{self.spec} must be started, and answers requests that name their sample.")
        reply = self._replies.get(request.sample.id)
        if reply is None:
            raise ModelError(f"{self.path} holds no reply for sample {request.sample.id!r}", kind="no_content")
        return Response(reply.text, reply.finish)


def _rows(path: Path) -> Iterator[_Row]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else path.suffix.lower()
    readers = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".parquet": _parquet}
    if kind not in readers:
        raise UsageError(f"{path} is none of .jsonl, .csv and .parquet (with or without .gz). Convert or rename it.")
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if suffixes[-1] == ".gz" else data
    except OSError as error:  # BadGzipFile too
        raise DataError(f"{path} cannot be read: {error}. {_AGAIN}") from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path} ends in the middle of its compressed data ({error}). {_AGAIN}") from error
    return readers[kind](path, data)


def _jsonl(path: Path, data: bytes) -> Iterator[_Row]:
    for place, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{place}: this line is not JSON ({error}). {_AGAIN}") from error
        if not isinstance(row, dict):
            raise DataError(
                f"{path}:{place}: this line is no JSON object. Write one object with id and reply per line."
            )
        yield place, row


def _csv(path: Path, data: bytes) -> Iterator[_Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{place}: this line is not UTF-8 ({error.reason}). {_AGAIN}") from error
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, [])
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                told = f"{len(cells)} cells, and the header {len(header)}"
                raise DataError(f"{path}:{lines.line_num}: this line has {told}. {_AGAIN}")
            yield lines.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{path}:{lines.line_num}: {error}. {_AGAIN}") from error


def _parquet(path: Path, data: bytes) -> Iterator[_Row]:
    import pyarrow as pa  # noqa: PLC0415 - costs 0.2 s, paid only for such files
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        place = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                place += 1
                yield place, row
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no whole Parquet file: {error}. {_AGAIN}") from error


def _column(path: Path, row: Mapping[str, Any], what: str, named: str | None, usual: Sequence[str]) -> str:
    if named is None:
        found = next((column for column in usual if column in row), None)
        if found is not None:
            return found
    elif named in row:
        return named
    wanted = repr(named) if named else " or ".join(usual)
    close = nearest(named, row) if named else f"Its columns: {', '.join(row)}. "
    raise DataError(f"{path} has no column {wanted} of {what}. {close}Name the right one.")


def _finish_column(row: Mapping[str, Any]) -> str | None:
    return next((column for column in FINISH_COLUMNS if column in row), None)


def _key(path: Path, place: int, row: Mapping[str, Any], column: str) -> str:
    key = row.get(column)
    if key is None or isinstance(key, dict | list | bool | float):
        raise DataError(f"{path}:{place}: {column} is {key!r}. Give every line the id of its sample.")
    return str(key)


def _text(path: Path, place: int, row: Mapping[str, Any], column: str) -> str | None:
    if column not in row:
        raise DataError(f"{path}:{place}: this line has no {column!r}. Write null where there is no reply.")
    text = row[column]
    if isinstance(text, dict | list):
        raise DataError(f"{path}:{place}: {column} is a {type(text).__name__}, not text. Save the reply's text.")
    return None if text is None else storable(str(text))


@MODELS.register("replay")
def open_replay(name: str, options: ModelOptions) -> ReplayModel:
    """Return the model that replays the file called `name`."""
    if not name:
        raise UsageError("replay needs a file: write replay:FILE.")
    return ReplayModel(Path(name).expanduser(), options)
