"""What a failing disk or a damaged SQLite file means to the person in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_READ_ONLY = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")
_DISK = ("SQLITE_FULL", "SQLITE_IOERR")
_AGAIN = "then run the same command again: every answer confirmed before this is kept."


def explain(path: Path, error: Exception) -> StorageError:
    """Return the StorageError that says what `error` on the journal at `path` means and what to do."""
    code = getattr(error, "sqlite_errorname", "") or str(error)
    if code.startswith(_DAMAGED):
        return damaged(path, str(error))
    if code.startswith(_READ_ONLY):
        return StorageError(
            f"{path} cannot be opened for writing ({error}): the folder or the file is read-only. "
            f"Make the folder writable or choose another one with --out, {_AGAIN}"
        )
    if code.startswith(_DISK):
        return StorageError(
            f"{path} cannot be written ({error}): the disk is full or failing. "
            f"Free some space or choose a folder on another disk with --out, {_AGAIN}"
        )
    return StorageError(f"{path} cannot be used ({error}, {code}). Mend that, {_AGAIN}")


def damaged(path: Path, why: str) -> StorageError:
    """Return the error for a journal whose content SQLite cannot read."""
    return StorageError(
        f"{path} is damaged ({why}). It is left as it is. Run the same command with --recover to copy what is readable "
        "into a new journal and ask only the rest, or with --fresh to start over; both keep the damaged file aside."
    )


def unwritable(path: Path, error: OSError) -> StorageError:
    """Return the error for a folder or file of a run that the operating system refuses."""
    return StorageError(
        f"{path} cannot be written ({error.strerror or error}). "
        f"Make room, make it writable, or choose another folder with --out; {_AGAIN}"
    )
