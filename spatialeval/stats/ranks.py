"""How sure a place in a leaderboard is: "rank 2 to 4".

Groups of questions are drawn with replacement, the same ones for all rows, every row is scored on what was drawn, and
the rows are ranked; the range of a row holds 95 % of its ranks (percentile cluster bootstrap: Field and Welsh 2007,
Journal of the Royal Statistical Society B 69, 369-390; ranks of league tables: Goldstein and Spiegelhalter 1996, Series
A 159, 385-443). Drawing the same questions for all makes use of the pairing: of two rows that one question always tells
apart, both have a sure place however wide the intervals of their scores are.

The rank of a row is one more than the number of rows that score more, so rows of equal score share the better rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.stats.bootstrap import RESAMPLES, redraw

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

_SEED = 0
_EQUAL_DIGITS = 12
"""Scores are compared after rounding to so many digits: sums in another order are the same score."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of a leaderboard.

    Attributes:
        name: of the row.
        score: weighted mean over the questions of all rows.
        rank: by it, from 1; equal scores share one.
        low: best rank of the 95 % range; `high`: the worst.
        high: see `low`.
    """

    name: str
    score: float
    rank: int
    low: int
    high: int

    @property
    def range(self) -> str:
        """The range in words: `2 to 4`, or `2`."""
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


def rank_ranges(
    scores: Mapping[str, Sequence[float]],
    groups: Sequence[Hashable],
    categories: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = _SEED,
) -> list[Ranked]:
    """Return the rows, best first (of equal scores in the order given), with the range of each rank.

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

    if not scores:
        return []
    names = list(scores)
    means, tries = redraw(scores, groups, categories, weights, resamples=resamples, seed=seed)
    spans = np.percentile(_ranks(tries), [2.5, 97.5], axis=1, method="nearest").astype(int)
    places = _ranks(means[:, None])[:, 0]
    order = sorted(range(len(names)), key=lambda place: places[place])
    return [Ranked(names[at], float(means[at]), int(places[at]), int(spans[0, at]), int(spans[1, at])) for at in order]


def _ranks(scores: Any) -> Any:
    """Return the ranks of rows in each column."""
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    rounded = np.round(scores, _EQUAL_DIGITS)
    return 1 + np.stack([(rounded > row).sum(axis=0) for row in rounded])
