"""Scored replies in a folder of their own, with the manifest that lets them be compared and reported as any run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.data.fingerprint import fingerprint
from spatialeval.errors import StorageError
from spatialeval.run.folder import locked
from spatialeval.run.imported import foreign_identity
from spatialeval.run.journal import FILE_NAME as JOURNAL
from spatialeval.run.manifest import Manifest, Session, totals
from spatialeval.run.rescore import STRATEGY, Rescored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol

HARNESS = "saved replies"


def keep(
    rescored: Rescored,
    folder: Path,
    task: Task,
    protocol: TaskProtocol,
    *,
    samples: Sequence[Sample],
    source: Path | Mapping[str, str],
    command: Sequence[str] = (),
) -> Rescored:
    """Write samples.parquet, summary.json and manifest.json; what `score` wrote there before is replaced.

    Args:
        rescored: the numbers and records.
        folder: where to.
        task: what the replies answer.
        protocol: that scored them.
        samples: of the task.
        source: the file, or the replies themselves.
        command: what the user typed, for the manifest.

    Returns:
        The same with the fingerprint of the data in its summary.

    Raises:
        StorageError: when the folder holds a run of another kind, or cannot be written.
    """
    session = Session.begin(command)
    data = fingerprint(samples)
    about = rescored.summary.about.model_copy(update={"data": data})
    rescored = Rescored(rescored.summary.model_copy(update={"about": about}), rescored.records)
    identity = foreign_identity(task, protocol, {"strategy": STRATEGY, "model": about.model}, data, _facts(source))
    with locked(folder):
        held = Manifest.read(folder)
        kind = held.identity.get("import", {}).get("harness") if held else HARNESS
        if (folder / JOURNAL).exists() or kind != HARNESS:
            raise StorageError(f"{folder} holds a run whose results these would replace. Choose another --out.")
        rescored.write(folder)
        sessions = held.sessions if held and held.identity == identity else ()
        manifest = Manifest(identity, sessions, totals(rescored.records))
        manifest.with_session(session.end("finished")).write(folder)
    return rescored


def _facts(source: Path | Mapping[str, str]) -> dict[str, Any]:
    """Return where the replies come from: never a path of this machine."""
    if not isinstance(source, Path):
        return {"harness": HARNESS, "replies": len(source)}
    with source.open("rb") as stream:
        return {
            "harness": HARNESS,
            "file": source.name,
            "sha256": hashlib.file_digest(stream, "sha256").hexdigest(),
        }
