"""The questions of a run: what counts as one, where views ask a sample in several forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from spatialeval.foreign import blaming
from spatialeval.run.units import Unit, reduced, selectors_of, set_chance
from spatialeval.stats import chance, majority
from spatialeval.strategies.votes import elected

if TYPE_CHECKING:
    from spatialeval.grading import Grader
    from spatialeval.run.records import Item
    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks import Task
    from spatialeval.views.base import Reduce


class Questions:
    """Items by the question they count for.

    Attributes:
        samples: question -> its sample: what was asked, or what the views began with where its forms count as one.
        members: question -> the keys of its items.
        how: what the items of a question are worth together.
    """

    def __init__(self, items: Sequence[Item], how: Reduce) -> None:
        self.how = how
        self.samples: dict[str, Sample] = {}
        self.members: Mapping[str, Sequence[str]] = {}
        self._items: dict[str, Item] = {}
        if how == "each":  # there may be very many, so nothing is held that is not needed
            self.samples = {item.key: item.sample for item in items}
            self.members = _Alone(self.samples)
            return
        members: dict[str, list[str]] = {}
        for item in items:
            sample = item.origin or item.sample
            self.samples[sample.id] = sample
            self._items[item.key] = item
            members.setdefault(sample.id, []).append(item.key)
        self.members = members

    def units(self, graded: Mapping[str, Unit], grader: Grader) -> Mapping[str, Unit]:
        """Return question -> what it is worth, without those of which a form has no answer."""
        if self.how == "each":
            return graded
        if self.how != "vote":
            return {unit.key: unit for unit in reduced(self.members, graded, self.how)}
        voted = (self._vote(key, keys, graded, grader) for key, keys in self.members.items())
        return {unit.key: unit for unit in voted if unit is not None}

    def chance(self, keys: Sequence[str]) -> float | None:
        """Return what guessing gives the questions, on average."""
        if self.how == "each":
            return chance([self.samples[key] for key in keys])
        if self.how == "vote":
            return None
        worths = [
            set_chance([chance([self._items[item].sample]) for item in self.members[key]], self.how) for key in keys
        ]
        known = [worth for worth in worths if worth is not None]
        return sum(known) / len(known) if known and len(known) == len(worths) else None

    def majority(self, keys: Sequence[str], grader: Grader) -> float | None:
        """Return what the best constant answer gives; None where the forms of a question count as one."""
        return majority([self.samples[key] for key in keys], grader) if self.how == "each" else None

    def _vote(self, key: str, keys: Sequence[str], graded: Mapping[str, Unit], grader: Grader) -> Unit | None:
        """Return the worth of the answer that most forms of a question give, each mapped back to the question."""
        held = [graded[item] for item in keys if item in graded]
        if len(held) < len(keys):
            return None
        sample = self.samples[key]
        answers = [back(self._items[unit.key], unit.answer) for unit in held if unit.answer is not None]
        if not answers:
            return Unit(key, selectors_of(sample), held[0].cluster, 0.0, read=False)
        answer = elected(answers)
        worth = grader.scorers[sample.answer](answer, sample)
        return Unit(key, selectors_of(sample), held[0].cluster, worth, read=True, answer=answer)


def back(item: Item, answer: Answer) -> Answer:
    """Return what an answer to an item says about the sample that its views began with."""
    for view, key, sample in reversed(item.steps):
        with blaming("view", view):
            answer = view.back(key, answer, sample)
    return answer


def by_view(items: Sequence[Item]) -> dict[str, list[str]]:
    """Return "view=key" -> item keys, where samples are asked in more than one form."""
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(f"view={item.view}", []).append(item.key)
    return found if len(found) > 1 else {}


class _Alone(Mapping[str, Sequence[str]]):
    """Every item as a question of its own, without a list for each."""

    def __init__(self, items: Mapping[str, object]) -> None:
        self._items = items

    def __getitem__(self, key: str) -> Sequence[str]:
        if key not in self._items:
            raise KeyError(key)
        return (key,)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def by_facet(items: Mapping[str, Sample]) -> dict[str, list[str]]:
    """Return "facet=value" -> item keys, facets in the order of the task file, values sorted."""
    found: dict[str, dict[str, list[str]]] = {}
    for key, sample in items.items():
        for name, values in sample.facets.items():
            for value in values:
                found.setdefault(name, {}).setdefault(f"{name}={value}", []).append(key)
    return {value: values[value] for values in found.values() for value in sorted(values, key=_by_numbers)}


def by_category(task: Task, items: Mapping[str, Sample]) -> dict[str, list[str]]:
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
