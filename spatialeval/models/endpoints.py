"""Several servers of one model as one: each request goes to a server that is well and has little to do.

Requests of one group (the same video, the same scene) prefer the same server, whose prefix cache then knows them:
consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016, arXiv:1608.01350). The preferred server is
the one with the highest hash of group and address; once it has a quarter more in flight than the average, the least
busy one takes over. As a fast server has less in flight than a slow one at the same rate, it gets more: nobody needs to
name weights.

A server that refuses connections, hangs or fails again and again rests, for 1 s and then twice as long each time; then
one request tries whether it is back. One that answers 429 rests as long as it asks for, or 1 s. Where all rest,
requests go to the one whose rest ends first, and fail as they would with one server.

What one server refuses (400, 401, 403, 404) is asked once of another one, because a server with a wrong key or model
refuses so quickly that it would seem the least busy one. It rests; after a 400 only when the other one answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from spatialeval.errors import ModelError
from spatialeval.models.http_errors import retry_after
from spatialeval.models.transport import check_listening

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spatialeval.models.transport import Reply, Transport

_LOAD = 1.25
_UNFIT = frozenset({401, 403, 404})
"""Refusals that say something about the server rather than about the request."""
_REFUSALS = frozenset({400, *_UNFIT})
_FAILURES = 3
"""Failures in a row after which a server rests; a refused connection is enough by itself."""
_FIRST_REST, _LONGEST_REST = 1.0, 60.0


@dataclass
class Endpoint:
    """One server.

    Attributes:
        url: its root.
        transport: the way to it.
        in_flight: requests under way.
        sent: requests in all.
    """

    url: str
    transport: Transport
    in_flight: int = 0
    sent: int = 0
    _failures: int = 0
    _rests: int = 0
    resting_until: float = float("-inf")

    def usable(self, now: float) -> bool:
        """Whether a request may go there: it does not rest, and nobody is trying already whether it is back."""
        return now >= self.resting_until and not (self._rests and self.in_flight)

    def well(self) -> None:
        """Take in a reply."""
        self._failures = self._rests = 0

    def failed(self, now: float, *, gone: bool) -> None:
        """Take in a failure; `gone`: nothing listens there."""
        self._failures += 1
        # Requests that were sent before it rested fail too, and say nothing new.
        if (gone or self._failures >= _FAILURES) and now >= self.resting_until:
            self.resting_until = now + min(_LONGEST_REST, _FIRST_REST * 2.0**self._rests)
            self._rests += 1

    def rest(self, until: float) -> None:
        """Send nothing there before the time `until`."""
        self.resting_until = max(self.resting_until, until)


@dataclass
class Endpoints:
    """The servers of one model."""

    all: Sequence[Endpoint]
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    async def start(self) -> None:
        """Open the connections."""
        for endpoint in self.all:
            await endpoint.transport.start()

    async def check(self) -> None:
        """Raise ModelError `unreachable` when nothing listens anywhere; where only some are missing, those rest."""
        results = await asyncio.gather(*(check_listening(each.url) for each in self.all), return_exceptions=True)
        for endpoint, error in zip(self.all, results, strict=True):
            if isinstance(error, ModelError):
                endpoint.failed(self.clock(), gone=True)
        errors = [error for error in results if error is not None]
        if len(errors) == len(self.all):
            raise errors[0]

    async def post(self, path: str, body: bytes, group: str | None = None) -> Reply:
        """Send one request to one of them; raise ModelError `unreachable` when there is no reply."""
        first = self._choose(group, self.all)
        reply = await self._send(first, path, body)
        others = [endpoint for endpoint in self.all if endpoint is not first]
        if reply.status not in _REFUSALS or not others:
            return reply
        unfit, now = reply.status in _UNFIT, self.clock()
        if unfit:
            first.failed(now, gone=True)
        elif not any(endpoint.usable(now) for endpoint in others):
            return reply
        try:
            second = await self._send(self._choose(group, others), path, body)
        except ModelError:
            if unfit:
                raise
            return reply
        if 200 <= second.status < 300 and not unfit:
            first.failed(self.clock(), gone=True)
        # a 400 is a word about the request, and outweighs whatever is wrong with a server
        decides = 200 <= second.status < 300 or (unfit and second.status not in _UNFIT)
        return second if decides else reply

    async def _send(self, endpoint: Endpoint, path: str, body: bytes) -> Reply:
        endpoint.in_flight, endpoint.sent = endpoint.in_flight + 1, endpoint.sent + 1
        try:
            reply = await endpoint.transport.post(path, body)
        except ModelError as error:
            endpoint.failed(self.clock(), gone=error.kind == "unreachable")
            raise
        except asyncio.CancelledError:  # whoever waited for the reply gave up
            endpoint.failed(self.clock(), gone=False)
            raise
        finally:
            endpoint.in_flight -= 1
        if reply.status == 429:
            asked = retry_after(reply.headers)
            endpoint.rest(self.clock() + (_FIRST_REST if asked is None else asked))
        elif reply.status >= 500:
            endpoint.failed(self.clock(), gone=False)
        elif reply.status not in _REFUSALS:
            endpoint.well()
        return reply

    def again(self, error: ModelError) -> float | None:
        """Return the seconds after which the request may be sent again, None where whoever sends it has to choose."""
        if len(self.all) == 1 or not error.transient:
            return error.retry_after
        now = self.clock()
        if any(endpoint.resting_until <= now for endpoint in self.all):
            return 0.0
        if error.kind == "rate_limited" and error.retry_after is not None:
            return min(endpoint.resting_until for endpoint in self.all) - now
        return error.retry_after

    async def close(self) -> None:
        """Close the connections."""
        for endpoint in self.all:
            await endpoint.transport.close()

    def _choose(self, group: str | None, among: Sequence[Endpoint]) -> Endpoint:
        if len(among) == 1:
            return among[0]
        now = self.clock()
        usable = [endpoint for endpoint in among if endpoint.usable(now)]
        if not usable:
            return min(among, key=lambda endpoint: (endpoint.resting_until, endpoint.in_flight))
        least = min(usable, key=lambda endpoint: (endpoint.in_flight, endpoint.sent))
        if group is None:
            return least
        preferred = max(usable, key=lambda endpoint: _weight(group, endpoint.url))
        room = ceil(_LOAD * (sum(endpoint.in_flight for endpoint in usable) + 1) / len(usable))
        return preferred if preferred.in_flight < room else least


def _weight(group: str, url: str) -> bytes:
    return hashlib.blake2b(f"{group}\n{url}".encode(errors="surrogatepass"), digest_size=8).digest()
