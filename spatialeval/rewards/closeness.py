"""closeness: how near a number is, without the steps of a mean relative accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf
from typing import TYPE_CHECKING, Literal

from spatialeval.rewards import REWARDS
from spatialeval.scorers.numbers import pair_of

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply


@REWARDS.register("closeness")
@dataclass(frozen=True)
class Closeness:
    """1 - error, never below 0, or exp(-error), of the error |answer - target| / base; 0 where no number was read.

    A base of 0 has no relative error: then only the target itself is right.

    Attributes:
        base: `target`, or `smaller` for the smaller of answer and target.
        fall: `linear`, or `exponential`, which still says which of two bad answers is the better one.
    """

    base: Literal["target", "smaller"] = "target"
    fall: Literal["linear", "exponential"] = "linear"

    def __post_init__(self) -> None:
        """Refuse forms that do not exist."""
        if self.base not in {"target", "smaller"} or self.fall not in {"linear", "exponential"}:
            raise ValueError(f"{self!r}: give base target or smaller, and fall linear or exponential")

    def __call__(self, reply: Reply) -> float:
        """Return the worth, 0 to 1."""
        if reply.answer is None:
            return 0.0
        pair = pair_of(reply.answer, reply.sample)
        base = abs(pair.target) if self.base == "target" else min(abs(pair.answer), abs(pair.target))
        difference = abs(pair.answer - pair.target)
        error = difference / base if base else inf if difference else 0.0
        return exp(-error) if self.fall == "exponential" else max(0.0, 1.0 - error)
