"""length: pays for the length of a reply, and takes off for one that runs into the cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import DataError
from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply


@REWARDS.register("length")
@dataclass(frozen=True)
class Length:
    """`bonus` for a reply of `least` to `most` tokens; `over` for one that the cap cut; else 0.

    Attributes:
        least: tokens.
        most: tokens; None means no limit.
        bonus: paid within them.
        over: paid to a cut reply; negative takes off.
    """

    least: int = 0
    most: int | None = None
    bonus: float = 1.0
    over: float = 0.0

    def __call__(self, reply: Reply) -> float:
        """Return the bonus, the malus or 0; raise DataError where nobody counted the tokens."""
        if reply.finish == "length":
            return self.over
        if reply.tokens is None:
            raise DataError("the reward 'length' needs the number of tokens of each reply, and got none. Leave it out.")
        return self.bonus if self.least <= reply.tokens <= (self.most or reply.tokens) else 0.0
