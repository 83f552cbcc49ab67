"""Finding runs below a folder: those that have results, and what is no finished run, with the reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.errors import StorageError, UsageError
from spatialeval.run import judgecheck, manifest, results
from spatialeval.run.command import command_of
from spatialeval.run.shard import Shard, shard_of, whole_of

if TYPE_CHECKING:
    from pathlib import Path

_ASIDE = re.compile(r"\.old-\d")


class Folders(NamedTuple):
    """Folders of finished runs, in the order of their names; and the others, each with what it is."""

    finished: tuple[Path, ...]
    others: dict[Path, str]


def find_folders(place: Path) -> Folders:
    """Return the runs in `place` and below.

    Raises:
        UsageError: when there is no such folder.
    """
    if not place.is_dir():
        raise UsageError(f"there is no folder {place}; runs are written by `spatialeval run`.")
    every = sorted({file.parent for name in (manifest.FILE_NAME, results.FILE_NAME) for file in place.rglob(name)})
    others = {folder: why for folder in every if (why := _other(folder, named=folder == place))}
    return Folders(tuple(folder for folder in every if folder not in others), others)


def _other(folder: Path, *, named: bool) -> str | None:
    """Return what a folder is that is no finished run, or one that --fresh moved aside and that nobody `named`."""
    if _ASIDE.search(folder.name) and not named:
        return "moved aside by --fresh."
    if (folder / judgecheck.FILE_NAME).exists():
        return "a check of a judge, no run; `spatialeval judge-check` prints it again."
    if shard := shard_of(folder):
        return shard_told(folder, shard)
    return None if (folder / results.FILE_NAME).exists() else unfinished(folder)


def unfinished(folder: Path) -> str:
    """Return what to say of a run without results: the command that goes on with it."""
    command = _known_command(folder)
    return f"not finished; go on with it: {command or f'the command in its {manifest.FILE_NAME}'}"


def shard_told(folder: Path, shard: Shard) -> str:
    """Return what to say of a shard: where it is merged, which command is missing, or how to merge."""
    whole = whole_of(folder)
    if is_merged(folder):
        return f"shard {shard} of a run, merged into {whole}."
    parts = {Shard(index, shard.count) for index in range(1, shard.count + 1)}
    ended = {part for part in parts if _ended(part.folder(whole))}
    if left := sorted(parts - ended):
        first = left[0]
        command = _known_command(first.folder(whole)) or _known_command(folder, first)
        how = f": {command}" if command else "."
        return f"shard {shard} of a run; {len(left)} of {shard.count} have not ended, first {first}{how}"
    return f"shard {shard} of a run; spatialeval merge {folder.parent} makes one of all."


def is_merged(folder: Path) -> bool:
    """Tell whether all commands that worked on a shard are among those of the whole run, which has results."""
    whole = whole_of(folder)
    return (whole / results.FILE_NAME).exists() and _sessions(folder) <= _sessions(whole)


def _sessions(folder: Path) -> set[tuple[str, str | None]]:
    held = _manifest(folder)
    return {(session.started, session.ended) for session in held.sessions} if held else set()


def _ended(folder: Path) -> bool:
    held = _manifest(folder)
    return held is not None and bool(held.sessions) and held.sessions[-1].status == "finished"


def _manifest(folder: Path) -> manifest.Manifest | None:
    try:
        return manifest.Manifest.read(folder)
    except StorageError:  # whoever works on it says so
        return None


def _known_command(folder: Path, shard: Shard | None = None) -> str | None:
    try:
        return command_of(folder, shard)
    except StorageError:
        return None
