"""The Model over the Batch API: collects requests while the run has more to send, answers them when batches end."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from spatialeval.errors import ModelError, StorageError, UsageError
from spatialeval.messages import Response
from spatialeval.models.batch.carry import Carrier, Ended
from spatialeval.models.batch.collect import Collected, line_id, size_of
from spatialeval.models.batch.provider import Provider
from spatialeval.models.batch.settings import read_settings
from spatialeval.models.batch.store import Batch, BatchStore
from spatialeval.models.openai import OpenAIModel
from spatialeval.models.transport import check_listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spatialeval.messages import Request
    from spatialeval.models.base import ModelOptions

IN_FLIGHT = 50_000
"""Most requests that wait at once: as many as one batch holds. A waiting one costs a few KB; its body is on disk."""

_BODIES = 32
"""Bodies that are held at once."""

_REFUSALS = 6
"""How many batches may refuse a request for their rate (429)."""


class BatchModel(OpenAIModel):
    """A hosted chat model, asked in batches. Options: those of `openai`, and `batch` (see `BatchSettings`)."""

    collects: ClassVar[bool] = True
    grace = 0.0
    """A batch takes hours and goes on without us."""

    def __init__(self, name: str, options: ModelOptions) -> None:
        super().__init__(name, options)
        self.settings = read_settings(options.extra["batch"])
        self.concurrency, self.adaptive = IN_FLIGHT, False
        self._folder: Path | None = None
        self._tell: Callable[[str], None] = lambda _: None
        self._carrier: Carrier | None = None
        self._collected: Collected | None = None
        self._waiting: dict[int, dict[str, asyncio.Future[ModelError]]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._unnamed: Counter[str] = Counter()
        self._asking = self._building = 0
        self._builders = asyncio.Semaphore(_BODIES)
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._pending = ""

    def keep_in(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Keep what must outlive the process in `folder`."""
        self._folder, self._tell = folder, tell

    def pending(self) -> str:
        """Return which batches go on."""
        return self._pending

    async def start(self) -> None:
        """Read the key, and go on with the batches of earlier sessions."""
        if self._folder is None:
            raise UsageError(
                f"{self.spec} with batch needs a folder to remember its batches: call keep_in(folder, tell)."
            )
        store = await asyncio.to_thread(BatchStore, self._folder)
        provider = Provider(self.base_url, self._read_key(), self.timeout)
        self._carrier = Carrier(self._folder, store, provider, self.settings.poll, self._tell)
        batches = await asyncio.to_thread(store.open_batches)
        _clear(self._folder, {batch.token for batch in batches})
        for batch in batches:
            self._follow(batch)

    async def check(self) -> None:
        """Raise ModelError when nothing listens at the address of a server of one's own."""
        if not self.hosted:
            await check_listening(self.base_url)

    async def ask(self, request: Request) -> Response:
        """Answer a request whose call has no name."""
        self._unnamed[request.digest] += 1
        return await self.ask_as(f"#{self._unnamed[request.digest]}", request)

    async def ask_as(self, name: str, request: Request) -> Response:
        """Return the answer once a batch has it; raise ModelError when it has none."""
        self._asking += 1
        try:
            for _ in range(_REFUSALS):
                answer = await self._answer(name, request)
                if isinstance(answer, Response):
                    return answer
                # The rate at which a provider works on a batch is its own affair, and no reason to send less.
                if answer.kind != "rate_limited" or not answer.transient:
                    raise answer
            raise ModelError(str(answer), kind="rate_limited")
        finally:
            self._asking -= 1

    async def _answer(self, name: str, request: Request) -> Response | ModelError:
        """Return what one batch says about a request."""
        if self._carrier is None:
            raise UsageError(f"{self.spec} was not started: await model.start() first.")
        store = self._carrier.store
        each, done = await self._place(name, request)
        if isinstance(done, Response):
            return done
        otherwise = await done
        answer = store.find(each)
        return answer if isinstance(answer, Response) else otherwise

    async def _place(self, name: str, request: Request) -> tuple[str, asyncio.Future[ModelError] | Response]:
        """Return the request's name at the provider, and its answer or what to wait for."""
        self._building += 1
        try:
            async with self._builders:  # bodies go to the disk as fast as they are made
                at_hand = all(image.media.at_hand for message in request.messages for image in message.images)
                build = self.builder.build
                body = build(request) if at_hand else await asyncio.to_thread(build, request)
        finally:
            self._building -= 1
        each = line_id(name, body)
        found = self._carrier.store.find(each) if self._carrier else None
        if isinstance(found, Response):
            return each, found
        done: asyncio.Future[ModelError] = asyncio.get_running_loop().create_future()
        if found is None:
            self._collect(each, body, done)
        else:
            self._waiting.setdefault(found.number, {})[each] = done
            self._follow(found)
        if self._asking >= self.concurrency and not self._building:
            self._send()  # nothing more can come before something is answered
        return each, done

    def _collect(self, each: str, body: bytes, done: asyncio.Future[ModelError]) -> None:
        size, held = size_of(each, body), self._collected
        if held and (held.size + size > self.settings.bytes or len(held.waiting) >= self.settings.requests):
            self._send()
        if size > self.settings.bytes:
            told = f"the request has {size:,} bytes, more than a whole batch may have ({self.settings.bytes:,})"
            raise ModelError(f"{told}. Show fewer or smaller pictures.", kind="bad_request")
        if self._collected is None and self._folder is not None:
            self._collected = Collected(self._folder)
        if self._collected is not None:
            self._collected.add(each, body, done)
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self.settings.quiet, self._look)

    def _look(self) -> None:
        """Send what was collected once nothing came for a while."""
        self._timer, loop = None, asyncio.get_running_loop()
        rest = self._last + self.settings.quiet - loop.time()
        if self._collected is None:
            return
        if rest > 0 or self._building:
            self._timer = loop.call_later(max(rest, self.settings.quiet / 4), self._look)
        else:
            self._send()

    def _send(self) -> None:
        """Make a batch of what was collected."""
        collected, self._collected = self._collected, None
        if collected is not None:
            task = asyncio.create_task(self._begin(collected))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _begin(self, collected: Collected) -> None:
        carrier = self._carrier
        if carrier is None:
            return
        try:
            await asyncio.to_thread(collected.seal)
            batch = await asyncio.to_thread(carrier.store.begin, collected.token, list(collected.waiting))
        except StorageError as error:
            _fail(collected.waiting, error)
            return
        self._waiting[batch.number] = collected.waiting
        self._follow(batch)

    def _follow(self, batch: Batch) -> None:
        """Carry a batch, unless that is under way."""
        if batch.number not in self._tasks:
            self._tasks[batch.number] = asyncio.create_task(self._carry(batch))

    async def _carry(self, batch: Batch) -> None:
        if self._carrier is None:
            return
        ended: Ended | Exception
        try:
            ended = await self._carrier.carry(batch)
        except Exception as error:  # noqa: BLE001 - whatever happens, those who wait must hear of it
            ended = error
        del self._tasks[batch.number]
        waiting = self._waiting.pop(batch.number, {})
        if isinstance(ended, Exception):
            _fail(waiting, ended)
            return
        for each, done in waiting.items():
            if not done.done():  # otherwise its caller was cancelled meanwhile
                done.set_result(_again(ended.failed.get(each, ended.rest)))

    async def close(self) -> None:
        """Stop watching; batches at the provider go on."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._sending, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._collected is not None:
            self._collected.drop()
        if self._carrier is not None:
            self._pending = _said(await asyncio.to_thread(self._carrier.store.open_batches))
            self._carrier.store.close()
            await self._carrier.provider.close()
        self._carrier = self._collected = self._timer = None


def _said(batches: list[Batch]) -> str:
    if not batches:
        return ""
    names = ", ".join(batch.id for batch in batches if batch.id)
    many = f"{len(batches):,} batch{'es' if len(batches) > 1 else ''} with {sum(b.lines for b in batches):,} requests"
    go, its = ("go", "their") if len(batches) > 1 else ("goes", "its")
    return f"At the provider, {many} {f'({names}) ' if names else ''}{go} on; the same command takes {its} answers."


def _again(error: ModelError) -> ModelError:
    """Return a copy: each who waits raises one of its own."""
    return ModelError(str(error), kind=error.kind, transient=error.transient, retry_after=error.retry_after)


def _fail(waiting: dict[str, asyncio.Future[ModelError]], error: Exception) -> None:
    for done in waiting.values():
        if done.done():  # its caller was cancelled meanwhile
            continue
        if isinstance(error, ModelError):
            done.set_exception(_again(error))
        elif isinstance(error, StorageError):
            done.set_exception(StorageError(str(error)))
        else:
            told = f"its batch could not be carried on: {type(error).__name__}: {error}"
            done.set_exception(ModelError(told, kind="model_error"))


def _clear(folder: Path, tokens: set[str]) -> None:
    """Remove files that no batch needs: a session ended while it wrote them."""
    for path in folder.glob("*.jsonl"):
        if path.stem not in tokens:
            path.unlink()
    for path in folder.glob("*.results"):
        path.unlink()
