"""The file that the next batch is made of: a line for each request, written as they come and held by nobody."""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import TYPE_CHECKING, BinaryIO

from spatialeval.errors import StorageError
from spatialeval.models.batch.settings import ENDPOINT

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from spatialeval.errors import ModelError


def line_id(name: str, body: bytes) -> str:
    """Return the name of a request at the provider: the same in every session that asks the same call the same."""
    return hashlib.sha256(name.encode() + b"\0" + body).hexdigest()[:48]


def input_file(folder: Path, token: str) -> Path:
    """Return where the file of a batch is until the batch is created."""
    return folder / f"{token}.jsonl"


class Collected:
    """Requests on their way into a batch."""

    def __init__(self, folder: Path) -> None:
        self.token = uuid.uuid4().hex
        self.path = input_file(folder, self.token)
        self.size = 0
        self.waiting: dict[str, asyncio.Future[ModelError]] = {}
        """Requests in their order, and who waits for them."""
        self._file: BinaryIO | None = None

    def add(self, name: str, body: bytes, done: asyncio.Future[ModelError]) -> None:
        """Write a request down; raise StorageError when the disk refuses."""
        line = _line(name, body)
        try:
            if self._file is None:
                self._file = self.path.open("wb")
            self._file.write(line)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self.size += len(line)
        self.waiting[name] = done

    def seal(self) -> None:
        """Put the file on disk for good; raise StorageError when the disk refuses."""
        if self._file is None:
            return
        try:
            with self._file as file:
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def drop(self) -> None:
        """Remove the file: nothing of it was sent."""
        if self._file is not None:
            self._file.close()
            self.path.unlink(missing_ok=True)


def size_of(name: str, body: bytes) -> int:
    """Return the bytes that a request takes in the file."""
    return len(_line(name, b"")) + len(body)


def _line(name: str, body: bytes) -> bytes:
    return b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}\n' % (name.encode(), ENDPOINT.encode(), body)


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written ({error.strerror}). Make room, or choose another folder with --out; then run the "
        "same command again."
    )
