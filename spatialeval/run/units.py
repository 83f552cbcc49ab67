"""What a mean is taken over: graded items, alone or in sets that count as one."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from spatialeval.stats import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks.aggregate import Part, Term


@dataclass(frozen=True, slots=True)
class Unit:
    """The worth of one answered item, or of a set of them. Made of a Score only: a Failure has no value to put here.

    Attributes:
        key: of the item, or the name of the set.
        selectors: the category and each "facet=value" it counts for.
        cluster: what it shares with others.
        value: 0 to 1.
        read: whether its answer was read, of a set all answers.
        answer: what was read, of an item alone.
        question: the id of the sample an item alone is about, whatever form it was asked in.
    """

    key: str
    selectors: frozenset[str]
    cluster: Hashable
    value: float
    read: bool
    answer: Answer | None = None
    question: str = ""


def selectors_of(sample: Sample) -> frozenset[str]:
    """Return the category and the facet values of a sample, as parts name them; the same set for samples alike."""
    return _selectors(sample.category, tuple(sample.facets.items()))


@lru_cache(maxsize=4096)
def _selectors(category: str, facets: tuple[tuple[str, tuple[str, ...]], ...]) -> frozenset[str]:
    return frozenset({category, *(f"{name}={value}" for name, values in facets for value in values)})


def reduced(members: Mapping[str, Sequence[str]], units: Mapping[str, Unit], how: str) -> list[Unit]:
    """Return one unit per set whose members are all graded.

    A set with a failed or unasked member is worth nothing either way: taking it as wrong would score a failure, and
    taking only those that are wrong already would bias the mean.

    Args:
        members: set -> item keys.
        units: item key -> what it is worth.
        how: "all" (the lowest), "any" (the highest), "mean", or "majority" (more than half of the worth there is).
    """
    found = []
    for name, keys in members.items():
        held = [units[key] for key in keys if key in units]
        if len(held) == len(keys):
            values = [unit.value for unit in held]
            common = frozenset.intersection(*(unit.selectors for unit in held))
            read = all(unit.read for unit in held)
            found.append(Unit(name, common, held[0].cluster, _REDUCE[how](values), read))
    return found


_REDUCE: dict[str, Callable[[list[float]], float]] = {
    "all": min,
    "any": max,
    "mean": lambda values: sum(values) / len(values),
    "majority": lambda values: float(sum(values) > len(values) / 2),
}


def sets_of(items: Mapping[str, Sample], name: str) -> dict[str, list[str]]:
    """Return set -> item keys for the sets called `name`; samples in none of them are left out."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for key, sample in items.items():
        if name in sample.sets:
            members[sample.sets[name]].append(key)
    return dict(members)


def mean_of(part: Part, units: Mapping[tuple[str, str], Iterable[Unit]], *, read_only: bool = False) -> Estimate | None:
    """Return the weighted mean of a part's terms.

    A unit that counts in several terms enters each; its influences on the result are added up in its cluster.

    Args:
        part: terms and weights.
        units: (sets, reduce) -> all units of that kind.
        read_only: only what was read.
    """
    values: list[float] = []
    clusters: list[Hashable] = []
    names: list[str] = []
    counted = 0
    terms = list(part.terms)
    for place, term in enumerate(terms):
        every = units[term.sets, term.reduce]
        kept = [unit for unit in every if selected(term, unit.selectors) and (unit.read or not read_only)]
        values += [unit.value for unit in kept]
        clusters += [unit.cluster for unit in kept]
        names += [str(place)] * len(kept)
        earlier = [other for other in terms[:place] if (other.sets, other.reduce) == (term.sets, term.reduce)]
        counted += sum(not any(selected(other, unit.selectors) for other in earlier) for unit in kept)
    weights = {str(place): weight for place, weight in enumerate(part.terms.values())}
    found = estimate(values, clusters, names, weights if len(weights) > 1 else None)
    return replace(found, n=counted) if found else None


def selected(term: Term, selectors: frozenset[str]) -> bool:
    """Tell whether a term takes in something with these selectors."""
    return not term.selector or term.selector in selectors


def set_chance(chances: Sequence[float | None], how: str) -> float | None:
    """Return what independent guesses give a set; None where a member's chance is unknown, or for a majority."""
    known = [value for value in chances if value is not None]
    if len(known) != len(chances) or how == "majority":
        return None
    if how == "any":
        return 1 - math.prod(1 - value for value in known)
    return math.prod(known) if how == "all" else sum(known) / len(known)
