"""The circuit breaker: when nothing can work any more, stop instead of failing thousands of samples one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import FailureKind, ModelError
from spatialeval.models.judge_words import for_judge

if TYPE_CHECKING:
    from spatialeval.scores import Outcome

LIMITS: dict[FailureKind, int] = {"auth": 8, "unreachable": 20, "not_found": 1, "rate_limited": 8}
"""Failures of one kind in a row, without an answer between them, after which a run stops."""

_ADVICE = {
    "auth": "Check the key (and that it may use this model)",
    "unreachable": "Check that the server runs and that --base-url is right",
    "not_found": "Correct the name of the model or its address",
    "rate_limited": "Wait until the provider takes requests again (is the account's quota spent?)",
}


@dataclass
class Breaker:
    """Counts failures in a row."""

    kind: FailureKind | None = None
    count: int = 0

    def note(self, outcome: Outcome) -> ModelError | None:
        """Take in how an item ended; return the error to stop with once a limit is reached."""
        if outcome.state != "failed":
            self.kind, self.count = None, 0
            return None
        self.count = self.count + 1 if outcome.kind == self.kind else 1
        self.kind = outcome.kind
        if self.count < LIMITS.get(outcome.kind, self.count + 1):
            return None
        told = outcome.message.removesuffix(".").removesuffix(" ...")
        if self.count > 1:
            told = f"{self.count} samples in a row failed with {outcome.kind!r}, the last one with: {told}"
        advice = f"{_ADVICE[outcome.kind]}, then run the same command again"
        if outcome.message.startswith("judge: "):
            advice = for_judge(advice)
        stop = "" if told.endswith("?") else "."
        return ModelError(
            f"{told}{stop} {advice}: what was answered is kept, and only the rest is asked.", kind=outcome.kind
        )
