"""Finding runs below a folder: those that have results, and what is no finished run, with the reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.errors import UsageError
from spatialeval.run import judgecheck, manifest, results
from spatialeval.run.shard import shard_of

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
        return f"shard {shard} of a run; spatialeval merge {folder.parent} makes one of all."
    if not (folder / results.FILE_NAME).exists():
        return f"not finished; the command that started it (see {manifest.FILE_NAME}) goes on with it."
    return None
