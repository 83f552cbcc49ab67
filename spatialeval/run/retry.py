"""Asking again: only for what can pass, a bounded number of times, after a growing wait."""

from __future__ import annotations

import random
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
        attempts: most requests for one call, the first included and those refused for their rate left out.
        base: seconds before the second request; each further wait is twice as long.
        cap: longest wait in seconds that is our own choice.
        jitter: share of a wait that is random, so that clients do not return in step; 0.25 means up to 25 % longer.
        retry_after_cap: longest wait in seconds that a server may ask for; a longer one is cut to it.
        longest_wait: seconds of waiting for one call altogether, after which it is given up.
        refusals: most requests for one call that may be refused for their rate (429).
        seed: of the jitter.
    """

    attempts: int = 6
    base: float = 1.0
    cap: float = 60.0
    jitter: float = 0.25
    retry_after_cap: float = 300.0
    longest_wait: float = 900.0
    refusals: int = 100
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
    """Seconds of the request that was answered."""


async def ask_with_retry(
    send: Callable[[], Awaitable[tuple[Response, float]]],
    policy: RetryPolicy,
    *,
    sleep: Callable[[float], Awaitable[None]],
    hopeless: Callable[[], bool] = lambda: False,
    name: str = "",
    on_retry: Callable[[ModelError, int, float], None] | None = None,
) -> Tried:
    """Send until there is a response, an error that cannot pass, or the policy is used up. Never raises ModelError.

    A refusal for the rate (429) says something about the endpoint and nothing about the request: whichever requests
    are under way when a limit is reached are refused, and the next ones after them. Were it an attempt of the call,
    a limit that lasts a while would use up the attempts of exactly those, and fail samples that nothing is wrong with.
    So it is none, and there is no wait of the call's own: `send` holds every request back until the endpoint takes
    some again (see `pace`). What ends it is that the endpoint takes none at all for very long (`hopeless`), or that
    one request is refused again and again while others are answered.

    Args:
        send: sends the request once, as soon as it may; returns the response and the seconds it took.
        policy: how often and how long.
        sleep: waits; an exception it raises ends the call.
        hopeless: whether waiting for the end of refusals makes no sense any more.
        name: of the call; decides the jitter together with the policy's seed.
        on_retry: hears each error that is followed by another request, its attempt number and the wait.
    """
    dice: random.Random | None = None  # of 2.5 KB, so that only a call that failed has them
    waited, sent, refused = 0.0, 0, 0
    while True:
        sent += 1
        try:
            response, latency = await send()
        except ModelError as error:
            refused += error.kind == "rate_limited"
            if error.kind == "rate_limited":
                delay, over = error.retry_after or 0.0, refused >= policy.refusals or hopeless()
            else:
                dice = dice or random.Random(f"{policy.seed}|{name}")  # noqa: S311 - no secret depends on it
                delay = policy.delay(sent - refused, error, dice)
                over = sent - refused >= policy.attempts or waited + delay > policy.longest_wait
            if over or not error.transient:
                return Tried(sent, error=error)
            if on_retry:
                on_retry(error, sent, delay)
            if error.kind != "rate_limited":
                await sleep(delay)
                waited += delay
        else:
            return Tried(sent, response, latency=latency)
