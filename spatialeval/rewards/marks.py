"""marks: texts that a reply must hold exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply


@REWARDS.register("marks")
@dataclass(frozen=True)
class Marks:
    r"""The share of the texts that stand in the reply exactly once, wherever: `marks(once=["<think>\n", "</think>"])`.

    Attributes:
        once: the texts.
    """

    once: tuple[str, ...]

    def __post_init__(self) -> None:
        """Take a list as YAML gives it; refuse one that asks for nothing."""
        object.__setattr__(self, "once", tuple(self.once))
        if not self.once or not all(isinstance(mark, str) and mark for mark in self.once):
            raise ValueError(f'once is {list(self.once)}; give texts, such as ["<think>", "</think>"]')

    def __call__(self, reply: Reply) -> float:
        """Return the share."""
        return sum(reply.text.count(mark) == 1 for mark in self.once) / len(self.once)
