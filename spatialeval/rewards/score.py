"""score: the task's own scorer, so that training pays for exactly what an evaluation counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply


@REWARDS.register("score")
@dataclass(frozen=True)
class AnswerScore:
    """The score of the reply under the protocol's reader and scorer, 0 to 1.

    Attributes:
        unparsed: what a reply is worth that cannot be read; some recipes take a little off.
        truncated: what a reply is worth that the token cap cut: a number, or `none` to leave it out.
        above: pays 1 above this score and 0 otherwise; None pays the score itself.
    """

    unparsed: float = 0.0
    truncated: float | Literal["none"] = 0.0
    above: float | None = None

    def __call__(self, reply: Reply) -> float | None:
        """Return the score, or what stands for an unread or cut reply."""
        score = reply.score
        if score.state == "truncated":
            return None if self.truncated == "none" else self.truncated
        if score.state == "unparsed" or score.value is None:
            return self.unparsed
        return score.value if self.above is None else float(score.value > self.above)
