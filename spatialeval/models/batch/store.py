"""Which batch holds which request, in one SQLite file beside the journal; every step is on disk before it counts.

A batch goes through: begun (its file is written, its lines are noted), uploaded (the provider's name of the file is
known), created (the name of the batch is known), ended (its answers are here). A session that finds a batch goes on
from there. Bodies are not in it: they are in the batch's file until the batch is created.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.errors import StorageError, UsageError
from spatialeval.messages import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FILE_NAME = "batches.sqlite"

_FORMAT = 1
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE batches (
    number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, lines INTEGER NOT NULL, begun REAL NOT NULL,
    file TEXT, id TEXT, ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE lines (id TEXT PRIMARY KEY, batch INTEGER NOT NULL, place INTEGER NOT NULL, answer TEXT) WITHOUT ROWID;
CREATE INDEX lines_of_batch ON lines (batch, place);
PRAGMA user_version = {_FORMAT};
COMMIT;
"""
_BATCH = "SELECT number, token, lines, begun, file, id FROM batches"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that has not ended.

    Attributes:
        number: here.
        token: a name of ours that goes with it to the provider, by which it is found again.
        lines: how many requests it holds.
        begun: seconds since 1970.
        file: the provider's name of the uploaded file, once known.
        id: the provider's name of the batch, once known.
    """

    number: int
    token: str
    lines: int
    begun: float
    file: str | None = None
    id: str | None = None


def refuse_open(folder: Path) -> None:
    """Raise UsageError when batches that were kept in a folder have not ended, as far as anybody looked."""
    if not (folder / FILE_NAME).exists():
        return
    store = BatchStore(folder)
    batches = store.open_batches()
    store.close()
    if batches:
        raise UsageError(
            f"{sum(batch.lines for batch in batches):,} requests of this run are on their way in batches "
            f"({', '.join(batch.id or 'not sent yet' for batch in batches)}). Add --batch to take their answers, or "
            f"move {folder} away to ask everything directly."
        )


class BatchStore:
    """The store in a folder, made when absent. Its calls block; any thread may make them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder} cannot be made ({error.strerror}). Choose another --out.") from error
        self._connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        with self._told():
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            (found,) = self._connection.execute("PRAGMA user_version").fetchone()
            if not found:
                self._connection.executescript(_TABLES)
        if found not in {0, _FORMAT}:
            raise StorageError(
                f"{self.path} is of format {found}, and this version of spatialeval knows format {_FORMAT}. "
                "Use the version that wrote it, or start over with --fresh (the old folder is moved aside)."
            )

    def begin(self, token: str, ids: Sequence[str]) -> Batch:
        """Note a batch whose file is on disk, and the requests in it in their order."""
        with self._change() as connection:
            begun = time.time()
            row = connection.execute(
                "INSERT INTO batches (token, lines, begun) VALUES (?, ?, ?)", (token, len(ids), begun)
            )
            number = int(row.lastrowid or 0)
            connection.executemany(
                "INSERT INTO lines (id, batch, place) VALUES (?, ?, ?)",
                ((each, number, place) for place, each in enumerate(ids, 1)),
            )
        return Batch(number, token, len(ids), begun)

    def note(self, batch: Batch) -> None:
        """Note the provider's names of a batch and its file."""
        with self._change() as connection:
            connection.execute(
                "UPDATE batches SET file = ?, id = ? WHERE number = ?", (batch.file, batch.id, batch.number)
            )

    def end(self, batch: Batch, answers: Iterable[tuple[str, Response]]) -> None:
        """Keep the answers of a batch that ended; requests without one are forgotten, so that they can be asked again.

        An answer to what the batch did not hold is left out.
        """
        with self._change() as connection:
            connection.executemany(
                "UPDATE lines SET answer = ? WHERE id = ? AND batch = ?",
                ((json.dumps(response.record()), each, batch.number) for each, response in answers),
            )
            connection.execute("DELETE FROM lines WHERE batch = ? AND answer IS NULL", (batch.number,))
            connection.execute("UPDATE batches SET ended = 1 WHERE number = ?", (batch.number,))

    def open_batches(self) -> list[Batch]:
        """Return the batches that have not ended."""
        return [Batch(*row) for row in self._rows(f"{_BATCH} WHERE NOT ended ORDER BY number")]

    def find(self, each: str) -> Batch | Response | None:
        """Return the answer to a request, or the batch that will answer it, or None where nobody was asked yet."""
        rows = self._rows("SELECT answer, batch FROM lines WHERE id = ?", (each,))
        if not rows:
            return None
        answer, number = rows[0]
        if answer is not None:
            return Response.from_record(json.loads(answer))
        return Batch(*self._rows(f"{_BATCH} WHERE number = ?", (number,))[0])

    def line(self, batch: Batch, place: int) -> str | None:
        """Return the request in that place (from 1) of a batch."""
        rows = self._rows("SELECT id FROM lines WHERE batch = ? AND place = ?", (batch.number, place))
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._told():
            return self._connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.path} cannot be used ({error}). Free some space or mend the disk, then run the same command "
                "again: batches at the provider go on. Where the file is damaged, start over with --fresh."
            ) from error
