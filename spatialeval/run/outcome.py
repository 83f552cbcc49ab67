"""What a run came to: its results written, and what there is to say of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from spatialeval.run.journal import Journal
    from spatialeval.run.manifest import Manifest
    from spatialeval.run.prepare import Prepared
    from spatialeval.scores import State


@dataclass(frozen=True)
class RunOutcome:
    """A run that came to its end.

    Attributes:
        folder: where its results are.
        summary: what `write_results` made of it; None for a shard, which has no results.
        states: how many items are scored, unparsed, truncated, failed.
        moved: where `fresh` put what was there before.
        notes: what should be said besides, such as how much of a damaged journal was saved.
    """

    folder: Path
    summary: Any
    states: dict[State, int]
    moved: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every item was answered; a command exits with an error code otherwise."""
        return not self.states.get("failed") if self.summary is None else bool(self.summary.complete)


def write_outcome(ready: Prepared, journal: Journal, manifest: Manifest) -> RunOutcome:
    """Write the results of what is in the journal, unless it is that of a shard; return what there is."""
    from spatialeval.run.draws import draws_of  # noqa: PLC0415 - loads numpy
    from spatialeval.run.results import write_results  # noqa: PLC0415 - loads pandas and pyarrow

    keys = [item.key for item in ready.items]
    kept = journal.kept()
    states = dict(Counter(kept[key].state for key in keys if key in kept))
    del kept  # one entry a sample
    if ready.spec.shard:
        return RunOutcome(ready.folder, None, states)
    draws = draws_of(ready, journal)
    summary = write_results(
        ready.folder,
        ready.task,
        ready.protocol,
        ready.items,
        journal.records(keys),
        manifest.as_json(),
        skipped={f"{view}: {reason}": len(ids) for (view, reason), ids in ready.skipped.items()},
        drawn=draws.told() if draws else None,
    )
    return RunOutcome(ready.folder, summary, states)
