"""Puts the shards of a run together into one ordinary run folder, as if one process had asked everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import UsageError
from spatialeval.models.base import Model
from spatialeval.run.command import command_of
from spatialeval.run.folder import locked
from spatialeval.run.identity import check_same
from spatialeval.run.joining import join
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.manifest import FILE_NAME as MANIFEST
from spatialeval.run.manifest import Manifest, Session, totals
from spatialeval.run.outcome import RunOutcome, write_outcome
from spatialeval.run.prepare import RunSpec, prepare
from spatialeval.run.shard import Shard, shard_of, whole_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from spatialeval.messages import Request, Response

_SHOWN = 12


@dataclass(frozen=True)
class Part:
    """The folder of a shard, and what its manifest says."""

    folder: Path
    shard: Shard
    manifest: Manifest = field(repr=False)

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked, of the whole run, as the command that asked it said."""
        return dict((self.manifest.shard or {})["asked"])

    @property
    def ended(self) -> bool:
        """Whether its last command came to its end."""
        return bool(self.manifest.sessions) and self.manifest.sessions[-1].status == "finished"


@dataclass(frozen=True)
class Whole:
    """The shards of one run, and the folder that they become."""

    folder: Path
    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        """Into how many shards the run was cut."""
        return self.parts[0].shard.count

    @property
    def lacking(self) -> str:
        """What to run before all shards are there; nothing where they are."""
        open_ = dict.fromkeys(range(1, self.count + 1)) | {part.shard.index: part for part in self.parts}
        left = [index for index, part in open_.items() if part is None or not part.ended]
        return f"To be asked: shard {_listed(left)}{_how(self.parts[0], left[0])}." if left else ""


def find_wholes(places: Iterable[Path], out: Path | None = None) -> list[Whole]:
    """Return the runs whose shards lie below `places`, each with all its shards that are there.

    Args:
        places: results folders, folders of shards, shards; several where nodes have disks of their own.
        out: where the merged runs go; None means beside their shards.

    Raises:
        UsageError: when there is no shard, or it cannot be told what belongs together.
        StorageError: when a manifest is damaged.
    """
    found: dict[tuple[str, ...], dict[Path, Part]] = {}
    for place in places:
        if not place.is_dir():
            raise UsageError(f"there is no folder {place}; shards are written by `spatialeval run --shard 1/16`.")
        for file in sorted(place.absolute().rglob(MANIFEST)):
            if part := _part(file.parent):
                names = whole_of(part.folder).parts[-3:]
                found.setdefault(names, {})[part.folder.resolve()] = part
    if not found:
        told = ", ".join(map(str, places))
        raise UsageError(f"no shard is in {told}; shards are written by `spatialeval run --shard 1/16`.")
    return [_whole(names, list(parts.values()), out) for names, parts in found.items()]


def merge(
    whole: Whole,
    *,
    partial: bool = False,
    data: Path | None = None,
    media: Path | None = None,
    command: Sequence[str] = (),
    progress: Callable[[Part], None] = lambda _: None,
) -> RunOutcome:
    """Write one run folder from the shards of a run and return what it came to; doing it again is fine.

    Args:
        whole: the shards.
        partial: also where shards are missing or have not ended; their questions then count as missing.
        data: where the rows are, instead of where the shards had them.
        media: the same for images and videos (only looked for, never read).
        command: the command line, for the manifest.
        progress: hears each shard before its answers are copied.

    Raises:
        UsageError: when shards are missing, have not ended, or were asked with different limits.
        RunChangedError: when shards, data or the merged folder are not of the same run.
        RunError: when a question was answered twice, and not alike.
        StorageError: when a file is damaged or cannot be written.
    """
    _check_parts(whole, partial=partial)
    first = whole.parts[0]
    ready = replace(prepare(_spec(first, data, media)), folder=whole.folder)
    held = first.manifest.identity
    judge = _Stored(held["judge"]) if "judge" in held else None
    check_same(held, ready.identity(_Stored(held["model"]), judge), first.folder)
    session = Session.begin(command)
    with locked(whole.folder):
        manifest = Manifest.read(whole.folder) or Manifest(held)
        check_same(manifest.identity, held, whole.folder)
        asked = {session.started: session for part in whole.parts for session in part.manifest.sessions}
        kept = {session.started: session for session in manifest.sessions}
        manifest = replace(manifest, shard=None, sessions=tuple(v for _, v in sorted((kept | asked).items())))
        manifest.write(whole.folder)  # before the journal, so that no journal is without one
        for part in whole.parts:
            progress(part)
            join(part.folder / FILE_NAME, whole.folder / FILE_NAME)
        with Journal.open(whole.folder / FILE_NAME) as journal:
            counted = totals(journal.records([item.key for item in ready.items]), _cost(whole, manifest))
            manifest = replace(manifest, totals=counted, prices=first.manifest.prices)
            # The versions in a summary are of those who asked, which this process did not.
            outcome = write_outcome(ready, journal, replace(manifest, sessions=_askers(manifest)))
            manifest.with_session(session.end("merged")).write(whole.folder)
    return outcome


class _Stored(Model):
    """Stands for a model that is not here: its identity is known, and it is not asked."""

    def __init__(self, identity: dict[str, Any]) -> None:
        self._identity = identity

    def identity(self) -> dict[str, Any]:
        """Return the stored identity."""
        return self._identity

    async def ask(self, request: Request) -> Response:
        """Refuse."""
        raise NotImplementedError


def _part(folder: Path) -> Part | None:
    shard = shard_of(folder)
    manifest = Manifest.read(folder) if shard else None
    if not shard or not manifest or not manifest.shard:
        return None
    return Part(folder, shard, manifest)


def _whole(names: tuple[str, ...], parts: list[Part], out: Path | None) -> Whole:
    name = "/".join(names)
    counts = Counter(part.shard.count for part in parts)
    if len(counts) > 1:
        told = " and ".join(f"{found} of {count}" for count, found in sorted(counts.items()))
        raise UsageError(f"{name} was cut in different ways ({told} shards). Move the shards of one of them away.")
    twice = [shard for shard, times in Counter(part.shard for part in parts).items() if times > 1]
    if twice:
        places = " and ".join(str(part.folder) for part in parts if part.shard == twice[0])
        raise UsageError(f"shard {twice[0]} of {name} is there twice, in {places}. Move one of them away.")
    targets = {whole_of(part.folder) for part in parts}
    if out is None and len(targets) > 1:
        raise UsageError(f"the shards of {name} lie in {len(targets)} places. Say where the run goes with --out.")
    folder = out.joinpath(*names) if out else targets.pop()
    return Whole(folder, tuple(sorted(parts, key=lambda part: part.shard)))


def _check_parts(whole: Whole, *, partial: bool) -> None:
    first = whole.parts[0]
    for part in whole.parts[1:]:
        check_same(first.manifest.identity, part.manifest.identity, part.folder)
        if differing := [key for key in ("limit", "seed") if part.asked[key] != first.asked[key]]:
            key = differing[0]
            raise UsageError(
                f"{part.folder} was asked with {key} {part.asked[key]}, and {first.folder} with {first.asked[key]}. "
                "Run the shards that differ again with the same options."
            )
    if partial:
        return
    there = {part.shard.index for part in whole.parts}
    missing = [index for index in range(1, whole.count + 1) if index not in there]
    if missing:
        raise UsageError(
            f"{len(missing)} of {whole.count} shards of {whole.folder} are missing: {_listed(missing)}. Run them"
            f"{_how(first, missing[0])}, name the folders that hold them too, or merge what is there with --partial."
        )
    if running := [part.shard.index for part in whole.parts if not part.ended]:
        raise UsageError(
            f"shards of {whole.folder} have not ended: {_listed(running)}. Wait for them or run their commands again"
            f"{_how(first, running[0])}, or merge what is there with --partial."
        )


def _how(part: Part, index: int) -> str:
    """Return the command of another shard in brackets, where it is known."""
    command = command_of(part.folder, Shard(index, part.shard.count))
    return f" ({command})" if command else ""


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:_SHOWN])) + (", ..." if len(numbers) > _SHOWN else "")


def _spec(part: Part, data: Path | None, media: Path | None) -> RunSpec:
    asked = part.asked
    data, media = (now or (then and Path(then)) for now, then in ((data, asked["data"]), (media, asked["media"])))
    return RunSpec(**(asked | {"data": data, "media": media}))


def _cost(whole: Whole, held: Manifest) -> float | None:
    """Return what all shards have cost in dollars, or what the merged run has cost since; None where one is unknown."""
    costs = [part.manifest.totals.get("cost_usd") for part in whole.parts]
    known = [cost for cost in costs if cost is not None]
    return max(sum(known), held.totals.get("cost_usd") or 0.0) if len(known) == len(costs) else None


def _askers(manifest: Manifest) -> tuple[Session, ...]:
    return tuple(session for session in manifest.sessions if session.status != "merged")
