"""A run as it lies in its folder, with what a comparison needs: its questions graded, without the task's data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spatialeval.errors import UsageError
from spatialeval.run.asking import parse_asking, reduction
from spatialeval.run.loading import run_folders
from spatialeval.run.manifest import Manifest
from spatialeval.run.results import read_samples, read_summary
from spatialeval.run.tally import MACRO, MICRO
from spatialeval.run.units import Unit, reduced, selected, selectors_of, sets_of
from spatialeval.tasks.aggregate import EVERYTHING, Part, Term, parts_of
from spatialeval.tasks.protocol_schema import AggregatePart

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
    from pathlib import Path

    from spatialeval.run.summary import Summary
    from spatialeval.samples import Sample

_COLUMNS = (
    "key", "sample_id", "view", "category", "group", "question", "target",
    "state", "score", "read", "rule", "reply",
)  # fmt: skip


@dataclass(frozen=True)
class StoredRun:
    """A finished run on disk.

    Attributes:
        folder: where it lies.
        summary: its numbers.
        manifest: what it is; None for replies that were only scored, which have none.
        rows: samples.parquet, the columns that comparisons use.
    """

    folder: Path
    summary: Summary
    manifest: Manifest | None
    rows: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def identity(self) -> Mapping[str, Any]:
        """What decides its answers and scores, as its manifest has it; empty without one."""
        return self.manifest.identity if self.manifest else {}

    @property
    def rules(self) -> list[AggregatePart] | None:
        """The aggregation in force when it was scored; None when nothing says which."""
        return kept_rules(self.manifest)

    def first_rows(self) -> dict[str, dict[str, Any]]:
        """Return sample id -> its row, the first one where a view asks it in several forms."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            found.setdefault(row["sample_id"], row)
        return found


def kept_rules(manifest: Manifest | None) -> list[AggregatePart] | None:
    """Return the aggregation that a manifest keeps; None when it says nothing about it."""
    kept = manifest.identity.get("protocol", {}).get("aggregate") if manifest else None
    return None if kept is None else [AggregatePart.model_validate(rule) for rule in kept]


def open_run(place: Path) -> StoredRun:
    """Return the run in a folder: in it, or the only one below it.

    Raises:
        UsageError: when there is no run, or several.
        StorageError: when a file of it is damaged.
    """
    found = run_folders(place)
    folder = place if place in found else found[0]
    if folder is not place and len(found) > 1:
        raise UsageError(
            f"{place} holds {len(found)} runs, first {found[0].relative_to(place)} and {found[1].relative_to(place)}. "
            "Name the folder of one of them."
        )
    rows = read_samples(folder, _COLUMNS).to_pylist()
    return StoredRun(folder, read_summary(folder), Manifest.read(folder), tuple(rows))


class StoredScores:
    """The graded questions of a stored run, as `Graded` has them.

    A Tally does the same with the task at hand. Facets and sets are not in samples.parquet: parts over them are there
    only where the samples are given.

    Args:
        run: the run.
        samples: sample id -> sample, where the task's data are at hand.
        without: ids of samples that do not count.
        rules: the aggregation in force; None when nothing says which.

    Raises:
        UsageError: when the forms of a question count by vote, which needs the task.
    """

    def __init__(
        self,
        run: StoredRun,
        samples: Mapping[str, Sample] | None,
        without: Collection[str],
        rules: Sequence[AggregatePart] | None,
    ) -> None:
        self._run, self._samples = run, samples
        self._rules = None if rules is None else list(rules)
        rows = [row for row in run.rows if row["sample_id"] not in without]
        self._how = forms_count(run.summary.about.strategy, run.folder)
        self._members: dict[str, list[str]] = {}
        for row in rows:
            question = row["key"] if self._how == "each" else row["sample_id"]
            self._members.setdefault(question, []).append(row["key"])
        self._asked = {row["key"]: row for row in rows}
        graded = {row["key"]: self._unit(row) for row in rows if row["score"] is not None}
        if self._how == "each":
            self._units = graded
        else:
            self._units = {unit.key: unit for unit in reduced(self._members, graded, self._how)}
        self._shown: Collection[str] | None = None

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories with a question that counts, in the order of the run's own table."""
        present = {self._asked[keys[0]]["category"] for name, keys in self._members.items() if name in self._units}
        known = [row.name for row in self._run.summary.categories if row.name in present]
        return tuple(name for name in known if self._shown is None or name in self._shown)

    @property
    def questions(self) -> dict[str, Unit]:
        """Question -> what it is worth, of those with an answer."""
        return dict(self._units)

    def show(self, categories: Collection[str]) -> None:
        """Take parts over these categories only: those that every run of a comparison has questions of."""
        self._shown = categories

    def units(self, term: Term) -> list[Unit]:
        """Return the units that a term takes in."""
        if not term.sets:
            return self._by_selector.get(term.selector, [])
        every = reduced(self._sets(term.sets), self._units, term.reduce)
        return [unit for unit in every if selected(term, unit.selectors)]

    @cached_property
    def _by_selector(self) -> dict[str, list[Unit]]:
        found: dict[str, list[Unit]] = {EVERYTHING.selector: list(self._units.values())}
        for unit in self._units.values():
            for name in unit.selectors:
                found.setdefault(name, []).append(unit)
        return found

    def parts(self) -> list[Part]:
        """Return the task's parts that can be told from what is at hand, then macro and micro."""
        counts = {name: len(self.units(Term(name))) for name in self.categories}
        asked = self._categories_asked()
        facets = Counter(name for unit in self._units.values() for name in unit.selectors if name not in asked)
        rules = None if self._rules is None else self._tellable(self._rules)
        return told_parts(rules, counts, facets, self._run.summary.headline, ruled=self._rules != [])

    def left_out(self) -> tuple[str, ...]:
        """Return the names of the run's parts that cannot be told without the task's data."""
        known = {part.name for part in self.parts()}
        return tuple(row.name for row in self._run.summary.parts if row.name not in {*known, MACRO, MICRO})

    def _tellable(self, rules: list[AggregatePart]) -> list[AggregatePart]:
        return rules if self._samples is not None else tellable(rules, self._categories_asked())

    def _categories_asked(self) -> set[str]:
        return {row["category"] for row in self._asked.values()}

    def _unit(self, row: Mapping[str, Any]) -> Unit:
        # As in a Tally: forms of one sample rise and fall together, whether or not the task names groups.
        cluster: Hashable = ("group", row["group"]) if row["group"] else ("sample", row["sample_id"])
        sample = self._samples.get(row["sample_id"]) if self._samples is not None else None
        selectors = selectors_of(sample) if sample else frozenset({row["category"]})
        return Unit(row["key"], selectors, cluster, row["score"], row["state"] == "scored", None, row["sample_id"])

    def _sets(self, name: str) -> dict[str, list[str]]:
        samples = self._samples or {}
        ids = {question: self._asked[keys[0]]["sample_id"] for question, keys in self._members.items()}
        return sets_of({question: samples[one] for question, one in ids.items() if one in samples}, name)


def shared_categories(scores: Sequence[StoredScores]) -> set[str]:
    """Return the categories of which every run has a question that the first one has too."""
    first = scores[0]
    by_id = {unit.question or unit.key: unit for unit in first.questions.values()}
    within = [_categories(by_id, other.questions.values()) for other in scores[1:]]
    return set.intersection(*within) if within else set(first.categories)


def _categories(first: Mapping[str, Unit], others: Iterable[Unit]) -> set[str]:
    shared = {unit.question or unit.key for unit in others} & first.keys()
    return {name for one in shared for name in first[one].selectors}


def told_parts(
    rules: Sequence[AggregatePart] | None,
    counts: Mapping[str, int],
    facets: Mapping[str, int],
    headline: str | None,
    *,
    ruled: bool,
) -> list[Part]:
    """Return the parts that rules over these categories give, then macro and micro.

    Args:
        rules: those that can be told; None when nothing says which are in force.
        counts: category -> questions.
        facets: "facet=value" -> questions.
        headline: name of the part that stands for the run.
        ruled: whether the task has rules at all: without any, the mean over questions is its own.
    """
    found = parts_of(rules or [], counts, facets) if rules or not ruled else ()
    parts = [replace(part, headline=part.name == headline) for part in found]
    if len(counts) > 1:
        even = Part(MACRO, {Term(name): 1 / len(counts) for name in counts})
        known = [dict(part.terms) for part in parts]
        parts += [part for part in (even, Part(MICRO, {EVERYTHING: 1.0})) if dict(part.terms) not in known]
    return parts or [Part(MICRO, {EVERYTHING: 1.0})]


def tellable(rules: Sequence[AggregatePart], categories: set[str]) -> list[AggregatePart]:
    """Return the rules over these categories alone, which need no facets and no sets."""
    known = set(categories)
    for rule in rules:
        members = rule.mean_of if isinstance(rule.mean_of, list) else ()
        whole = [name in known or "=" not in name for name in members]
        parts_untold = {one.name for one in rules} - known
        if not rule.sets and all(whole) and not any(name in parts_untold for name in members):
            known.add(rule.name)
    return [rule for rule in rules if rule.name in known]


def forms_count(strategy: str, folder: Path) -> str:
    """Return what the forms that a strategy's views give a question are worth together; "each" without views.

    Raises:
        UsageError: where they vote: only the task can repeat that.
    """
    how = reduction(parse_asking(strategy)[1]) if "+" in strategy else "each"
    if how == "vote":
        raise UsageError(
            f"{folder}: {strategy!r} has the forms of a question vote, which only the task can repeat. "
            "Compare such a run with `spatialeval ablate`."
        )
    return how
