"""The scorer of boxes: overlap with the target boxes, one to one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from spatialeval.errors import UsageError
from spatialeval.scorers import SCORERS
from spatialeval.scorers.points import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Answer, AnswerType, Sample


@SCORERS.register("box_iou")
@dataclass(frozen=True)
class BoxIou:
    """Mean overlap (intersection over union) of the answered boxes with the target boxes.

    Each answered box is matched to one target box at most, so that the overlaps sum up to the most (Hungarian
    matching); the sum is divided by the larger number of boxes, so that a missing box and one too many count as 0.
    With no target box only no answered box is right.

    Attributes:
        threshold: None for the overlap itself; else a matched pair counts 1 when its overlap is at least this, and 0
            otherwise (0.5: the hit rate of one box, "Acc@0.5").
        match: "hungarian", or "first" to compare the first answered box with the first target box and no others.
    """

    threshold: float | None = None
    match: Literal["hungarian", "first"] = "hungarian"
    answers: ClassVar[frozenset[AnswerType]] = frozenset({"boxes"})

    def __post_init__(self) -> None:
        """Refuse options that do not exist."""
        if (self.threshold is not None and not 0 < self.threshold <= 1) or self.match not in {"hungarian", "first"}:
            raise UsageError(f"box_iou: {self!r}: give threshold above 0 and at most 1, match 'hungarian' or 'first'.")

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return the mean overlap, or the share of hits."""
        said, gold = places(answer, "box_iou"), places(sample.target, "box_iou")
        if not said or not gold:
            return float(not said and not gold)
        if self.match == "first":
            said, gold = said[:1], gold[:1]
        overlaps = [[iou(one, other) for other in gold] for one in said]
        matched = best_matching(overlaps)
        worth = matched if self.threshold is None else [float(each >= self.threshold) for each in matched]
        return sum(worth) / max(len(said), len(gold))


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Return intersection over union of two boxes x1 y1 x2 y2; a box without area overlaps nothing."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0 or _area(one) <= 0 or _area(other) <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def _area(box: Sequence[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def best_matching(worth: Sequence[Sequence[float]]) -> list[float]:
    """Return the worths of the one-to-one matching of rows and columns with the largest sum."""
    return [worth[row][column] for row, column in best_pairs(worth)]


def best_pairs(worth: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return row and column of each pair of the one-to-one matching with the largest sum.

    The Hungarian method with potentials, O(n^2 m) for n rows and m columns, n <= m (the shorter side becomes the rows).
    """
    if len(worth) > len(worth[0]):
        turned = [list(column) for column in zip(*worth, strict=True)]
        return [(row, column) for column, row in best_pairs(turned)]
    rows, columns = len(worth), len(worth[0])
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    holder = [0] * (columns + 1)  # the row that holds a column, 0 for none; row and column 0 are outside the matrix
    for row in range(1, rows + 1):
        holder[0] = row
        back = _cheapest_path(worth, holder, row_price, column_price)
        column = back[0]
        while column:
            holder[column] = holder[back[column]] if back[column] else row
            column = back[column]
    return [(holder[column] - 1, column - 1) for column in range(1, columns + 1) if holder[column]]


def _cheapest_path(
    worth: Sequence[Sequence[float]], holder: list[int], row_price: list[float], column_price: list[float]
) -> list[int]:
    """Grow the tree of cheapest alternating paths from row `holder[0]` to a free column, adjusting the prices.

    Returns:
        For each column the one before it on the path, 0 for the start; at place 0 the free column that was reached.
    """
    columns = len(column_price) - 1
    slack, before = [inf] * (columns + 1), [0] * (columns + 1)
    seen = [False] * (columns + 1)
    column = 0
    while True:
        seen[column] = True
        row = holder[column]
        for other in range(1, columns + 1):
            cost = -worth[row - 1][other - 1] - row_price[row] - column_price[other]
            if not seen[other] and cost < slack[other]:
                slack[other], before[other] = cost, column
        nearest = min((other for other in range(1, columns + 1) if not seen[other]), key=slack.__getitem__)
        step = slack[nearest]
        for other in range(columns + 1):
            if seen[other]:
                row_price[holder[other]] += step
                column_price[other] -= step
            else:
                slack[other] -= step
        column = nearest
        if not holder[column]:
            before[0] = column
            return before
