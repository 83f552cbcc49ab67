"""The `ask` that a strategy gets for one item: answered from the journal where it was answered before, else durable."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, SpatialEvalError
from spatialeval.messages import Request, Response
from spatialeval.run.events import Event, Retrying
from spatialeval.run.records import Call
from spatialeval.run.retry import RetryPolicy, ask_with_retry
from spatialeval.run.stopping import Halt, Stop
from spatialeval.text import storable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from spatialeval.models.base import Model
    from spatialeval.run.budget import Account
    from spatialeval.run.cache import ModelCache
    from spatialeval.run.journal import Journal
    from spatialeval.run.pace import Pace


@dataclass(frozen=True)
class Line:
    """What all items of a run share on their way to the model.

    Attributes:
        model: answers.
        journal: remembers.
        retry: how often a request is sent.
        events: hears about retries.
        stop: once set, nothing more is sent.
        sleep: waits between requests.
        pace: says when the next request may be sent, also when one strategy asks several things at once.
        cache: answers of this model to earlier runs.
        account: what requests are paid from, where somebody limits that.
    """

    model: Model
    journal: Journal
    retry: RetryPolicy
    events: Callable[[Event], None]
    stop: Stop
    sleep: Callable[[float], Awaitable[None]]
    pace: Pace
    cache: ModelCache | None = None
    account: Account | None = None

    async def send(self, request: Request, name: str) -> tuple[Response, float]:
        """Send one request, the call `name`, as soon as it may be sent; return the answer and the seconds it took.

        Raises Halt when the run is stopping by then.
        """
        guess = await self.account.hold(request, self.stop) if self.account else None
        try:
            slot = await self.pace.enter(guess.tokens if guess else 0.0)
        except BaseException:
            if self.account and guess:
                self.account.settle(guess, None)
            raise
        response, failed, begun = None, None, time.perf_counter()
        try:
            if self.stop.stopping:
                raise Halt
            response = await self._answer(request, name)
            return response, time.perf_counter() - begun
        except ModelError as error:
            failed = error
            raise
        finally:
            used = self.account.settle(guess, response) if self.account and guess else 0.0
            self.pace.leave(slot, error=failed, tokens=None if response is None else used)

    async def _answer(self, request: Request, name: str) -> Response:
        try:
            return _storable(await self.model.ask_as(name, request))
        except SpatialEvalError:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # nobody cancelled us: the backend gave up its own request, and its item must not vanish with a worker
            raise ModelError(f"{self.model.spec} cancelled its own request", kind="model_error") from error
        except Exception as error:  # a backend's own fault on one sample must not end the others
            message = f"{self.model.spec} raised {type(error).__name__}: {error}"
            raise ModelError(message, kind="model_error") from error

    async def pause(self, seconds: float) -> None:
        """Wait between two requests; raise Halt as soon as the run is stopping."""
        await self.stop.guard(self.sleep(seconds))


@dataclass
class Asker:
    """Numbers and remembers the calls of one item. Calling it asks."""

    line: Line
    key: str
    calls: dict[int, Call] = field(default_factory=dict)
    """Answered calls by step, those from the journal included."""
    sent: int = 0
    """Requests sent in this session, refused ones included."""
    _seen: Counter[str] = field(default_factory=Counter)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: int = 0
    _open: dict[asyncio.Future[None], asyncio.Task[Any] | None] = field(default_factory=dict)

    async def __call__(self, request: Request) -> Response:
        """Return the answer to the item's next call; raise ModelError when there is none."""
        step, self._next = self._next, self._next + 1
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open[ended] = asyncio.current_task()
        try:
            return await self._ask(step, request)
        finally:
            del self._open[ended]
            ended.set_result(None)

    async def settle(self) -> None:
        """Wait for calls that a strategy left behind, as `asyncio.gather` does when one of several fails."""
        while self._open:
            try:
                await asyncio.wait(self._open)
            except asyncio.CancelledError:
                for task in self._open.values():
                    if task is not None:
                        task.cancel()
                raise

    @property
    def steps(self) -> list[int]:
        """The numbers of the answered calls, in order."""
        return sorted(self.calls)

    async def _ask(self, step: int, request: Request) -> Response:
        digest, index = await self._identify(request)
        known = self.line.journal.call(self.key, step, digest)
        if known is None:
            cache = self.line.cache
            key = cache.key(self.key, request.settings, digest, index) if cache else None
            cached = await cache.get(key, request) if cache and key else None
            known = cached or await self._call(step, request)
            await self.line.journal.put_call(self.key, step, digest, known)
            if cache and key and not cached:
                await cache.put(key, known)
        self.calls[step] = known
        return Response.from_record(known.response)

    async def _identify(self, request: Request) -> tuple[str, int]:
        """Return the digest of a request, and how many earlier calls of the item asked the same (0 without a cache)."""
        if self.line.cache is None:
            return await _digest(request), 0
        async with self._turn:  # in the order of the steps, so that every session numbers equal requests alike
            digest = await _digest(request)
            self._seen[digest] += 1
            return digest, self._seen[digest] - 1

    async def _call(self, step: int, request: Request) -> Call:
        def retrying(error: ModelError, attempt: int, delay: float) -> None:
            self.line.events(Retrying(self.key, str(error), attempt, delay))

        name = f"{self.key}|{step}"
        tried = await ask_with_retry(
            lambda: self.line.send(request, name),
            self.line.retry,
            sleep=self.line.pause,
            hopeless=lambda: self.line.pace.hopeless,
            name=name,
            on_retry=retrying,
        )
        self.sent += tried.attempts
        if tried.response is None:
            assert tried.error is not None  # noqa: S101 - a Tried has one of both
            raise tried.error
        return Call(request.record, tried.response.record(), tried.latency, tried.attempts)


def _storable(response: Response) -> Response:
    """Return the response without what files and further requests cannot hold: halves of characters."""
    text, thoughts = storable(response.text), response.thoughts and storable(response.thoughts)
    same = text == response.text and thoughts == response.thoughts
    return response if same else replace(response, text=text, thoughts=thoughts)


async def _digest(request: Request) -> str:
    """Return the digest; media in files are read and hashed in a thread, because a big file would hold up the loop."""
    if not all(image.media.in_row for message in request.messages for image in message.images):
        return await asyncio.to_thread(lambda: request.digest)
    return request.digest
