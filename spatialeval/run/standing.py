"""How a run stands while it goes: the numbers that a progress display shows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spatialeval.run.events import Event, Finished, Retrying, Started, Stopping
from spatialeval.run.records import spent_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.scores import State

_ENOUGH = 5
"""Answers before a time is told: the first ones take as long as a model needs to warm up."""


@dataclass
class Standing:
    """The state of a run as told by its events. Tokens, retries and the rate are of this session only."""

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    kept: int = 0
    asked: int = 0
    states: dict[State, int] = field(default_factory=dict)
    value: float = 0.0
    """Sum of scores."""
    valued: int = 0
    """Items with a score: neither failed nor left out by their protocol."""
    tokens: int = 0
    retries: int = 0
    stopping: str | None = None
    _begun: float | None = None

    def note(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case Started():
                self.total, self._begun = event.total, self.clock()
            case Finished():
                self._finished(event)
            case Retrying():
                self.retries += 1
            case Stopping():
                self.stopping = event.reason

    @property
    def done(self) -> int:
        """Items with a record."""
        return self.kept + self.asked

    @property
    def rate(self) -> float:
        """Items asked per second in this session."""
        passed = self.clock() - self._begun if self._begun is not None else 0.0
        return self.asked / passed if passed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate; None before enough answers are in to tell."""
        rate = self.rate
        return (self.total - self.done) / rate if rate and self.asked >= _ENOUGH else None

    @property
    def score(self) -> float | None:
        """The plain mean over all items so far; None before there is one."""
        return self.value / self.valued if self.valued else None

    def pace(self) -> str:
        """Return rate and time left, as far as they are known."""
        left = self.seconds_left
        return f"{self.rate:.1f}/s" + ("" if left is None else f" · {clock_time(left)} left")

    def details(self) -> str:
        """Return what is not about time: running score, states that are no score, tokens."""
        pieces = [f"score {100 * self.score:.1f}"] if self.score is not None else []
        pieces += [f"{n} {state}" for state in ("unparsed", "truncated", "failed") if (n := self.states.get(state))]
        pieces += [f"{self.retries} {'retry' if self.retries == 1 else 'retries'}"] if self.retries else []
        pieces += [f"{short_number(self.tokens)} tokens"] if self.tokens else []
        pieces += [f"stopping ({self.stopping})"] if self.stopping else []
        return " · ".join(pieces) or "no answers yet"

    def line(self) -> str:
        """Return the state as one line of text."""
        return f"{self.done}/{self.total} · {self.pace()} · {self.details()}"

    def _finished(self, event: Finished) -> None:
        record = event.record
        self.kept, self.asked = self.kept + event.kept, self.asked + (not event.kept)
        self.states[record.state] = self.states.get(record.state, 0) + 1
        if record.state != "failed" and record.score is not None:
            self.value, self.valued = self.value + record.score, self.valued + 1
        usage = spent_on(record.calls)
        self.tokens += (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)


def clock_time(seconds: float) -> str:
    """Return 3725 as 1:02:05."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def short_number(number: int) -> str:
    """Return 1234 as 1.2k."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)
