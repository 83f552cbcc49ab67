"""Asking again: only for what can pass, a bounded number of times, after a growing wait."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from spatialeval.messages import Response


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long.

    Attributes:
        attempts: most requests for one call, the first included.
        base: seconds before the second request; each further wait is twice as long.
        cap: longest wait in seconds that is our own choice.
        jitter: share of a wait that is random, so that clients do not return in step; 0.25 means up to 25 % longer.
        retry_after_cap: longest wait in seconds that a server may ask for; a longer one is cut to it.
        longest_wait: seconds of waiting for one call altogether, after which it is given up.
        seed: of the jitter.
    """

    attempts: int = 6
    base: float = 1.0
    cap: float = 60.0
    jitter: float = 0.25
    retry_after_cap: float = 300.0
    longest_wait: float = 900.0
    seed: int = 0

    def delay(self, attempt: int, error: ModelError, dice: random.Random) -> float:
        """Return the seconds to wait after failed request number `attempt` (from 1)."""
        own = min(self.cap, self.base * 2.0 ** (attempt - 1)) * (1 + self.jitter * dice.random())
        if error.retry_after is None:
            return own
        # Never earlier than the server asks. Our own wait is no lower bound: the server knows better.
        return min(error.retry_after, self.retry_after_cap)


@dataclass(frozen=True, slots=True)
class Tried:
    """How a call ended: with a response, or with the last error."""

    attempts: int
    response: Response | None = None
    error: ModelError | None = None
    latency: float = 0.0
    """Seconds of the last request."""


async def ask_with_retry(
    send: Callable[[], Awaitable[Response]],
    policy: RetryPolicy,
    *,
    sleep: Callable[[float], Awaitable[None]],
    name: str = "",
    on_retry: Callable[[ModelError, int, float], None] | None = None,
) -> Tried:
    """Send until there is a response, an error that cannot pass, or the policy is used up. Never raises ModelError.

    Args:
        send: sends the request once.
        policy: how often and how long.
        sleep: waits; an exception it raises ends the call.
        name: of the call; decides the jitter together with the policy's seed.
        on_retry: hears each error that is followed by another request, its attempt number and the wait.
    """
    dice = random.Random(f"{policy.seed}|{name}")  # noqa: S311 - no secret depends on it
    waited, attempt = 0.0, 0
    while True:
        attempt += 1
        start = time.perf_counter()
        try:
            response = await send()
        except ModelError as error:
            delay = policy.delay(attempt, error, dice)
            if not error.transient or attempt >= policy.attempts or waited + delay > policy.longest_wait:
                return Tried(attempt, error=error, latency=time.perf_counter() - start)
            if on_retry:
                on_retry(error, attempt, delay)
            await sleep(delay)
            waited += delay
        else:
            return Tried(attempt, response, latency=time.perf_counter() - start)
