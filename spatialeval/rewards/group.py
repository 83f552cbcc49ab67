"""in_group: rewards that depend on the other completions of the same prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spatialeval.rewards import REWARDS
from spatialeval.rewards.terms import make_reward

if TYPE_CHECKING:
    from spatialeval.rewards import Reward
    from spatialeval.rewards.reply import Reply


@REWARDS.register("in_group")
@dataclass(frozen=True)
class InGroup:
    """How many completions of the prompt, this one included, earn more than `above` under the reward `use`.

    A gate for what is paid only when several are right. A group is what one process has of it: let each process's
    batch hold whole groups.

    Attributes:
        use: a reward with its options.
        above: what a completion must exceed to be counted.
    """

    use: str = "score"
    above: float = 0.5
    reward: Reward = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look the reward up."""
        object.__setattr__(self, "reward", make_reward(self.use))

    def __call__(self, reply: Reply) -> float:
        """Return the number of completions."""
        values = [self.reward(other) for other in reply.group or (reply,)]
        return float(sum(value is not None and value > self.above for value in values))
