"""Finding the runs below folders, and reading their summaries and manifests. Never a model, never the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import StorageError, UsageError
from spatialeval.run.finding import find_folders
from spatialeval.run.manifest import Manifest
from spatialeval.run.results import read_summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spatialeval.run.summary import Summary


@dataclass(frozen=True)
class Run:
    """A run that has results.

    Attributes:
        place: its folder.
        name: the folder as seen from the one that was given: nothing of the machine is in it.
        summary: its numbers.
        manifest: where they come from; None where none was kept.
    """

    place: Path
    name: str
    summary: Summary
    manifest: Manifest | None


@dataclass(frozen=True)
class Found:
    """The runs below some folders, and what was left out, each with its reason."""

    runs: tuple[Run, ...]
    left_out: tuple[str, ...]


def find_runs(places: Sequence[Path]) -> Found:
    """Return every run below `places`, in the order of their names, each once.

    Raises:
        UsageError: when a folder does not exist, or no run below them has results.
    """
    runs: dict[Path, Run] = {}
    left_out: list[str] = []
    several = len(places) > 1
    for place in places:
        finished, others = find_folders(place)
        left_out += [
            f"{_named(folder, place, several=several)}: {why.replace(str(place), place.name)}"
            for folder, why in others.items()
        ]
        for folder in finished:
            if folder.resolve() in runs:
                continue
            name = _named(folder, place, several=several)
            try:
                runs[folder.resolve()] = Run(folder, name, read_summary(folder), Manifest.read(folder))
            except StorageError as error:
                left_out.append(f"{name}: {str(error).replace(str(folder), name)}")
    if not runs:
        why = "".join(f"\n  {each}" for each in left_out)
        raise UsageError(
            f"No run with results is in {', '.join(map(str, places))}; `spatialeval run` writes them.{why}"
        )
    return Found(tuple(runs.values()), tuple(dict.fromkeys(left_out)))


def _named(folder: Path, place: Path, *, several: bool) -> str:
    """Return a folder as seen from the one that was given: nothing else of the machine is in it."""
    name = folder.relative_to(place).as_posix()
    if name == ".":
        return folder.resolve().name
    return f"{place.resolve().name}/{name}" if several else name
