"""What a failing disk or a damaged SQLite file means to the person in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval.errors import StorageError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_READ_ONLY = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")
_DISK = ("SQLITE_FULL", "SQLITE_IOERR")
_KEPT = "Every answer confirmed before this is kept: run the same command again to go on."


def explain(path: Path, error: sqlite3.Error) -> StorageError:
    """Return the StorageError that says what `error` on the journal at `path` means and what to do."""
    code = getattr(error, "sqlite_errorname", "") or str(error)
    if code.startswith(_DAMAGED):
        return damaged(path, str(error))
    if code.startswith(_READ_ONLY):
        return StorageError(
            f"{path} cannot be opened for writing ({error}): the folder or the file is read-only. {_KEPT} "
            "Make the folder writable first, or choose another one with --out."
        )
    if code.startswith(_DISK):
        return StorageError(
            f"{path} cannot be written ({error}): the disk is full or failing. {_KEPT} "
            "Free some space first, or choose a folder on another disk with --out."
        )
    return StorageError(f"{path} cannot be used ({error}, {code}). {_KEPT}")


def damaged(path: Path, why: str) -> StorageError:
    """Return the error for a journal whose content SQLite cannot read."""
    return StorageError(
        f"{path} is damaged ({why}). It is left as it is. Run the same command with --recover to copy what is readable "
        "into a new journal and ask only the rest, or with --fresh to start over; both keep the damaged file aside."
    )


def unwritable(path: Path, error: OSError) -> StorageError:
    """Return the error for a folder or file of a run that the operating system refuses."""
    return StorageError(
        f"{path} cannot be written ({error.strerror or error}). {_KEPT} "
        "Make room or make it writable first, or choose another folder with --out."
    )
