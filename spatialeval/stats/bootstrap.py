"""The cluster bootstrap: whole groups of questions drawn again, with replacement.

After Field and Welsh 2007 (Journal of the Royal Statistical Society B 69, 369-390). It makes the rank ranges of a
leaderboard, and intervals of aggregates to hold against the linearised ones of `estimate`. Of few groups its intervals
are too narrow (Cameron, Gelbach and Miller 2008, Review of Economics and Statistics 90, 414-427), which is why tables
have the linearised one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spatialeval.stats.estimate import Interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

RESAMPLES = 2000
_SEED = 0
_DRAWN_AT_ONCE = 4_000_000
"""Groups drawn before they are added up: bounds the memory."""


class Redrawn(NamedTuple):
    """Scores of rows on the questions as they are, and on each draw: arrays of rows, and of rows x draws."""

    means: Any
    tries: Any


def redraw(
    scores: Mapping[str, Sequence[float]],
    groups: Sequence[Hashable],
    categories: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = _SEED,
) -> Redrawn:
    """Return what rows score when groups of questions are drawn again, the same ones for all rows.

    Args:
        scores: row -> its scores on the questions that all rows answered, in one order.
        groups: what each question shares with others.
        categories: the category of each; only needed with `weights`.
        weights: category -> weight, summing to 1; empty means that every question weighs the same.
        resamples: how many times groups are drawn. Draws that miss a weighted category are left out.
        seed: of the draws.

    Raises:
        ValueError: when lengths differ, there is no question, or no question in a weighted category.
    """
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    if bad := [name for name in scores if len(scores[name]) != len(groups)]:
        raise ValueError(f"{bad[0]!r} has {len(scores[bad[0]])} scores for {len(groups)} questions")
    wanted = {name: weight for name, weight in (weights or {"": 1.0}).items() if weight}
    within = list(categories or ()) if weights else [""] * len(groups)
    held = _table(list(scores.values()), groups, within, list(wanted))
    shares = np.array(list(wanted.values()))
    if not all(len(part.counts) for part in held):
        raise ValueError("a weighted category has no question, or there is none at all")
    means = np.stack([part.sums.sum(axis=1) / part.counts.sum() for part in held], axis=-1) @ shares
    size, random = 1 + max(int(part.groups.max()) for part in held), np.random.default_rng(seed)
    some = [
        _drawn(held, shares, random, size, min(at_once, resamples - start))
        for at_once in [max(1, _DRAWN_AT_ONCE // size)]
        for start in range(0, resamples, at_once)
    ]
    tries = np.concatenate(some, axis=1)
    return Redrawn(means, tries)


def bootstrap(
    values: Sequence[float],
    groups: Sequence[Hashable],
    categories: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = _SEED,
) -> Interval | None:
    """Return the 95 % interval of a weighted mean of category means, as percentiles of the draws.

    Arguments are those of `estimate` and `redraw`. None with one group, which says nothing about spread.

    Raises:
        ValueError: as `redraw` does.
    """
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    if len(set(groups)) == 1:
        return None
    tries = redraw({"": values}, groups, categories, weights, resamples=resamples, seed=seed).tries[0]
    low, high = np.percentile(tries, [2.5, 97.5])
    return Interval(float(low), float(high))


class _Category(NamedTuple):
    """The groups with a question of one category: their numbers, the sums of their scores by row, their counts."""

    groups: Any
    sums: Any
    counts: Any


def _table(
    rows: Sequence[Sequence[float]], groups: Sequence[Hashable], categories: Sequence[str], wanted: Sequence[str]
) -> list[_Category]:
    """Return for each wanted category the sums of scores by row and group."""
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    codes = {category: code for code, category in enumerate(wanted)}
    code = np.array([codes.get(category, -1) for category in categories], dtype=int)
    clusters: dict[Hashable, int] = {}
    numbers = np.array(
        [clusters.setdefault(group, len(clusters)) if one >= 0 else -1 for group, one in zip(groups, code, strict=True)]
    )
    values = [np.asarray(row, dtype=float) for row in rows]
    found = []
    for one in range(len(wanted)):
        taken = code == one
        held, inverse = np.unique(numbers[taken], return_inverse=True)
        sums = [np.bincount(inverse, row[taken], len(held)) for row in values]
        found.append(_Category(held, np.stack(sums), np.bincount(inverse, minlength=len(held)).astype(float)))
    return found


def _drawn(held: Sequence[_Category], shares: Any, random: Any, size: int, count: int) -> Any:
    """Return rows x draws of scores, of so many draws; those that miss a category are left out."""
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    places = random.integers(0, size, (count, size)) + np.arange(count)[:, None] * size
    drawn = np.bincount(places.ravel(), minlength=count * size).reshape(count, size).astype(float)
    parts = [drawn[:, part.groups] for part in held]
    totals = [part @ one.counts for part, one in zip(parts, held, strict=True)]
    whole = np.all([total > 0 for total in totals], axis=0)
    means = [one.sums @ part[whole].T / total[whole] for part, one, total in zip(parts, held, totals, strict=True)]
    return np.tensordot(shares, np.stack(means), 1)
