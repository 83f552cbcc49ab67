"""Parts of a score: named numbers over categories, macro over named parts or micro over all samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.tasks.schema import AggregatePart


@dataclass(frozen=True, slots=True)
class Part:
    """One aggregate as a linear combination of category means.

    Attributes:
        name: how reports call it.
        weights: category -> weight, summing to 1; empty means micro: every sample weighs the same.
        missing: categories the rule names that are not among those present; their weight is shared by the rest.
        headline: the number that stands for the whole task.
    """

    name: str
    weights: Mapping[str, float]
    missing: tuple[str, ...] = ()
    headline: bool = False


def parts_of(rules: Sequence[AggregatePart], present: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts over the categories that are present.

    A part without any present category is left out. Without a rule marked as headline the last one is it; without
    any rule the micro mean is.
    """
    if not rules:
        return (Part("overall", {}, headline=True),)
    marked = any(rule.headline for rule in rules)
    parts: dict[str, Part] = {}
    for rule in rules:
        headline = rule.headline if marked else rule is rules[-1]
        if rule.micro:
            parts[rule.name] = Part(rule.name, {}, headline=headline)
            continue
        members = list(rule.mean_of) if isinstance(rule.mean_of, list) else list(present)
        part = _mean(rule.name, members, present, parts, headline=headline)
        if part.weights:
            parts[rule.name] = part
    return tuple(parts.values())


def _mean(
    name: str, members: Sequence[str], present: Sequence[str], parts: Mapping[str, Part], *, headline: bool
) -> Part:
    """Return the plain mean of `members`: categories, or parts defined earlier."""
    held = [m for m in members if m in present or m in parts]
    missing = [m for m in members if m not in held]
    weights: dict[str, float] = {}
    for member in held:
        inner = parts[member] if member in parts else Part(member, {member: 1.0})
        missing += inner.missing
        for category, weight in inner.weights.items():
            weights[category] = weights.get(category, 0.0) + weight / len(held)
    return Part(name, weights, tuple(missing), headline)


def combine(
    rules: Sequence[AggregatePart],
    scores: Mapping[str, float],
    part: str | None = None,
    counts: Mapping[str, int] | None = None,
) -> float:
    """Return one part computed from published scores of categories or parts, the headline when `part` is None.

    Published tables often give parts, not categories (VSI-Bench prints the direction task, not its three levels):
    a score given for a part is taken as it is. A micro mean needs the `counts` of the categories.

    Raises:
        DataError: when a needed score or count is missing, or there is no such part.
    """
    by_name = {rule.name: rule for rule in rules}
    wanted = by_name.get(part) if part else next((r for r in rules if r.headline), rules[-1] if rules else None)
    if wanted is None:
        raise DataError(f"there is no part named {part!r}; the task has {', '.join(by_name) or 'none'}.")

    def value(name: str) -> float:
        if name in scores and name != wanted.name:
            return scores[name]
        rule = by_name.get(name)
        if rule is None:
            raise DataError(f"no score for {name!r} is given.")
        categories = [c for c in scores if c not in by_name]
        if rule.micro:
            return _weighted(name, {c: scores[c] for c in categories}, counts or {})
        members = rule.mean_of if isinstance(rule.mean_of, list) else categories
        if not members:
            raise DataError(f"no score of any category is given for {name!r}.")
        return sum(value(member) for member in members) / len(members)

    return value(wanted.name)


def _weighted(name: str, scores: Mapping[str, float], counts: Mapping[str, int]) -> float:
    unknown = [category for category in scores if category not in counts]
    if unknown or not scores:
        raise DataError(
            f"the micro mean {name!r} needs the number of questions of {', '.join(unknown) or 'its categories'}."
        )
    return sum(scores[c] * counts[c] for c in scores) / sum(counts[c] for c in scores)
