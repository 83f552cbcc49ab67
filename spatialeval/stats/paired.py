"""Two ways of answering compared on the same questions: difference, interval, p, and Holm's correction over many.

The difference is a weighted mean of category means of paired differences, its interval the linearised one of
`estimate`. p comes from McNemar's exact test (McNemar 1947) where answers are right or wrong and every question stands
alone, and else from a randomisation test: under the null hypothesis the two ways may be exchanged in any group of
questions, so the signs of the groups' sums are flipped (all patterns when groups are few, 20,000 draws otherwise).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spatialeval.stats.estimate import linearised, wilson
from spatialeval.stats.student import t_quantile

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

DRAWS = 20_000
_EXHAUSTIVE = 14
"""With at most so many groups all 2^groups sign patterns are tried."""
_FEW = 8
"""With so many groups to a size of sums, or more, sums of one size are drawn together."""
_SEED = 0
_LEVEL = 0.975
_CLOSE = 1e-12
_NO_SPREAD = 1e-12


@dataclass(frozen=True, slots=True)
class Paired:
    """What the second way of answering is worth over the first, on the same questions.

    Attributes:
        difference: mean of second minus first, -1 to 1.
        low: lower end of its 95 % interval; None when one group alone says nothing about spread.
        high: upper end.
        p: two-sided.
        method: of p.
        n: questions.
        clusters: groups among them.
        better: questions on which the second scores more; `worse`: less.
        worse: see `better`.
    """

    difference: float
    low: float | None
    high: float | None
    p: float
    method: Literal["mcnemar", "randomisation"]
    n: int
    clusters: int
    better: int
    worse: int

    @property
    def tie(self) -> bool:
        """Whether the interval holds zero, or there is none."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def paired(
    first: Sequence[float],
    second: Sequence[float],
    groups: Sequence[Hashable],
    categories: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Paired | None:
    """Return the comparison of two score lists over the same questions in the same order.

    Args:
        first: scores, 0 to 1.
        second: scores of the other way.
        groups: what each question shares with others.
        categories: the category of each; only needed with `weights`.
        weights: category -> weight, summing to 1; empty means that every question weighs the same.

    Returns:
        None when nothing is to be compared, or a weighted category has no question.

    Raises:
        ValueError: when lengths differ.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    arithmetic = linearised(differences, groups, categories, weights)
    if arithmetic is None:
        return None
    better = sum(difference > 0 for difference in differences)
    worse = sum(difference < 0 for difference in differences)
    low = high = None
    if arithmetic.clusters > 1:
        low, high = _interval(arithmetic.mean, arithmetic.se, arithmetic.clusters)
    alone = arithmetic.clusters == len(differences) and not weights
    if alone and all(difference in {-1, 0, 1} for difference in differences):
        p, method = mcnemar(better, worse), "mcnemar"
    else:
        p, method = _randomised(arithmetic.sums), "randomisation"
    return Paired(
        difference=arithmetic.mean,
        low=low,
        high=high,
        p=p,
        method="mcnemar" if method == "mcnemar" else "randomisation",
        n=arithmetic.n,
        clusters=arithmetic.clusters,
        better=better,
        worse=worse,
    )


def _interval(mean: float, se: float, clusters: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean difference.

    Where all groups differ by as much there is no spread to see, and linearisation would be certain of it after two.
    There the groups not seen, of which Wilson's interval leaves a share, may differ by anything.
    """
    if se >= _NO_SPREAD:
        reach = t_quantile(_LEVEL, clusters - 1) * se
        return max(-1.0, mean - reach), min(1.0, mean + reach)
    if abs(mean) < _NO_SPREAD:
        return 0.0, 0.0
    seen = wilson(1.0, clusters).low
    return seen * mean - (1 - seen), seen * mean + (1 - seen)


def mcnemar(better: int, worse: int) -> float:
    """Return the two-sided p of McNemar's exact test: a binomial test of the questions on which the two differ."""
    differing = better + worse
    if not differing:
        return 1.0
    term, tail = 1, 0
    for k in range(min(better, worse) + 1):
        tail += term
        term = term * (differing - k) // (k + 1)
    share: float = 2 * tail / 2**differing
    return min(1.0, share)


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's step-down rule (Holm 1979), in the same order."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    corrected = [0.0] * len(values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = largest
    return corrected


def _randomised(sums: Sequence[float]) -> float:
    """Return the share of sign patterns whose total is at least as far from 0 as the one seen."""
    import numpy as np  # noqa: PLC0415 - keeps the command line's help quick

    worth = np.array([value for value in sums if value])
    if not len(worth):
        return 1.0
    seen = abs(float(worth.sum())) - _CLOSE
    if len(worth) <= _EXHAUSTIVE:
        patterns = (np.arange(2 ** len(worth))[:, None] >> np.arange(len(worth))) & 1
        return float((np.abs((2 * patterns - 1) @ worth) >= seen).mean())
    random = np.random.default_rng(_SEED)
    alike, size, counts = np.unique(np.round(np.abs(worth), 12), return_inverse=True, return_counts=True)
    if len(alike) * _FEW <= len(worth):  # right or wrong answers in a few categories: sums of equal size count together
        seen = abs(float(np.bincount(size, np.sign(worth)) @ alike)) - _CLOSE
        drawn = (2 * random.binomial(counts, 0.5, (DRAWS, len(alike))) - counts) @ alike
        return (int((np.abs(drawn) >= seen).sum()) + 1) / (DRAWS + 1)
    beyond = 0
    for _ in range(0, DRAWS, 1000):
        signs = random.integers(0, 2, (1000, len(worth)), dtype=np.int8) * 2 - 1
        beyond += int((np.abs(signs @ worth) >= seen).sum())
    return (beyond + 1) / (DRAWS + 1)
