"""One n-th of a run, for many machines that do not talk to each other: which samples it asks, and where it keeps them.

A shard has the identity of the whole run, a journal and a manifest, and no results: only `merge` makes results, so that
nothing that reads results can take a part for the whole.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from spatialeval.errors import UsageError
from spatialeval.run.journal import FILE_NAME as JOURNAL
from spatialeval.run.journal import Journal
from spatialeval.run.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from spatialeval.run.prepare import RunSpec
    from spatialeval.run.records import Item
    from spatialeval.samples import Sample
    from spatialeval.scores import State

_WRITTEN = re.compile(r"(\d+)/(\d+)")
_FOLDER = re.compile(r"(\d+)-of-(\d+)")
_SUFFIX = ".shards"


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """Number `index`, from 1, of `count`."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard written as `3/16`; raise UsageError when it is none."""
        found = _WRITTEN.fullmatch(text.strip())
        if found and 1 <= int(found[1]) <= int(found[2]):
            return cls(int(found[1]), int(found[2]))
        raise UsageError(f"shard {text!r} is none; write the number of the shard, from 1, and of all, such as 3/16.")

    def __str__(self) -> str:
        """Return `3/16`."""
        return f"{self.index}/{self.count}"

    def folder(self, run: Path) -> Path:
        """Return where this shard of the run in the folder `run` is kept."""
        return run.with_name(f"{run.name}{_SUFFIX}") / f"{self.index}-of-{self.count}"

    def of(self, items: Iterable[Item], samples: Sequence[Sample]) -> list[Item]:
        """Return the items of this shard, in their order.

        What shows the same files, or shares a group, stays together, with all its views. Shares depend on all samples
        of the task and not on those asked, so that raising a limit moves none.
        """
        mine = shares(samples, self.count)
        return [item for item in items if mine[(item.origin or item.sample).id] == self.index]


def shares(samples: Sequence[Sample], count: int) -> dict[str, int]:
    """Return sample id -> number of its shard: each group, largest first, to the shard that has the fewest samples."""
    groups: dict[str, list[str]] = {}
    for sample in samples:
        groups.setdefault(_together(sample), []).append(sample.id)
    # Among groups of one size the order is that of a digest: the order of the data often has a rhythm of categories.
    ordered = sorted(groups, key=lambda name: (-len(groups[name]), hashlib.sha256(name.encode()).digest()))
    emptiest = [(0, index) for index in range(1, count + 1)]
    found: dict[str, int] = {}
    for name in ordered:
        held, index = emptiest[0]
        heapq.heapreplace(emptiest, (held + len(groups[name]), index))
        found |= dict.fromkeys(groups[name], index)
    return found


def _together(sample: Sample) -> str:
    """Return what a sample shares with those that must be on its machine: its files, else its group, else pictures."""
    files = [media.name for media in sample.media if not media.in_row]
    if files:
        return f"files {files}"
    if sample.group and sample.group != sample.id:  # a task without groups makes each sample its own
        return f"group {sample.group}"
    return f"media {[media.sha256 for media in sample.media]}" if sample.media else f"sample {sample.id}"


def asked(spec: RunSpec) -> dict[str, Any]:
    """Return what `merge` must know to load the run's samples again, JSON-able."""
    return {
        "task": spec.task,
        "model": spec.model,
        "protocol": spec.protocol,
        "strategy": spec.strategy,
        "judge": spec.judge,
        "data": str(spec.data) if spec.data else None,
        "media": str(spec.media) if spec.media else None,
        "partial": spec.partial,
        "limit": spec.limit,
        "seed": spec.seed,
        "max_tokens": spec.max_tokens,
        "temperature": spec.temperature,
    }


def shard_of(folder: Path) -> Shard | None:
    """Return which shard a folder is by its place and name, or None when it is that of a whole run."""
    found = _FOLDER.fullmatch(folder.name)
    return Shard(int(found[1]), int(found[2])) if found and folder.parent.name.endswith(_SUFFIX) else None


def whole_of(folder: Path) -> Path:
    """Return the folder of the whole run that the shard in `folder` is a part of."""
    return folder.parent.with_name(folder.parent.name.removesuffix(_SUFFIX))


def shard_line(folder: Path, states: Mapping[State, int]) -> str:
    """Return what to say when the shard in `folder` has ended."""
    shard = shard_of(folder)
    failed = f", {states['failed']:,} of them failed (the same command asks them again)" if states.get("failed") else ""
    asked = f"{sum(states.values()):,} samples{failed}" if states else "no samples: there are fewer groups than shards"
    return (
        f"Shard {shard}: {asked}; kept in {folder}. It has no results of its own: when all shards have ended, "
        f"spatialeval merge {folder.parent}"
    )


def refuse_elsewhere(folder: Path, items: Iterable[Item]) -> None:
    """Raise UsageError when what `items` ask is answered in another folder of the same run, whole or shard."""
    if not shard_of(folder):
        refuse_unmerged(folder)
        return
    run = whole_of(folder)
    if again := {item.key for item in items} & _answered(run) - _answered(folder):
        raise UsageError(
            f"{run} has answered {len(again):,} of the samples of this shard, which would be asked again. Go on there: "
            "the same command without --shard asks only the rest. Or choose another place with --out."
        )


def refuse_unmerged(run: Path) -> None:
    """Raise UsageError when shards of a run have answered what is not in its own folder yet."""
    place = run.with_name(f"{run.name}{_SUFFIX}")
    if not place.is_dir():
        return
    shards = [folder for folder in place.iterdir() if (folder / JOURNAL).exists() and shard_of(folder)]
    merged = _sessions(run)
    if any(_sessions(folder) - merged and _answered(folder) - _answered(run) for folder in shards):
        raise UsageError(
            f"{place} holds shards of this run, whose answers would be asked again. Put them together first: "
            f"spatialeval merge {place} (with --partial where some are missing); then the same command asks the rest. "
            "Or choose another place with --out."
        )


def _sessions(folder: Path) -> set[tuple[str, str | None]]:
    """Return when each command began and ended that worked on a folder; `merge` takes them over."""
    manifest = Manifest.read(folder)
    return {(session.started, session.ended) for session in manifest.sessions} if manifest else set()


def _answered(folder: Path) -> set[str]:
    if not (folder / JOURNAL).exists():
        return set()
    with Journal.open(folder / JOURNAL, readonly=True) as journal:
        return {item for item, kept in journal.kept().items() if kept.state != "failed"}
