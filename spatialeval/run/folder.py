"""The folder of one run: its name, its lock, and moving things aside without ever deleting them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from spatialeval.errors import RunLockedError, StorageError
from spatialeval.run.journal import FILE_NAME
from spatialeval.run.recover import Recovered, recover
from spatialeval.run.storage import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = "run.lock"
PID = "run.pid"

_LONGEST_NAME = 100


def run_folder(out: Path, task: str, model: str, protocol: str, strategy: str) -> Path:
    """Return `out/<task>/<model>/<protocol>.<strategy>`, each part made safe as a file name."""
    return out / slug(task) / slug(model) / slug(f"{protocol}.{strategy}")


def slug(text: str) -> str:
    """Return `text` with what file names cannot hold replaced by `-`; a long one is cut and keeps a digest."""
    name = re.sub(r"[^A-Za-z0-9._+=,-]+", "-", text).strip("-.") or "unnamed"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Create the folder if needed and hold it; raise RunLockedError when another process does."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise RunLockedError(
            f"{folder} is in use by another process ({_holder(folder)}, from {folder / PID}). "
            "Wait until it ends, or end it: what it answered is kept."
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        with contextlib.suppress(OSError):  # only a help for people; a full disk is reported by what needs it
            (folder / PID).write_text(f"{os.getpid()}\n")
        yield
    finally:
        with contextlib.suppress(OSError):  # the same; and a folder that cannot be written has its own message
            (folder / PID).unlink(missing_ok=True)
        lock.release()


def move_aside(folder: Path) -> Path | None:
    """Rename a run folder that holds anything to `<folder>.old-<time>` and return that, or None when there is none."""
    if not folder.exists():
        return None
    with locked(folder):
        if not any(path.name not in {LOCK, PID} for path in folder.iterdir()):
            return None
    aside = folder.with_name(f"{folder.name}.old-{_stamp()}")
    try:
        folder.rename(aside)
    except OSError as error:
        raise unwritable(folder, error) from error
    return aside


def recover_journal(folder: Path) -> Recovered:
    """Put what is readable of the folder's journal into a new one; the damaged files are kept beside it.

    Raises StorageError when nothing can be read; the damaged journal is then where it was.
    """
    journal = folder / FILE_NAME
    if not journal.exists():
        raise StorageError(f"There is no journal at {journal} to recover. Leave --recover out.")
    fresh = folder / f"recovered-{_stamp()}.sqlite"
    saved = recover(journal, fresh)
    aside = folder / f"damaged-{_stamp()}.sqlite"
    try:
        for suffix in ("", "-wal"):  # SQLite finds a write-ahead log by its name, so both move together
            if (held := folder / f"{FILE_NAME}{suffix}").exists():
                held.rename(folder / f"{aside.name}{suffix}")
        (folder / f"{FILE_NAME}-shm").unlink(missing_ok=True)
        fresh.rename(journal)
    except OSError as error:
        raise unwritable(folder, error) from error
    return saved


def _holder(folder: Path) -> str:
    try:
        return f"process {int((folder / PID).read_text())}"
    except (OSError, ValueError):
        return "which has not said its number yet"


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
