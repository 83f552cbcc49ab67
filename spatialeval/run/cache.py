"""Answers kept across runs, for those who ask for it: the same question to the same model is then asked once.

One SQLite file in a folder of its own, used by any number of processes at once. It only ever saves requests: one that
is damaged, full or unreachable is mentioned and left alone, and the run goes on without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import time
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from spatialeval.errors import StorageError, UsageError
from spatialeval.messages import Response
from spatialeval.run.records import Call
from spatialeval.run.writer import GroupWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spatialeval.messages import Request, Settings
    from spatialeval.models.base import Model

FORMAT = 1
"""Raised when the table, or what a key is made of, changes."""

FILE_NAME = "answers.sqlite"

_BUSY_SECONDS = 20
"""How long another process may hold the file. Nothing but what needs the file waits for it meanwhile."""
_LOOK_AGAIN = 0.05

_TABLE = "CREATE TABLE answers (key BLOB PRIMARY KEY, answer BLOB NOT NULL, latency REAL NOT NULL, kept TEXT NOT NULL)"
_PUT = "INSERT OR IGNORE INTO answers (key, answer, latency, kept) VALUES (?, ?, ?, ?)"
_GET = "SELECT answer, latency, kept FROM answers WHERE key = ?"


class AnswerCache:
    """The cache in a folder. Use it as a context manager, in an event loop as an asynchronous one.

    Args:
        folder: made when absent.
        sampled: keep answers also where the same request may be answered differently (a temperature above 0, or none
            said). Such an answer then belongs to its item and to how many equal requests the item made before.
        tell: hears, once, why the cache is not used any more.
    """

    def __init__(self, folder: Path, *, sampled: bool = False, tell: Callable[[str], None] = lambda _: None) -> None:
        self.path, self.sampled = folder / FILE_NAME, sampled
        self._tell = tell
        self._reader: sqlite3.Connection | None = None
        self._writing: sqlite3.Connection | None = None
        self._writer: GroupWriter | None = None
        self._given_up = False
        self._taken: list[str] = []

    def __enter__(self) -> Self:
        """Open the file."""
        if error := self._open():
            self._give_up(error)
        return self

    def __exit__(self, *error: object) -> None:
        """Write what is waiting and close the file."""
        self._close()

    async def __aenter__(self) -> Self:
        """Open the file, beside the loop: another process may hold it."""
        if error := await asyncio.to_thread(self._open):
            self._give_up(error)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Write what is waiting and close the file, beside the loop."""
        await asyncio.to_thread(self._close)

    def _open(self) -> Exception | None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Two processes that turn a new file into one with a write-ahead log at once get in each other's way.
            with FileLock(self.path.with_suffix(".lock"), timeout=_BUSY_SECONDS):
                self._writing = _connect(self.path)
                self._reader = _connect(self.path)
                self._reader.execute("PRAGMA busy_timeout = 0")  # it reads in the loop, which must not wait
        except (sqlite3.Error, StorageError, OSError, Timeout) as error:
            return error
        self._writer = GroupWriter(self._writing, self.path)
        return None

    def of(self, model: Model) -> ModelCache | None:
        """Return the part of `model`, None for one that answers from the sample and not from what it is asked.

        Raises UsageError for one that could be taken for another.
        """
        if not model.sees_media:
            return None
        if unknown := model.unidentified():
            raise UsageError(
                f"a cache of answers cannot tell {model.spec} from another one that works with another {unknown}. "
                "Leave the cache out, hold settings as texts and numbers, or call the model by a name that says what "
                "it is: FunctionModel(function, name='mine-v2')."
            )
        return ModelCache(self, model.identity())

    def said(self) -> tuple[str, ...]:
        """Return, as notes, what came from the cache in this session."""
        if not self._taken:
            return ()
        first, last = min(self._taken)[:10], max(self._taken)[:10]
        dates = f"of {first}" if first == last else f"of {first} to {last}"
        return (f"{len(self._taken):,} answers {dates} came from the cache {self.path.parent}.",)

    async def get(self, key: bytes) -> tuple[Response, float] | None:
        """Return the kept answer and its latency, None when there is none."""
        if self._reader is None or self._given_up:
            return None
        try:
            row = await self._row(self._reader, key)
            if row is None:
                return None
            answer, latency, kept = row
            response = Response.from_record(json.loads(zlib.decompress(answer)))
        except (sqlite3.Error, zlib.error, ValueError, TypeError, KeyError) as error:
            self._give_up(error)
            return None
        self._taken.append(kept)
        return replace(response, cached=kept), latency

    async def _row(self, reader: sqlite3.Connection, key: bytes) -> tuple[Any, ...] | None:
        until = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                row: tuple[Any, ...] | None = reader.execute(_GET, (key,)).fetchone()
            except sqlite3.OperationalError as error:
                busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or self._given_up or time.monotonic() > until:
                    raise
                await asyncio.sleep(_LOOK_AGAIN)
            else:
                return row

    async def put(self, key: bytes, response: dict[str, Any], latency: float) -> None:
        """Keep an answer, unless another process was faster."""
        if self._writer is None or self._given_up:
            return
        # compressed also for the checksum that comes with it
        answer = zlib.compress(json.dumps(response).encode())
        try:
            await self._writer.write(_PUT, (key, answer, latency, datetime.now(UTC).isoformat(timespec="seconds")))
        except StorageError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Say so once, and use the file no more; it is closed in the end, since a write may still wait for it."""
        if not self._given_up:
            self._given_up = True
            reason = str(error.__cause__ or error)
            self._tell(
                f"The cache of answers {self.path} cannot be used ({reason}); the run goes on without it. "
                "Move the file away to start a new one."
            )

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        for connection in (self._reader, self._writing):
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
        self._reader = self._writing = self._writer = None


@dataclass
class ModelCache:
    """What a cache holds of one model. Answers of another revision, or with other options, are another model's."""

    cache: AnswerCache
    identity: dict[str, Any]
    _prefix: str = field(init=False)
    _greedy: bool = field(init=False)

    def __post_init__(self) -> None:
        """Write the identity down once."""
        self._prefix = json.dumps([FORMAT, self.identity], sort_keys=True, default=str)
        body = self.identity.get("body")  # further fields of a request, which win over the settings
        self._greedy = not (isinstance(body, dict) and body.get("temperature"))

    def key(self, item: str, settings: Settings, digest: str, index: int) -> bytes | None:
        """Return the key of a request, None when its answer is not kept.

        Args:
            item: the key of the item that is asked about.
            settings: of the request.
            digest: of the request: messages, media, settings.
            index: how many equal requests the item made before.
        """
        greedy = self._greedy and settings.temperature == 0
        if not greedy and not self.cache.sampled:
            return None
        owner = "" if greedy else item
        return hashlib.sha256(json.dumps([self._prefix, digest, index, owner]).encode()).digest()

    async def get(self, key: bytes, request: Request) -> Call | None:
        """Return the kept call, with no request sent for it, or None."""
        held = await self.cache.get(key)
        return Call(request.record, held[0].record(), held[1], attempts=0) if held else None

    async def put(self, key: bytes, call: Call) -> None:
        """Keep the answer of a call that was asked."""
        await self.cache.put(key, call.response, call.latency)


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection in manual transaction mode; the table exists. Raises sqlite3.Error and StorageError."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    with contextlib.ExitStack() as on_error:
        on_error.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the last answers, never the file: they are in the journal of their run.
        connection.execute("PRAGMA synchronous = NORMAL")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if not found and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLE}; PRAGMA user_version = {FORMAT}; COMMIT;")
        elif found != FORMAT:
            raise StorageError(f"it is of format {found}, and this version of spatialeval knows format {FORMAT}")
        on_error.pop_all()
    return connection
