"""Results as pandas DataFrames: a row per run, and a row per asked item of all runs."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spatialeval.errors import UsageError
from spatialeval.run.finding import find_folders
from spatialeval.run.results import FILE_NAME, read_samples, read_summary
from spatialeval.run.samplefile import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from spatialeval.run.summary import Summary
    from spatialeval.samples import Sample

_LARGE = frozenset({"calls", "judge"})
"""Columns with all that was sent and answered, as JSON: most of the bytes, and rarely wanted in a table."""
NAMES = ("run", "task", "protocol", "strategy", "model")
"""The columns that say which run a sample is of."""


class Results(NamedTuple):
    """The results in a folder.

    Attributes:
        runs: a row per run: its names, its headline with interval, n and baselines, how its items ended, what it cost.
        samples: a row per asked item: the names of its run, then the columns of samples.parquet.
    """

    runs: pd.DataFrame
    samples: pd.DataFrame


def load_results(
    folder: str | Path, *, columns: Sequence[str] | None = None, samples: Iterable[Sample] = ()
) -> Results:
    """Return all finished runs in `folder` and below as DataFrames.

    Scores are 0 to 1. A failed item has no score (NaN), so a mean over `score` leaves it out. The column `run` is the
    run's folder within `folder`.

    Args:
        folder: one run, or a folder of runs such as `results`.
        columns: of samples.parquet; left out, all but `calls` and `judge`, which hold whole messages.
        samples: of the task, such as `load_task("vsr").samples()`: adds a column `facet.NAME` for each of their facets
            and `set.NAME` for each kind of set, which results files do not hold.

    Raises:
        UsageError: when there is no such folder, no run in it, or no such column.
        StorageError: when a file of a run is damaged.
    """
    import pandas as pd  # noqa: PLC0415 - heavy, and only tables need it

    place = Path(folder)
    wanted = [name for name in COLUMNS if name not in _LARGE] if columns is None else list(columns)
    if unknown := [name for name in wanted if name not in COLUMNS]:
        raise UsageError(f"samples have no column {unknown[0]!r}. They have {', '.join(COLUMNS)}.")
    known = {sample.id: sample for sample in samples}
    if known and "sample_id" not in wanted:
        wanted.append("sample_id")
    held = {_name(found, place): (found, read_summary(found)) for found in run_folders(place)}
    tables = [_samples(name, *run, wanted) for name, run in held.items()]
    asked = pd.concat(tables, ignore_index=True)
    for name in NAMES:
        asked[name] = asked[name].astype("category")
    for column, values in _facets(known).items():
        asked[column] = asked["sample_id"].map(values).astype("category")
    return Results(pd.DataFrame([run_row(name, summary) for name, (_, summary) in held.items()]), asked)


def _facets(known: Mapping[str, Sample]) -> dict[str, dict[str, str]]:
    """Return column -> sample id -> value; several values of one facet are joined by commas."""
    columns: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for sample in known.values():
        for name, values in sample.facets.items():
            columns[f"facet.{name}"][sample.id] = ", ".join(values)
        for name, members in sample.sets.items():
            columns[f"set.{name}"][sample.id] = members
    return columns


def run_folders(place: Path) -> list[Path]:
    """Return the folders of finished runs in `place` and below, checks of judges left out.

    Raises:
        UsageError: when there is no such folder, or no run in it.
    """
    finished, others = find_folders(place)
    if finished:
        return list(finished)
    if shard := next((folder for folder, why in others.items() if why.startswith("shard ")), None):
        raise UsageError(
            f"{place} holds shards of a run, which have no results: spatialeval merge {shard.parent} makes one run "
            f"of all. {shard}: {others[shard]}"
        )
    if found := next(((folder, why) for folder, why in others.items() if why.startswith("not finished")), None):
        raise UsageError(f"no finished run is in {place}. {found[0]}: {found[1]}")
    raise UsageError(f"no finished run is in {place}; `spatialeval run` writes {FILE_NAME} when it ends.")


def _name(found: Path, place: Path) -> str:
    return found.relative_to(place).as_posix() if found != place else found.resolve().name


def _names(name: str, summary: Summary) -> dict[str, str]:
    about = summary.about
    return dict(zip(NAMES, (name, about.task, about.protocol, about.strategy, about.model), strict=True))


def _samples(name: str, folder: Path, summary: Summary, columns: Sequence[str]) -> pd.DataFrame:
    frame: pd.DataFrame = read_samples(folder, columns).select(list(columns)).to_pandas()
    for place, (key, value) in enumerate(_names(name, summary).items()):
        frame.insert(place, key, value)
    return frame


def run_row(name: str, summary: Summary) -> dict[str, Any]:
    """Return the columns of one run in the table of runs."""
    about, score = summary.about, summary.score
    row = next((row for row in summary.parts if row.headline), None)
    return {
        **_names(name, summary),
        "variant": about.variant,
        "judge": about.judge,
        "headline": summary.headline,
        "score": score.mean if score else None,
        "low": score.low if score else None,
        "high": score.high if score else None,
        "se": score.se if score else None,
        "n": row.n if row else 0,
        "clusters": score.clusters if score else 0,
        "chance": row.chance if row else None,
        "majority": row.majority if row else None,
        "total": summary.total,
        **summary.counts.model_dump(),
        "complete": summary.complete,
        "calls": summary.calls,
        "attempts": summary.attempts,
        **{f"{kind}_tokens": count for kind, count in summary.tokens.model_dump().items()},
        "cap": about.cap,
        "data": about.data,
        "scores_version": about.scores_version,
        "version": summary.versions.get("spatialeval"),
    }
