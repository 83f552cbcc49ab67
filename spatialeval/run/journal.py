"""The journal of a run: every answered call and every finished item, on disk before it counts.

One SQLite file in the run folder. `put_call` and `put_record` return after the commit, so a process killed at any
moment loses only the requests that were in flight.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from spatialeval.errors import StorageError
from spatialeval.messages import Usage
from spatialeval.run.records import Call, Record, judged_key
from spatialeval.run.storage import damaged, explain, unwritable
from spatialeval.run.writer import GroupWriter
from spatialeval.text import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from spatialeval.scores import State

FORMAT = 1
"""Raised when the tables change; stored in the file as its user_version."""

FILE_NAME = "journal.sqlite"

_TABLES = """
CREATE TABLE calls (
    item TEXT NOT NULL, step INTEGER NOT NULL, digest TEXT NOT NULL,
    request TEXT NOT NULL, response TEXT NOT NULL, latency REAL NOT NULL, attempts INTEGER NOT NULL,
    UNIQUE (item, step));
CREATE TABLE records (
    item TEXT NOT NULL UNIQUE, state TEXT NOT NULL, media TEXT NOT NULL, record TEXT NOT NULL);
"""

# Updating in place keeps row numbers dense, which is what lets `recover` visit every row of a damaged file.
PUT_CALL = """
INSERT INTO calls (item, step, digest, request, response, latency, attempts) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (item, step) DO UPDATE SET digest = excluded.digest, request = excluded.request,
    response = excluded.response, latency = excluded.latency, attempts = excluded.attempts"""
PUT_RECORD = """
INSERT INTO records (item, state, media, record) VALUES (?, ?, ?, ?)
ON CONFLICT (item) DO UPDATE SET state = excluded.state, media = excluded.media, record = excluded.record"""
_CALL = "SELECT item, step, request, response, latency, attempts FROM calls WHERE item = ? AND step = ? AND digest = ?"
_CALLS = """
SELECT item, step, request, response, latency, attempts FROM calls WHERE item IN (SELECT value FROM json_each(?))"""
_RECORDS = "SELECT item, record FROM records WHERE item IN (SELECT value FROM json_each(?))"
_AT_ONCE = 500
"""Records read with one query."""
_KEPT = [field.name for field in fields(Record) if field.name not in {"calls", "judged"}]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the journal says about an item without its calls: enough to decide whether it is asked again."""

    state: State
    media: tuple[str, ...]
    """Fingerprints of the sample's media when it was answered."""


class Journal:
    """The journal at `path`. Open it with `Journal.open`; use it as a context manager or call `close`."""

    def __init__(self, path: Path, reader: sqlite3.Connection, writer: sqlite3.Connection | None) -> None:
        self.path = path
        self._reader, self._writing = reader, writer
        self._writer = GroupWriter(writer, path) if writer else None

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False) -> Self:
        """Open the journal, creating it unless `readonly`.

        Raises StorageError for a damaged file, an unknown format, an absent file (readonly) or one that cannot be
        written.
        """
        if readonly:
            return cls(path, _connect_readonly(path), None)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        writer = _connect(path)
        return cls(path, _connect(path), writer)

    async def put_call(self, item: str, step: int, digest: str, call: Call) -> None:
        """Store the answered call number `step` of `item`; return when it is on disk."""
        request, response = to_json(call.request).decode(), to_json(call.response).decode()
        await self._write(PUT_CALL, (item, step, digest, request, response, call.latency, call.attempts))

    async def put_record(self, record: Record, steps: Sequence[int], media: Sequence[str] = ()) -> None:
        """Store a finished item, whose calls are the already stored `steps`; return when it is on disk.

        The calls of its judge are stored too, numbered from 0.
        """
        data = {name: getattr(record, name) for name in _KEPT}
        data |= {"calls": list(steps), "judged": list(range(len(record.judged)))}
        await self._write(PUT_RECORD, (record.key, record.state, json.dumps(list(media)), json.dumps(data)))

    def call(self, item: str, step: int, digest: str) -> Call | None:
        """Return the stored call number `step` of `item`, or None when there is none or it asked something else."""
        return next((_call(row) for row in self._rows(_CALL, (item, step, digest))), None)

    @property
    def answered(self) -> bool:
        """Whether any call has an answer."""
        return any(True for _ in self._rows("SELECT 1 FROM calls LIMIT 1"))

    def usage(self) -> dict[bool, Usage]:
        """Return the tokens that all answered calls used, those of items without a record included.

        The key says whether a judge answered; answers from a cache of answers are left out.
        """
        sums = ", ".join(
            f"sum(json_extract(response, '$.usage.{name}'))"
            for name in ("prompt_tokens", "completion_tokens", "cached_tokens")
        )
        judged = f"item LIKE '%{judged_key('')}'"
        rows = self._rows(f"SELECT {judged}, {sums} FROM calls WHERE attempts > 0 GROUP BY 1")  # noqa: S608 - constants
        return {bool(by_judge): Usage(*counts) for by_judge, *counts in rows}

    def untold(self) -> Iterator[tuple[bool, Call]]:
        """Yield the calls of `usage` whose server did not tell all tokens, and whether a judge answered."""
        told = (f"json_extract(response, '$.usage.{name}')" for name in ("prompt_tokens", "completion_tokens"))
        where = f"attempts > 0 AND ({' OR '.join(f'{each} IS NULL' for each in told)})"
        sql = f"SELECT item, step, request, response, latency, attempts FROM calls WHERE {where}"  # noqa: S608 - constants
        for row in self._rows(sql):
            yield row[0].endswith(judged_key("")), _call(row)

    def kept(self) -> dict[str, Kept]:
        """Return the state of every item that has a record, failed ones included."""
        rows = self._rows("SELECT item, state, media FROM records")
        return {item: Kept(state, tuple(from_json(media))) for item, state, media in rows}

    def records(self, keys: Iterable[str] | None = None, *, calls: bool = True) -> Iterator[Record]:
        """Yield the stored records: those of `keys` in that order (absent ones left out), or all in stored order.

        Args:
            keys: item keys.
            calls: False leaves the calls out, which is much faster where only states and scores matter.
        """
        for texts in self._stored(keys):
            held = [from_json(text) for text in texts]
            names = [data["key"] for data in held] if calls else []
            names += [judged_key(data["key"]) for data in held if calls and data.get("judged")]
            answers = self._calls(names)
            for data in held:
                key, steps, judged = data["key"], data["calls"], data.get("judged", [])
                data["calls"] = self._these(answers, key, steps) if calls else []
                data["judged"] = self._these(answers, judged_key(key), judged) if calls and judged else []
                yield Record.from_json(data)

    def close(self) -> None:
        """Commit what is waiting and close the file; closing twice is fine."""
        if self._writer:
            self._writer.close()
        self._reader.close()
        if self._writing:
            self._writing.close()

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self.close()

    def _stored(self, keys: Iterable[str] | None) -> Iterator[list[str]]:
        """Yield the texts of records, many at a time: each query has its price."""
        if keys is None:
            rows = self._rows("SELECT record FROM records ORDER BY rowid")
            while some := [text for (text,) in islice(rows, _AT_ONCE)]:
                yield some
            return
        wanted = iter(keys)
        while names := list(islice(wanted, _AT_ONCE)):
            found = dict(self._rows(_RECORDS, (json.dumps(names),)))
            yield [found[name] for name in names if name in found]

    def _calls(self, items: Sequence[str]) -> dict[str, dict[int, Call]]:
        """Return item -> step -> call."""
        found: dict[str, dict[int, Call]] = {}
        for row in self._rows(_CALLS, (json.dumps(items),)):
            found.setdefault(row[0], {})[row[1]] = _call(row)
        return found

    def _these(self, answers: dict[str, dict[int, Call]], item: str, steps: list[int]) -> list[Call]:
        stored = answers.get(item, {})
        if missing := set(steps) - set(stored):
            raise damaged(self.path, f"calls {sorted(missing)} of item {item!r} are missing")
        return [stored[step] for step in steps]

    async def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        if self._writer is None:
            raise StorageError(f"{self.path} was opened for reading only. Open it with Journal.open(path) to write.")
        await self._writer.write(sql, values)

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._reader.execute(sql, values)
        except sqlite3.Error as error:
            raise explain(self.path, error) from error


def _call(row: tuple[Any, ...]) -> Call:
    _, _, request, response, latency, attempts = row
    return Call(from_json(request), from_json(response), latency, attempts)


def _connect(path: Path) -> sqlite3.Connection:
    """Return a checked connection for writing, in manual transaction mode; the tables exist."""
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _check(connection, path, create=True)
    except sqlite3.Error as error:
        if connection:
            connection.close()
        raise explain(path, error) from error
    except StorageError:
        if connection:
            connection.close()
        raise
    return connection


def _connect_readonly(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StorageError(f"There is no journal at {path}. Give the folder of a run that has one.")
    # A journal that was closed properly has no -wal file; without one, a read-only folder needs immutable=1.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=30, check_same_thread=False)
    try:
        _check(connection, path, create=False)
    except (sqlite3.Error, StorageError) as error:
        connection.close()
        raise (explain(path, error) if isinstance(error, sqlite3.Error) else error) from error
    return connection


def _check(connection: sqlite3.Connection, path: Path, *, create: bool) -> None:
    """Raise StorageError unless the file is sound and of the known format; fill an empty file when `create`."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if create and not found and not tables:
        # One transaction: a process killed here leaves an empty file, not half the tables.
        connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        return
    if found != FORMAT:
        raise StorageError(
            f"{path} is a journal of format {found}, and this version of spatialeval knows format {FORMAT}. "
            "Use the version that wrote it, or start over with --fresh (the old folder is moved aside)."
        )
    with closing(connection.execute("PRAGMA quick_check(1)")) as verdict:
        (word,) = verdict.fetchone()
    if word != "ok" or not {"calls", "records"} <= set(tables):
        why = " ".join(word.removeprefix("*** in database main ***").split())
        raise damaged(path, why if word != "ok" else "tables are missing")
