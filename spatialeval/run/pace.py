"""The gate through which every request of a run goes: how many are in flight, and when the next one may follow.

`enter` waits until a request may be sent, first come first served; `leave` tells how it ended. A request that waits
here, for whatever reason, is not in flight: nothing that waits keeps another one from being sent.

A refusal (429) is about the endpoint and not about the request: until the moment that Retry-After names nothing is
sent at all, afterwards at the rate that was learnt (see `control`). Requests that were in flight already when the first
one was refused say nothing new. Without a Retry-After the pause is 1 s, doubled while nothing but refusals comes. Once
two pauses brought no answer, one request at a time finds out whether the third did.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError
from spatialeval.run.control import CAP, Bucket, Rate, Width

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.models.base import Model
    from spatialeval.run.retry import RetryPolicy

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_PROBING = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """A request that may be sent now."""

    sent: float
    tokens: float
    """As they were guessed."""


@dataclass(slots=True)
class _Waiting:
    tokens: float
    ready: asyncio.Future[Slot]
    held: bool = False


@dataclass
class Pace:
    """The gate of one model.

    Attributes:
        width: how many requests may be in flight.
        requests: the bucket of --rpm.
        tokens: the bucket of --tpm.
        longest_pause: seconds; a longer Retry-After is cut to it.
        patience: seconds of nothing but refusals after which waiting is hopeless.
        clock: tells seconds.
        later: calls back after so many seconds; the running loop's when left out.
    """

    width: Width
    requests: Bucket | None = None
    tokens: Bucket | None = None
    longest_pause: float = 300.0
    patience: float = 900.0
    clock: Callable[[], float] = time.monotonic
    later: Callable[[float, Callable[[], None]], Any] | None = None
    in_flight: int = 0
    _rate: Rate = field(default_factory=Rate)
    _queue: deque[_Waiting] = field(default_factory=deque)
    _timer: Any = None
    _until: float = 0.0
    _refused_at: float = float("-inf")
    _in_vain: int = 0
    """Pauses since the last answer."""
    _dry_since: float | None = None
    _open: bool = False

    @classmethod
    def of(cls, model: Model, retry: RetryPolicy) -> Pace:
        """Return the gate of a model, as its own limits and the user's have it."""
        cap = max(CAP, model.concurrency) if model.adaptive else model.concurrency
        rpm, tpm = model.rpm, model.tpm
        return cls(
            Width(model.concurrency, cap),
            # A second's worth may go at once: providers cut their minutes into shorter windows.
            Bucket(rpm / 60, max(1.0, rpm / 60)) if rpm else None,
            Bucket(tpm / 60, tpm / 60) if tpm else None,
            longest_pause=retry.retry_after_cap,
            patience=retry.longest_wait,
        )

    @property
    def hopeless(self) -> bool:
        """Whether nothing but refusals came for longer than anybody should wait."""
        return self._dry_since is not None and self.clock() - self._dry_since > self.patience

    @property
    def pause(self) -> float:
        """Seconds until the end of the pause that the server asked for."""
        return max(0.0, self._until - self.clock())

    async def enter(self, tokens: float = 0.0) -> Slot:
        """Return when a request of about so many tokens may be sent; `leave` must follow.

        Raises ModelError `rate_limited` when waiting has become hopeless.
        """
        if not self._queue and self._wait(tokens) == 0.0:
            return self._go(tokens, held=False)
        waiting = _Waiting(tokens, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._admit()
        try:
            return await waiting.ready
        except asyncio.CancelledError:
            if waiting.ready.done() and not waiting.ready.cancelled() and waiting.ready.exception() is None:
                self.leave(waiting.ready.result())
            raise

    def leave(self, slot: Slot, *, error: ModelError | None = None, tokens: float | None = None) -> None:
        """Take in how a request ended: with an error, or using so many tokens; with neither, it was not sent."""
        now = self.clock()
        if error is not None and error.kind == "rate_limited" and error.transient:
            self._refused(slot, error, now)
        elif error is None and tokens is not None:
            self.width.answered(now, self.in_flight)
            self._rate.answered()
            self._dry_since = None
            if slot.sent > self._refused_at:
                self._in_vain = 0
        if self.tokens and (tokens is not None or error is not None):
            # What a failed request used is told by nobody, and taken to be what was guessed; a refused one used none.
            guessed = slot.tokens if error is None or error.kind == "rate_limited" else 0.0
            self.tokens.take((tokens or 0.0) - guessed, now)
        self.in_flight -= 1
        self._admit()

    def open(self) -> None:
        """Let everybody through from now on: whoever waits finds that the run is stopping."""
        self._open = True
        self._admit()

    def _refused(self, slot: Slot, error: ModelError, now: float) -> None:
        asked = None if error.retry_after is None else min(error.retry_after, self.longest_pause)
        if slot.sent > self._refused_at:
            self._refused_at, self._in_vain = now, self._in_vain + 1
            self._dry_since = now if self._dry_since is None else self._dry_since
            self.width.refused(self.in_flight)
            self._rate.refused(now, self.in_flight, asked)
            own = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self._in_vain - 1))
            self._until = max(self._until, now + (own if asked is None else asked))
        elif asked is not None:
            self._until = max(self._until, now + asked)
        if self.hopeless:
            while self._queue:
                waiting = self._queue.popleft()
                if not waiting.ready.done():
                    waiting.ready.set_exception(ModelError(str(error), kind=error.kind, transient=True))

    def _wait(self, tokens: float, waiting: _Waiting | None = None) -> float | None:
        """Seconds until a request may go; None until another one ended."""
        if self._open:
            return 0.0
        if self.in_flight >= (1 if self._in_vain >= _PROBING else self.width.limit):
            return None
        now = self.clock()
        learnt = self._rate.wait(now)
        if waiting is not None and learnt > 0.0:
            waiting.held = True
        return max(
            self._until - now,
            learnt,
            self.requests.wait(1, now) if self.requests else 0.0,
            self.tokens.wait(tokens, now) if self.tokens else 0.0,
            0.0,
        )

    def _go(self, tokens: float, *, held: bool) -> Slot:
        now = self.clock()
        self.in_flight += 1
        self._rate.sent(now, held=held)
        if self.requests:
            self.requests.take(1, now)
        if self.tokens:
            self.tokens.take(tokens, now)
        return Slot(now, tokens)

    def _admit(self) -> None:
        """Let through whoever may go, and come back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            first = self._queue[0]
            if not first.ready.done():
                wait = self._wait(first.tokens, first)
                if wait is None:
                    return
                if wait > 0.0:
                    later = self.later or asyncio.get_running_loop().call_later
                    self._timer = later(wait, self._admit)
                    return
                first.ready.set_result(self._go(first.tokens, held=first.held))
            self._queue.popleft()
