"""Rewards: what a reply is worth in training. The answer's worth is the task's own scorer; the rest is put around it.

A reward is a small frozen dataclass whose fields are its options:

    @REWARDS.register("score")
    @dataclass(frozen=True)
    class Answer:
        unparsed: float = 0.0
        def __call__(self, reply: Reply) -> float | None: ...

It returns None where it does not apply, and raises for what must not happen; nothing turns an exception into 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from spatialeval.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.rewards.reply import Reply


class Reward(Protocol):
    """Says what a reply is worth."""

    def __call__(self, reply: Reply) -> float | None:
        """Return the reward; None where it does not apply to the reply's sample."""
        ...


REWARDS: Registry[Callable[..., Reward]] = Registry("reward", "spatialeval.rewards")

__all__ = ["REWARDS", "Reward"]
