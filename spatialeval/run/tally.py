"""From the records of a run to its Summary. A mean holds answers only, never failures.

A Tally takes records one by one and keeps only what the numbers need, so that a long run need not fit in memory.
Everything in a Summary follows from the task, the items and the records: made twice, it is the same.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.run.summary import About, Counts, Row, Summary, Tokens
from spatialeval.scores import Failure, Score, State
from spatialeval.stats import Estimate, chance, combine, estimate, majority
from spatialeval.tasks.aggregate import Part

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from spatialeval.run.records import Item, Record
    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol

MACRO, MICRO = "macro (categories)", "micro (samples)"

MATCHED = "saved match"
"""The rule of an answer that was taken from what somebody's matcher had read, because the protocol's rule read none."""


class _Graded(NamedTuple):
    """The worth of one answered item. Made of a Score only: a Failure has no value to put here."""

    category: str
    cluster: Hashable
    value: float
    read: bool


class Tally:
    """Takes the records of a run in the order of its items and sums them up.

    Args:
        task: the task.
        protocol: under which the records were scored.
        items: everything the run is about.
    """

    def __init__(self, task: Task, protocol: TaskProtocol, items: Sequence[Item]) -> None:
        self._protocol = protocol
        self._items = {item.key: item.sample for item in items}
        self._categories = _ordered(task, self._items)
        self._states: dict[str, State] = {}
        self._excluded: set[str] = set()
        self._matched: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._messages: dict[str, str] = {}
        self._graded: dict[str, list[_Graded]] = {category: [] for category in self._categories}
        self._calls = self._attempts = self._cap = 0
        self._tokens: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        """Count one record; raise ValueError when it is of no item of this run or comes twice."""
        if record.key not in self._items or record.key in self._states:
            raise ValueError(f"record {record.key!r} comes twice or is about no item of this run")
        self._states[record.key] = record.state
        self._count(record)
        outcome = record.outcome
        if isinstance(outcome, Failure):
            self._failures[outcome.kind] += 1
            self._messages.setdefault(outcome.kind, outcome.message)
        else:
            self._grade(record, outcome)

    def summary(self, about: About, versions: Mapping[str, str]) -> Summary:
        """Return the numbers over everything added."""
        categories = tuple(self._category_row(category) for category in self._categories)
        held = [row.name for row in categories if row.n]
        parts = tuple(self._part_row(part, categories) for part in self._parts(held))
        headline = next((row for row in parts if row.headline), None)
        absent = [row.name for row in categories if not row.n]
        named = [name for row in parts for name in row.missing]
        counts = self._counts(self._items)
        return Summary(
            about=about,
            total=len(self._items),
            samples=len({sample.id for sample in self._items.values()}),
            counts=counts,
            failures=dict(sorted(self._failures.items())),
            messages=dict(sorted(self._messages.items())),
            complete=not counts.failed and not counts.missing,
            headline=headline.name if headline else None,
            score=headline.score if headline else None,
            categories=categories,
            parts=parts,
            missing_categories=tuple(dict.fromkeys([*absent, *named])),
            calls=self._calls,
            attempts=self._attempts,
            tokens=Tokens(**self._tokens),
            cap_sent=self._cap or None,
            versions=dict(versions),
        )

    def _grade(self, record: Record, score: Score) -> None:
        if score.value is None:
            self._excluded.add(record.key)
            return
        # Views of one sample rise and fall together, so a sample without a group is a cluster of its own items.
        cluster = ("group", record.group) if record.group else ("sample", record.sample_id)
        self._graded[record.category].append(_Graded(record.category, cluster, score.value, score.state == "scored"))

    def _count(self, record: Record) -> None:
        usage = record.usage
        self._tokens["prompt"] += usage.prompt_tokens or 0
        self._tokens["completion"] += usage.completion_tokens or 0
        self._tokens["cached"] += usage.cached_tokens or 0
        self._calls += len(record.calls)
        self._attempts += record.attempts
        if record.rule == MATCHED:
            self._matched.add(record.key)
        caps = [call.request.get("settings", {}).get("max_tokens") or 0 for call in record.calls]
        self._cap = max(self._cap, *caps, 0)

    def _counts(self, keys: Iterable[str]) -> Counts:
        keys = set(keys)
        states = Counter(self._states.get(key, "missing") for key in keys)
        return Counts(**states, excluded=len(keys & self._excluded), matched=len(keys & self._matched))

    def _category_row(self, category: str) -> Row:
        keys = self._categories[category]
        samples = [self._items[key] for key in keys]
        graded = self._graded[category]
        return Row(
            name=category,
            n=len(graded),
            counts=self._counts(keys),
            score=_mean(graded, {}),
            answered_only=_mean([one for one in graded if one.read], {}),
            chance=chance(samples),
            majority=majority(samples, self._protocol.grader),
        )

    def _parts(self, held: list[str]) -> list[Part]:
        """Return the protocol's parts over the categories that have scores, then macro and micro if not among them."""
        parts = list(self._protocol.parts(held))
        if len(held) > 1:
            even = Part(MACRO, dict.fromkeys(held, 1 / len(held)))
            known = [part.weights for part in parts]
            parts += [part for part in (even, Part(MICRO, {})) if not any(_same(part.weights, w) for w in known)]
        return parts

    def _part_row(self, part: Part, categories: Sequence[Row]) -> Row:
        members = [row for row in categories if not part.weights or part.weights.get(row.name)]
        totals = {row.name: len(self._categories[row.name]) for row in members}
        graded = [one for row in members for one in self._graded[row.name]]
        score = _mean(graded, part.weights)
        return Row(
            name=part.name,
            headline=part.headline,
            n=score.n if score else 0,
            counts=self._counts(key for row in members for key in self._categories[row.name]),
            score=score,
            answered_only=_mean([one for one in graded if one.read], part.weights),
            chance=combine({row.name: row.chance for row in members}, totals, part.weights),
            majority=combine({row.name: row.majority for row in members}, totals, part.weights),
            missing=part.missing,
        )


def _mean(graded: Sequence[_Graded], weights: Mapping[str, float]) -> Estimate | None:
    values = [one.value for one in graded]
    return estimate(values, [one.cluster for one in graded], [one.category for one in graded], weights)


def _same(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[key] - other[key]) < 1e-9 for key in one)


def _ordered(task: Task, items: Mapping[str, Sample]) -> dict[str, list[str]]:
    """Return category -> item keys: categories as the task file lists them, others after them, numbers by size."""
    present = {sample.category for sample in items.values()}
    listed = [category for category in task.spec.data.expect.categories if category in present]
    keys: dict[str, list[str]] = {
        category: [] for category in (*listed, *sorted(present - set(listed), key=_by_numbers))
    }
    for key, sample in items.items():
        keys[sample.category].append(key)
    return keys


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """Sort key under which "path 10" comes after "path 9"."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]
