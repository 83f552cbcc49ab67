"""Group commit: many coroutines write, one thread commits what is waiting in one transaction.

A commit with synchronous=FULL costs a disk flush, some milliseconds. Writes that arrive during a flush share the next
one, so a run with many requests in flight pays one flush for all of them.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.errors import StorageError
from spatialeval.run.storage import explain

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_LARGEST_GROUP = 512


@dataclass(frozen=True, slots=True)
class _Write:
    sql: str
    values: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class GroupWriter:
    """The one thread that writes to `connection`, which must be in manual transaction mode."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._thread.start()

    async def write(self, sql: str, values: tuple[Any, ...]) -> None:
        """Return once the statement is committed to disk; raise StorageError when that is impossible."""
        if self._closed:
            raise StorageError(f"{self._path} is already closed. Open it again to write.")
        loop = asyncio.get_running_loop()
        write = _Write(sql, values, loop, loop.create_future())
        self._queue.put(write)
        await write.done

    def close(self) -> None:
        """Commit what is waiting and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            group, ended = self._gather(first)
            error = self._commit(group)
            for loop in {write.loop for write in group}:
                dones = [write.done for write in group if write.loop is loop]
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_settle, dones, error)
            if ended:
                return

    def _gather(self, first: _Write) -> tuple[list[_Write], bool]:
        """Return everything that waits now, and whether the end was among it."""
        group = [first]
        while len(group) < _LARGEST_GROUP:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.append(following)
        return group, False

    def _commit(self, group: list[_Write]) -> StorageError | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for write in group:
                self._connection.execute(write.sql, write.values)
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            # SQLite itself rolls back on a full disk; on other errors the transaction is still open.
            if self._connection.in_transaction:
                self._connection.rollback()
            return explain(self._path, error)
        return None


def _settle(dones: list[asyncio.Future[None]], error: StorageError | None) -> None:
    for done in dones:
        if done.done():  # its caller was cancelled meanwhile
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(StorageError(str(error)))
