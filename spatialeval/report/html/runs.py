"""Finding the runs below folders, and reading their summaries and manifests. Never a model, never the samples."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
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
        same: folders of runs that are the same in everything that can change an answer; this one stands for them.
    """

    place: Path
    name: str
    summary: Summary
    manifest: Manifest | None
    same: tuple[Path, ...] = ()

    @property
    def parents(self) -> tuple[Path, ...]:
        """The folders that it, or one that it stands for, lies in: what one command made lies in one."""
        return tuple(place.parent for place in (self.place, *self.same))


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


def shown_once(found: Found) -> Found:
    """Return the runs without those that are the same in everything that can change an answer.

    Of such runs the one with the most answers stays, of several of these the newest. Replies that were only scored, and
    the parts of a run, stay as they are.
    """
    alike: dict[str, list[Run]] = {}
    for run in found.runs:
        alike.setdefault(_identity(run), []).append(run)
    kept: dict[Path, Run] = {}
    for runs in alike.values():
        best = max(runs, key=_worth)
        kept[best.place] = replace(best, same=tuple(run.place for run in runs if run is not best))
    return Found(tuple(kept[run.place] for run in found.runs if run.place in kept), found.left_out)


def _identity(run: Run) -> str:
    """Return what decides a run's answers as text; its folder where nothing says so."""
    if run.manifest is None or not run.manifest.identity or run.manifest.shard:
        return str(run.place)
    about = run.summary.about
    names = about.task, about.variant, about.protocol, about.strategy, about.model, about.judge
    told = run.manifest.identity, names, about.data, about.scores_version
    return json.dumps(told, sort_keys=True, default=str)


def _worth(run: Run) -> tuple[int, str]:
    """Return how many answers a run has, and when it was last worked on."""
    counts = run.summary.counts
    sessions = run.manifest.sessions if run.manifest else ()
    return run.summary.total - counts.missing - counts.failed, max((each.started for each in sessions), default="")


def _named(folder: Path, place: Path, *, several: bool) -> str:
    """Return a folder as seen from the one that was given: nothing else of the machine is in it."""
    name = folder.relative_to(place).as_posix()
    if name == ".":
        return folder.resolve().name
    return f"{place.resolve().name}/{name}" if several else name
