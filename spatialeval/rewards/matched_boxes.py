"""matched_boxes: dense worth of boxes for training, after MedMO (arXiv 2602.06965)."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from spatialeval.readers.coordinates import known_size, picture_size
from spatialeval.rewards import REWARDS
from spatialeval.scorers.boxes import best_pairs, iou
from spatialeval.scorers.points import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply

_DISTANCE, _OVERLAP = 5.0, 2.0
_FAR = 100.0
"""Sides of the picture; what lies further off is taken to be there, so that nothing overflows."""


@REWARDS.register("matched_boxes")
@dataclass(frozen=True)
class MatchedBoxes:
    """max(0, B - P) squared: B the mean quality of the true boxes' partners, P what missing and extra boxes cost.

    Partners have the least 5 L1 + 2 (1 - GIoU) in sum (Hungarian); quality is (5 (1 - min(L1, 1)) + 2 (GIoU + 1) / 2)
    / 7. L1 is the sum of the four differences over twice the picture's diagonal; where its size is unknown it counts
    as a square. Without a true box only no box is right.

    Attributes:
        missing: cost of a true box without a partner.
        extra: cost of an answered box without a partner.
    """

    missing: float = 0.1
    extra: float = 0.1

    def __call__(self, reply: Reply) -> float:
        """Return the worth, 0 to 1; 0 where nothing was read."""
        if reply.answer is None:
            return 0.0
        said, gold = places(reply.answer, "matched_boxes"), places(reply.sample.target, "matched_boxes")
        if not said or not gold:
            return float(not said and not gold)
        said = tuple(tuple(min(max(edge, -_FAR), _FAR) for edge in box) for box in said)
        size = picture_size(reply.sample) if known_size(reply.sample) else (1.0, 1.0)
        each = [[(_l1(one, other, size), giou(one, other)) for other in gold] for one in said]
        pairs = best_pairs([[-_DISTANCE * far - _OVERLAP * (1 - near) for far, near in row] for row in each])
        quality = sum(_quality(*each[row][column]) for row, column in pairs) / len(gold)
        cost = self.missing * (len(gold) - len(pairs)) + self.extra * (len(said) - len(pairs))
        return max(0.0, quality - cost) ** 2


def _quality(far: float, near: float) -> float:
    return (_DISTANCE * (1 - min(far, 1.0)) + _OVERLAP * (near + 1) / 2) / (_DISTANCE + _OVERLAP)


def _l1(one: Sequence[float], other: Sequence[float], size: tuple[float, float]) -> float:
    sides = (*size, *size)
    return sum(abs(a - b) * side for a, b, side in zip(one, other, sides, strict=True)) / (2 * hypot(*size))


def giou(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the generalised intersection over union, -1 to 1 (arXiv 1902.09630)."""
    overlap = iou(one, other)
    areas = sum(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other))
    around = (max(one[2], other[2]) - min(one[0], other[0])) * (max(one[3], other[3]) - min(one[1], other[1]))
    union = areas / (1 + overlap)  # shared = overlap x union, and union = areas - shared
    return overlap - (around - union) / around if around > 0 else overlap
