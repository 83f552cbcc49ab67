"""samples.parquet: one row per asked item, with everything that was sent, answered, read and scored."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from spatialeval.errors import StorageError
from spatialeval.run.storage import unwritable
from spatialeval.text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spatialeval.run.records import Record
    from spatialeval.samples import Answer, Sample

FILE_NAME = "samples.parquet"

COLUMNS = {
    "key": "string",
    "sample_id": "string",
    "view": "string",
    "category": "string",
    "group": "string",
    "answer": "string",
    "question": "string",
    "target": "string",
    "state": "string",
    "score": "float64",
    "read": "string",
    "rule": "string",
    "failure": "string",
    "message": "string",
    "attempts": "int32",
    "reply": "string",
    "thoughts": "string",
    "finish": "string",
    "prompt_tokens": "int64",
    "completion_tokens": "int64",
    "latency": "float64",
    "calls": "string",
    "judge": "string",
    "work": "string",
    "facets": "string",
    "sets": "string",
}
"""Column -> Arrow type. `score` is null for failed items and for those that the protocol leaves out; `target` and
`read` are text whatever the answer type; `latency` is the sum over calls, in seconds; `calls` is a JSON list of
{request, response, latency, attempts} with the messages really sent, media by name and hash; `judge` is such a list of
the calls of a judge, null where none was asked; `work` is a JSON object of what a strategy made on the way to its
answer (a map, a graph, facts, votes), null where it says nothing; `facets` and `sets` are JSON objects of the sample's,
null where it has none."""

_LATER = {"work", "facets", "sets"}
"""Columns that files of earlier versions lack."""

_ROWS_AT_ONCE = 1000


def write_samples(path: Path, records: Iterable[Record], samples: Mapping[str, Sample] | None = None) -> None:
    """Write one row per record, in their order, a thousand at a time; the file appears whole or not at all.

    Args:
        path: the file.
        records: what is written.
        samples: key -> what was asked, for the facets and sets.

    Raises:
        StorageError: when the file cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only results need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])
    held = samples or {}
    rows = (to_json(row_of(record, held.get(record.key))) for record in records)
    with replacing(path) as fresh, pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
        while batch := b"\n".join(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(_table(batch, schema))


def _table(lines: bytes, schema: Any) -> Any:
    """Return lines of JSON as a table; from Python values, pyarrow would load pandas first, a third of a second."""
    import pyarrow.json  # noqa: PLC0415 - heavy

    return pyarrow.json.read_json(
        io.BytesIO(lines),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def read_table(path: Path, again: str, columns: Sequence[str] = ()) -> Any:
    """Return samples.parquet, or some `columns` of it, as a pyarrow Table.

    Raises:
        StorageError: ending with `again`, when that cannot be done.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only results need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            held = file.schema_arrow.names
            table = file.read([name for name in columns if name in held] or None)
    except FileNotFoundError as error:
        raise StorageError(f"There is no {path}. {again}") from error
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} is damaged ({error}). {again}") from error
    if absent := [name for name in COLUMNS if name not in held and name not in _LATER]:
        raise StorageError(f"{path} lacks the columns {', '.join(absent)}: something else wrote it. {again}")
    return table


def row_of(record: Record, sample: Sample | None = None) -> dict[str, Any]:
    """Return the columns of one record, and of what was asked where that is at hand."""
    last = record.calls[-1].response if record.calls else {}
    usage = record.usage
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        "message": record.message,
        "attempts": record.attempts,
        "reply": record.reply,
        "target": as_text(record.target),
        "read": as_text(record.read),
        "thoughts": last.get("thoughts"),
        "finish": record.finish or last.get("finish"),
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "latency": sum(call.latency for call in record.calls) if record.calls else None,
        "calls": to_json(record.calls).decode(),
        "judge": to_json(record.judged).decode() if record.judged else None,
        "work": json.dumps(record.work, ensure_ascii=False) if record.work is not None else None,
        "facets": to_json(sample.facets).decode() if sample and sample.facets else None,
        "sets": to_json(sample.sets).decode() if sample and sample.sets else None,
    }


_PLAIN = ("key", "sample_id", "view", "category", "group", "answer", "question", "state", "score", "rule", "failure")
"""Columns that are attributes of a record, of the same names."""


def as_text(answer: Answer | None) -> str | None:
    """Return an answer as text: moves and letters with spaces between, anything nested and longer names as JSON.

    Numbers have full precision and no needless ".0".
    """
    if answer is None or isinstance(answer, str):
        return answer
    if isinstance(answer, float):
        return repr(int(answer)) if answer.is_integer() and abs(answer) < 2**53 else repr(answer)
    if isinstance(answer, tuple) and answer and all(isinstance(each, str) and _ONE_WORD(each) for each in answer):
        return " ".join(answer)
    return json.dumps(answer, ensure_ascii=False)


_ONE_WORD = re.compile(r"[^\s\[{]+").fullmatch


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new file's path and put the file in the place of `path` at the end; on any error `path` stays as it was.

    Raises:
        StorageError: when the operating system refuses.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield fresh
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
