"""Rank ranges: which places a run may have among those it can be compared with."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.errors import SpatialEvalError
from spatialeval.report.html.board import Rank
from spatialeval.run.arrays import read_scored
from spatialeval.run.stored import kept_rules
from spatialeval.stats.ranks import rank_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.report.html.board import BoardRun
    from spatialeval.report.html.runs import Run
    from spatialeval.stats import Estimate
    from spatialeval.tasks import Task


def ranked(runs: Sequence[BoardRun], sources: Mapping[str, Run], tasks: Mapping[str, Task | None]) -> list[BoardRun]:
    """Return the runs with their rank ranges, in the order given.

    Only complete runs of models on the same data, under the same protocol, views and version of the scores, are ranked
    against each other. Where they answered the same questions, these are drawn again, the same ones for all (cluster
    bootstrap); otherwise a run is better than another where their 95 % intervals do not overlap.

    Args:
        runs: without ranks.
        sources: id -> the run on disk.
        tasks: name -> task, for replies whose folder does not say how they were averaged.
    """
    groups: defaultdict[tuple[object, ...], list[BoardRun]] = defaultdict(list)
    for run in runs:
        if run.kind == "model" and run.complete and run.score is not None:
            views = run.strategy.partition("+")[2]
            groups[run.task, run.protocol, views, run.data, run.scores_version, run.samples].append(run)
    ranks: dict[str, Rank] = {}
    for members in groups.values():
        places = _drawn(members, sources, tasks) if len(members) > 1 else None
        drawn = places is not None
        places = places or by_intervals([run.score for run in members if run.score])
        for run, (best, worst) in zip(members, places, strict=True):
            tied = sum(low <= worst and best <= high for low, high in places) > 1
            ranks[run.id] = Rank(
                best=best, worst=worst, of=len(members), tied=tied, method="bootstrap" if drawn else "intervals"
            )
    return [run.model_copy(update={"rank": ranks.get(run.id)}) for run in runs]


def by_intervals(scores: Sequence[Estimate]) -> list[tuple[int, int]]:
    """Return the better and the worse end of each rank, as far as the intervals tell."""
    ends = [_ends(score) for score in scores]
    return [
        (1 + sum(other > high for other, _ in ends), len(ends) - sum(other < low for _, other in ends))
        for low, high in ends
    ]


def _ends(score: Estimate) -> tuple[float, float]:
    """Return the interval; without one, anything is possible."""
    if score.low is None or score.high is None:
        return -math.inf, math.inf
    return score.low, score.high


def _drawn(
    members: Sequence[BoardRun], sources: Mapping[str, Run], tasks: Mapping[str, Task | None]
) -> list[tuple[int, int]] | None:
    """Return the ranges by drawing questions; None where the runs' questions or their weights are not the same."""
    try:
        held = [_read(sources[run.id], run, tasks[run.task]) for run in members]
    except SpatialEvalError:  # a vote, or samples that cannot be read: the intervals are there in any case
        return None
    first = held[0]
    if any(one is None or one.digest != first.digest or one.weights != first.weights for one in held if first):
        return None
    if first is None:
        return None
    scores = {run.id: one.values for run, one in zip(members, held, strict=True) if one}
    found = rank_ranges(scores, first.clusters, first.within, first.weights)
    by_id = {row.name: (row.low, row.high) for row in found}
    return [by_id[run.id] for run in members]


@dataclass(frozen=True)
class _Held:
    """The scores behind a headline, the term and the cluster of each, the weights of the terms; what it is about."""

    values: Any
    clusters: Any
    within: Sequence[str]
    weights: Mapping[str, float]
    digest: str


def _read(run: Run, shown: BoardRun, task: Task | None) -> _Held | None:
    rules = kept_rules(run.manifest)
    if rules is None and task:
        rules = list(task.protocol(shown.protocol).rules)
    scored = read_scored(run.place, run.summary)
    part = scored.headline(run.summary, rules)
    rows = scored.rows_of(part) if part else None
    if rows is None:
        return None
    places, within, weights = rows
    return _Held(scored.values[places], scored.clusters[places], within, weights, scored.digest)
