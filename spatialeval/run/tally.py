"""From the records of a run to its Summary. A mean holds answers only, never failures.

A Tally takes records one by one and keeps only what the numbers need, so that a long run need not fit in memory.
Everything in a Summary follows from the task, the items and the records: made twice, it is the same.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, cast

from spatialeval.run.asking import reduction
from spatialeval.run.questions import Questions, by_category, by_facet, by_view
from spatialeval.run.records import spent_on
from spatialeval.run.summary import About, Counts, Row, Summary, Tokens
from spatialeval.run.units import Unit, mean_of, reduced, selected, selectors_of, set_chance, sets_of
from spatialeval.scores import Failure, Score, State
from spatialeval.stats import chance, combine, majority
from spatialeval.tasks.aggregate import EVERYTHING, Part, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from spatialeval.run.records import Item, Record
    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol

MACRO, MICRO = "macro (categories)", "micro (samples)"

MATCHED = "saved match"
"""The rule of an answer that was taken from what somebody's matcher had read, because the protocol's rule read none."""


class Tally:
    """Takes the records of a run in the order of its items and sums them up.

    Args:
        task: the task.
        protocol: under which the records were scored.
        items: everything the run is about.
    """

    def __init__(self, task: Task, protocol: TaskProtocol, items: Sequence[Item]) -> None:
        self._protocol = protocol
        self._views = by_view(items)
        how = reduction([view for view, _, _ in items[0].steps] if items else ())
        self._questions = Questions(items, how)
        whole = how == "each"
        self._items = self._questions.samples if whole else {item.key: item.sample for item in items}
        self._categories = by_category(task, self._questions.samples)
        self._states: dict[str, State] = {}
        self._excluded: set[str] = set()
        self._matched: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._messages: dict[str, str] = {}
        self._facets = by_facet(self._questions.samples)
        self._graded: dict[str, Unit] = {}
        self._units: Mapping[str, Unit] = {}
        self._sets: dict[str, dict[str, list[str]]] = {}
        self._calls = self._attempts = self._cap = 0
        self._tokens: Counter[str] = Counter()
        self._judged, self._judge_tokens = 0, Counter[str]()

    def add(self, record: Record) -> None:
        """Count one record; raise ValueError when it is of no item of this run or comes twice."""
        if record.key not in self._items or record.key in self._states:
            raise ValueError(f"record {record.key!r} comes twice or is about no item of this run")
        sample = self._items[record.key]
        self._states[_held(sample.id, record.key)] = cast("State", sys.intern(record.state))
        self._count(record)
        outcome = record.outcome
        if isinstance(outcome, Failure):
            self._failures[outcome.kind] += 1
            self._messages.setdefault(outcome.kind, outcome.message)
        else:
            self._grade(record, outcome, sample)

    @property
    def samples(self) -> Mapping[str, Sample]:
        """Item key -> what was asked."""
        return self._items

    @property
    def graded(self) -> Mapping[str, Unit]:
        """Item key -> what it is worth by itself, of items that were answered."""
        return self._graded

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories asked, in the order of tables."""
        return tuple(self._categories)

    def close(self) -> None:
        """Make the units of the questions; no record comes after it."""
        self._units = self._questions.units(self._graded, self._protocol.grader)

    def units(self, term: Term) -> list[Unit]:
        """Return the units that a term takes in; call `close` (or `summary`) first."""
        every = list(self._units.values())
        if term.sets:
            every = reduced(self._members(term.sets), self._units, term.reduce)
        return [unit for unit in every if selected(term, unit.selectors)]

    def parts(self) -> list[Part]:
        """Return the protocol's parts over the categories and facets that have units, then macro and micro."""
        present = {name: len(keys) for name, keys in self._categories.items() if any(k in self._units for k in keys)}
        split = {name: len(keys) for name, keys in self._facets.items() if any(k in self._units for k in keys)}
        return [self._held(part) for part in self._parts(present, split)]

    def summary(self, about: About, versions: Mapping[str, str]) -> Summary:
        """Return the numbers over everything added."""
        self.close()
        categories = tuple(self._row(name, keys) for name, keys in self._categories.items())
        facets = tuple(self._row(name, keys) for name, keys in self._facets.items())
        views = tuple(self._view_row(name, keys) for name, keys in self._views.items())
        rows = {row.name: row for row in (*facets, *categories)}
        units: dict[tuple[str, str], list[Unit]] = {("", ""): list(self._units.values())}
        parts = tuple(self._part_row(part, rows, units) for part in self.parts())
        headline = next((row for row in parts if row.headline), None)
        absent = [row.name for row in categories if not row.n]
        named = [name for row in parts for name in row.missing]
        counts = self._counts_of_items(self._items)
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
            facets=(*facets, *views),
            parts=parts,
            missing_categories=tuple(dict.fromkeys([*absent, *named])),
            calls=self._calls,
            attempts=self._attempts,
            tokens=Tokens(**self._tokens),
            judged=self._judged,
            judge_tokens=Tokens(**self._judge_tokens),
            cap_sent=self._cap or None,
            versions=dict(versions),
        )

    def _grade(self, record: Record, score: Score, sample: Sample) -> None:
        if score.value is None:
            self._excluded.add(record.key)
            return
        # Views of one sample rise and fall together, so a sample without a group is a cluster of its own items.
        group, name = _held(sample.group, record.group), _held(sample.id, record.sample_id)
        cluster: Hashable = ("group", group) if group else name  # a tuple and a text are never the same cluster
        read, key = score.state == "scored", _held(sample.id, record.key)
        value, answer = _COMMON.get(score.value, score.value), score.reading.value
        answer = sys.intern(answer) if isinstance(answer, str) else answer
        self._graded[key] = Unit(key, selectors_of(sample), cluster, value, read, answer, name)

    def _count(self, record: Record) -> None:
        for counted, usage in ((self._tokens, spent_on(record.calls)), (self._judge_tokens, spent_on(record.judged))):
            counted["prompt"] += usage.prompt_tokens or 0
            counted["completion"] += usage.completion_tokens or 0
            counted["cached"] += usage.cached_tokens or 0
        self._judged += bool(record.judged)
        self._calls += len(record.calls)
        self._attempts += record.attempts
        if record.rule == MATCHED:
            self._matched.add(record.key)
        caps = [call.request.get("settings", {}).get("max_tokens") or 0 for call in record.calls]
        self._cap = max(self._cap, *caps, 0)

    def _counts(self, keys: Iterable[str]) -> Counts:
        """Return how the items of questions ended."""
        return self._counts_of_items(item for key in keys for item in self._questions.members[key])

    def _counts_of_items(self, keys: Iterable[str]) -> Counts:
        states, excluded, matched = Counter[str](), 0, 0
        for key in keys:
            states[self._states.get(key, "missing")] += 1
            excluded += key in self._excluded
            matched += key in self._matched
        return Counts(**states, excluded=excluded, matched=matched)

    def _row(self, name: str, keys: Sequence[str]) -> Row:
        units = [self._units[key] for key in keys if key in self._units]
        guessed = self._questions.chance(keys), self._questions.majority(keys, self._protocol.grader)
        return _plain_row(name, units, self._counts(keys), guessed)

    def _view_row(self, name: str, keys: Sequence[str]) -> Row:
        """Return the row of one form in which samples were asked, each item by itself."""
        units = [self._graded[key] for key in keys if key in self._graded]
        samples = [self._items[key] for key in keys]
        guessed = chance(samples), majority(samples, self._protocol.grader)
        return _plain_row(name, units, self._counts_of_items(keys), guessed)

    def _parts(self, held: Mapping[str, int], split: Mapping[str, int]) -> list[Part]:
        """Return the protocol's parts over what has scores, then macro and micro if not among them."""
        parts = list(self._protocol.parts(held, split))
        if len(held) > 1:
            even = Part(MACRO, {Term(name): 1 / len(held) for name in held})
            known = [part.terms for part in parts]
            more = (even, Part(MICRO, {EVERYTHING: 1.0}))
            parts += [part for part in more if not any(_same(part.terms, terms) for terms in known)]
        return parts

    def _part_row(self, part: Part, rows: Mapping[str, Row], units: dict[tuple[str, str], list[Unit]]) -> Row:
        for term in part.terms:
            if (term.sets, term.reduce) not in units:
                members = self._members(term.sets)
                units[term.sets, term.reduce] = reduced(members, self._units, term.reduce)
        terms = list(part.terms)
        keys = set[str]().union(*map(self._keys, terms)) if len(terms) > 1 else self._keys(terms[0]) if terms else ()
        score = mean_of(part, units)
        return Row(
            name=part.name,
            headline=part.headline,
            n=score.n if score else 0,
            counts=self._counts(keys),
            score=score,
            answered_only=mean_of(part, units, read_only=True),
            chance=self._baseline(part, {name: row.chance for name, row in rows.items()}, self._set_chance),
            majority=self._baseline(part, {name: row.majority for name, row in rows.items()}, lambda _: None),
            missing=part.missing,
        )

    def _held(self, part: Part) -> Part:
        """Return the part without terms that no question is in; the others share their weight."""
        held = {term: weight for term, weight in part.terms.items() if any(True for _ in self._keys(term))}
        total = sum(held.values())
        if not held or len(held) == len(part.terms):
            return part
        missing = tuple(term.selector for term in part.terms if term not in held)
        return Part(part.name, {t: w / total for t, w in held.items()}, (*part.missing, *missing), part.headline)

    def _members(self, name: str) -> dict[str, list[str]]:
        if name not in self._sets:
            self._sets[name] = sets_of(self._questions.samples, name)
        return self._sets[name]

    def _keys(self, term: Term) -> Iterable[str]:
        """Return the items that a term takes in."""
        samples = self._questions.samples
        within = [key for keys in self._members(term.sets).values() for key in keys] if term.sets else samples
        return (key for key in within if selected(term, selectors_of(samples[key])))

    def _baseline(
        self, part: Part, known: Mapping[str, float | None], of_sets: Callable[[Term], float | None]
    ) -> float | None:
        """Return a part's chance or majority, from those of the rows it is made of."""
        totals = {name: len(keys) for name, keys in self._categories.items()}
        values: list[float | None] = []
        for term in part.terms:
            if term.sets:
                values.append(of_sets(term))
            else:
                values.append(known.get(term.selector) if term.selector else combine(known, totals, {}))
        weighed = [
            value * weight for value, weight in zip(values, part.terms.values(), strict=True) if value is not None
        ]
        return sum(weighed) if weighed and len(weighed) == len(values) else None

    def _set_chance(self, term: Term) -> float | None:
        """Return what independent guesses at every member give a set, on average over the sets."""
        worths = [
            set_chance([self._questions.chance([key]) for key in keys], term.reduce)
            for keys in self._members(term.sets).values()
            if any(selected(term, selectors_of(self._questions.samples[key])) for key in keys)
        ]
        known = [worth for worth in worths if worth is not None]
        return sum(known) / len(known) if known and len(known) == len(worths) else None


def _plain_row(name: str, units: list[Unit], counts: Counts, guessed: tuple[float | None, float | None]) -> Row:
    every = Part(name, {EVERYTHING: 1.0})
    score = mean_of(every, {("", ""): units})
    return Row(
        name=name,
        n=score.n if score else 0,
        counts=counts,
        score=score,
        answered_only=mean_of(every, {("", ""): units}, read_only=True),
        chance=guessed[0],
        majority=guessed[1],
    )


_COMMON = {0.0: 0.0, 1.0: 1.0}
"""Scores that many samples have, as one object each."""


def _held(mine: str, told: str) -> str:
    """Return the text that is held anyway where a record tells the same: there may be a hundred thousand of them."""
    return mine if mine == told else told


def _same(one: Mapping[Term, float], other: Mapping[Term, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[key] - other[key]) < 1e-9 for key in one)
