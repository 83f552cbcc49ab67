"""Replies that another harness got, as a run of ours: scored under a protocol, in the folder a run would have.

The folder holds manifest.json, samples.parquet and summary.json. It has no journal: nothing was asked.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.data.fingerprint import fingerprint
from spatialeval.data.replies import SavedReply
from spatialeval.errors import DataError, RunChangedError
from spatialeval.run.folder import locked, move_aside, run_folder
from spatialeval.run.identity import RULES_VERSION, check_same
from spatialeval.run.manifest import Manifest, Session, totals
from spatialeval.run.prepare import task_folder
from spatialeval.run.rescore import Rescored, score_replies
from spatialeval.run.secrets import redact_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.importers import Imported, Matched
    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol

STRATEGY = "imported"
"""What stands in place of a strategy: how the questions were put is the other harness's business."""

_SHOWN = 5


@dataclass(frozen=True)
class Source:
    """A result file, read and matched to a task.

    Attributes:
        path: the file.
        imported: its replies.
        matched: which sample each answers.
        samples: all samples of the task.
        model: who gave the replies.
    """

    path: Path
    imported: Imported
    matched: Matched
    samples: Sequence[Sample]
    model: str

    def replies(self) -> dict[str, SavedReply]:
        """Return the replies by sample id; what the harness wrote for a failure is a failure."""
        return {
            name: SavedReply(row.reply or "", row.finish, failure=row.failure, error=row.error)
            for name, row in self.matched.pairs.items()
        }

    def check_whole(self) -> None:
        """Raise DataError when samples have no row."""
        missing = [sample.id for sample in self.samples if sample.id not in self.matched.pairs]
        if missing:
            shown = ", ".join(map(repr, missing[:_SHOWN])) + (", ..." if len(missing) > _SHOWN else "")
            raise DataError(
                f"{self.path} has replies to {len(self.matched.pairs):,} of {len(self.samples):,} samples; "
                f"{len(missing):,} {'is' if len(missing) == 1 else 'are'} missing: {shown}. Import what is there "
                "with --partial; what is missing is counted as such."
            )

    def facts(self) -> dict[str, Any]:
        """Return the provenance that the manifest keeps."""
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return {
            "harness": self.imported.harness,
            "version": self.imported.version,
            "file": self.path.name,
            "sha256": digest,
            "rows": len(self.imported.rows),
            "matched_by": self.matched.how,
            "own_scores": self.imported.own_scores(),
        }


def import_run(
    task: Task,
    protocol: TaskProtocol,
    source: Source,
    *,
    out: Path,
    fresh: bool = False,
    command: Sequence[str] = (),
) -> tuple[Rescored, Path]:
    """Score a file's replies under `protocol` and write them as a run; return the numbers and the run's folder.

    Args:
        task: what they answer.
        protocol: reads and scores them.
        source: the file, matched.
        out: the folder of results.
        fresh: move another import that is in the way aside.
        command: what the user typed, for the manifest.

    Raises:
        RunChangedError: when the folder holds an import of another file, or under other rules.
        StorageError: when it cannot be written.
    """
    session = Session.begin(command)
    facts = source.facts()
    identity = foreign_identity(
        task, protocol, {"strategy": STRATEGY, "model": source.model}, fingerprint(source.samples), facts
    )
    folder = run_folder(out, task_folder(task), source.model, protocol.name, STRATEGY)
    if fresh:
        move_aside(folder)
    with locked(folder):
        held = Manifest.read(folder)
        if held is not None:
            _check_same_import(held, identity, folder)
        rescored = score_replies(
            task,
            protocol,
            source.replies(),
            source.samples,
            model=source.model,
            strategy=STRATEGY,
            origin=origin(facts, source.imported.told_scores()),
            data=identity["data"],
        )
        rescored.write(folder)
        manifest = Manifest(identity, held.sessions if held else (), totals(rescored.records))
        manifest.with_session(session.end("finished")).write(folder)
    return rescored, folder


def foreign_identity(
    task: Task, protocol: TaskProtocol, names: Mapping[str, str], data: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the identity of a run whose replies were not asked for here.

    Args:
        task: what they answer.
        protocol: reads and scores them.
        names: what stands for the strategy, and the model.
        data: fingerprint of the samples.
        facts: where they come from.
    """
    identity = {
        "task": task.identity(),
        "protocol": protocol.identity(),
        "strategy": {"name": names["strategy"]},
        "views": [],
        "model": {"spec": names["model"]},
        "data": data,
        "rules": RULES_VERSION,
        "import": dict(facts),
    }
    plain: dict[str, Any] = json.loads(json.dumps(redact_data(identity), default=str))
    return plain


def _check_same_import(held: Manifest, identity: dict[str, Any], folder: Path) -> None:
    try:
        check_same(held.identity, identity, folder)
    except RunChangedError as error:
        raise RunChangedError(f"{error} To keep both imports, choose another --model or --out.") from None


def origin(facts: dict[str, Any], own: str = "") -> str:
    """Return the provenance in one sentence."""
    harness = f"{facts['harness']} {facts['version']}" if facts["version"] else facts["harness"]
    text = f"{facts['file']} of {harness} (sha256 {facts['sha256'][:12]})"
    return f"{text}; its own score: {own}" if own else text
