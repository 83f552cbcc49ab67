"""Why two runs of one task have different headlines: their readers, their scoring, their aggregation, or the replies.

The replies of the first run are graded step by step as the second one grades: first read by its readers, then scored by
its scorers (and its rule for unread answers), then averaged by its aggregation. What is left is in the replies: of two
protocols over the same replies nothing is; of two runs it is the wording, the pictures, the cap and the model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from spatialeval.data.fingerprint import fingerprint
from spatialeval.errors import UsageError
from spatialeval.run.asking import bound_views, expand, parse_asking
from spatialeval.run.imported import STRATEGY as IMPORTED
from spatialeval.run.records import Item, Record
from spatialeval.run.rescore import STRATEGY as SAVED
from spatialeval.run.results import read_samples
from spatialeval.run.tally import MATCHED, Tally
from spatialeval.run.units import mean_of
from spatialeval.scores import Failure, Reading, Score
from spatialeval.tasks.aggregate import Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.grading import Grader
    from spatialeval.messages import Finish
    from spatialeval.run.stored import StoredRun
    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol


@dataclass(frozen=True)
class Step:
    """One step from the first run's headline to the second's: its name, the headline after it, and what changed.

    Attributes:
        name: reader, scoring, aggregation or replies.
        score: the headline after it.
        change: to the step before.
        replies: how many replies it scores differently; None where that is not what it does.
    """

    name: str
    score: float
    change: float
    replies: int | None


@dataclass(frozen=True)
class Gap:
    """The way from one headline to another.

    Attributes:
        start: the first run's headline.
        steps: reader, scoring, aggregation, replies; their changes add up to the gap.
        same: replies that both runs have word for word, of `shared` items that both have a reply to.
        shared: see `same`.
        kept: replies that are left as the first run scored them, because a judge or a saved match did.
    """

    start: float
    steps: tuple[Step, ...]
    same: int
    shared: int
    kept: int


def explain(first: StoredRun, second: StoredRun, task: Task, samples: Sequence[Sample], *, anyway: bool = False) -> Gap:
    """Return why the headlines of two runs of one task differ.

    Args:
        first: its replies are graded anew.
        second: as this run grades.
        task: what both asked.
        samples: all samples of the task.
        anyway: go on though the samples are not those that were asked.

    Raises:
        UsageError: when a run is of another task or other data, or has no headline.
    """
    _check(first, task, samples, anyway=anyway)
    protocols = [_protocol(task, run) for run in (first, second)]
    one, two = (_grader(protocol, run) for protocol, run in zip(protocols, (first, second), strict=True))
    items = _items(first, task, samples)
    mixed = replace(one, readers=two.readers, on_length=two.on_length)
    ends = _ends(first)
    stored, read, graded = (
        [_record(items[row["key"]], row, ends[row["key"]], grader) for row in first.rows]
        for grader in (None, mixed, two)
    )
    start = _headline(task, protocols[0], items, stored)
    scores = [
        _headline(task, protocols[0], items, read),
        _headline(task, protocols[0], items, graded),
        _headline(task, protocols[1], items, graded),
    ]
    end = second.summary.score
    if end is None or start is None or None in scores:
        raise UsageError(f"{first.folder} or {second.folder} has no headline to explain: too little was answered.")
    ways = [start, *(score for score in scores if score is not None), end.mean]
    changed = (_changed(stored, read), _changed(read, graded), None, None)
    names = ("reader", "scoring", "aggregation", "replies")
    steps = [Step(*facts) for facts in zip(names, ways[1:], _changes(ways), changed, strict=True)]
    return Gap(start, tuple(steps), *_same_replies(first, second), sum(end is None for end in ends.values()))


def _changes(ways: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(ways)]


def _check(run: StoredRun, task: Task, samples: Sequence[Sample], *, anyway: bool) -> None:
    told = run.summary.about.data
    if told is not None and told != fingerprint(samples) and not anyway:
        raise UsageError(
            f"{run.folder} asked other samples than {task.name} has here (data {told[:12]}). Name the same data with "
            "--data, or add --anyway to go on with these."
        )


def _protocol(task: Task, run: StoredRun) -> TaskProtocol:
    return task.protocol(run.summary.about.protocol)


def _asking(run: StoredRun) -> str:
    """Return how a run asked; saved and imported replies count as asked plainly."""
    strategy = run.summary.about.strategy
    return "plain" if strategy in {SAVED, IMPORTED} else strategy


def _grader(protocol: TaskProtocol, run: StoredRun) -> Grader:
    strict = parse_asking(_asking(run))[0].reader == "strict"
    return protocol.strict_grader if strict else protocol.grader


def _items(run: StoredRun, task: Task, samples: Sequence[Sample]) -> dict[str, Item]:
    """Return the items of a run by key; raise UsageError when the task does not have them."""
    views = bound_views(parse_asking(_asking(run))[1], task, samples, _protocol(task, run))
    items = {item.key: item for item in expand(samples, views).items}
    if unknown := [row["key"] for row in run.rows if row["key"] not in items]:
        raise UsageError(
            f"{run.folder} has {len(unknown):,} items that {task.name} does not have, first {unknown[0]!r}. "
            "Name the data it was run on with --data."
        )
    return {row["key"]: items[row["key"]] for row in run.rows}


def _record(item: Item, row: Mapping[str, Any], end: Finish | None, grader: Grader | None) -> Record:
    """Return the record of a stored row, graded anew where a grader is given and a reader had graded it."""
    if row["state"] == "failed":
        return Record.of(item, Failure("model_error", "see the run"), [])
    if grader is None or end is None:
        outcome = Score(row["score"], Reading(row["read"], row["rule"] or ""), row["state"])
    else:
        outcome = grader.grade(item.sample, row["reply"] or "", end)
    return Record.of(item, outcome, [], row["reply"])


def _ends(run: StoredRun) -> dict[str, Finish | None]:
    """Return item key -> how the reply that was read ended; None where a judge or a saved match gave the score."""
    held = read_samples(run.folder).select(["key", "rule", "state", "reply", "calls", "judge"]).to_pylist()
    return {row["key"]: None if row["judge"] is not None or row["rule"] == MATCHED else _finish(row) for row in held}


def _finish(row: Mapping[str, Any]) -> Finish:
    calls = json.loads(row["calls"] or "[]")
    if not calls:  # imported: the state alone tells
        return "length" if row["state"] == "truncated" else "stop"
    last = calls[-1]["response"]
    # What a strategy made of several replies (a vote) was not cut, whatever its last call was.
    finish: Finish = last["finish"] if last["text"] == row["reply"] else "stop"
    return finish


def _headline(task: Task, protocol: TaskProtocol, items: Mapping[str, Item], records: Sequence[Record]) -> float | None:
    tally = Tally(task, protocol, list(items.values()))
    for record in records:
        tally.add(record)
    tally.close()
    part = next((part for part in tally.parts() if part.headline), None)
    if part is None:
        return None
    kinds = {(term.sets, term.reduce) for term in part.terms}
    found = mean_of(part, {kind: tally.units(Term("", *kind)) for kind in kinds})
    return found.mean if found else None


def _changed(before: Sequence[Record], after: Sequence[Record]) -> int:
    return sum(one.score != two.score for one, two in zip(before, after, strict=True))


def _same_replies(first: StoredRun, second: StoredRun) -> tuple[int, int]:
    replies = [{row["key"]: row["reply"] for row in run.rows if row["state"] != "failed"} for run in (first, second)]
    shared = replies[0].keys() & replies[1].keys()
    return sum(replies[0][key] == replies[1][key] for key in shared), len(shared)
