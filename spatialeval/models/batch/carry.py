"""One batch from its file to its answers, from wherever an earlier session left it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from spatialeval.errors import ModelError
from spatialeval.models.batch.collect import input_file
from spatialeval.models.batch.outcomes import absent, cancelled, queue_full, read_outcomes, refused, unanswered
from spatialeval.models.batch.provider import ENDED, Provider, Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path
    from typing import TypeVar

    from spatialeval.messages import Response
    from spatialeval.models.batch.store import Batch, BatchStore

    T = TypeVar("T")

_TRIES = 5
"""How often a file or a batch is sent before the run decides."""
_SLOWEST = 6
"""Waits grow to so many times the first one."""
_QUEUE_TRIES, _QUEUE_WAIT = 288, 30
"""How often a batch is sent while the provider's queue is full, and the wait between, in first waits: a day."""


@dataclass(frozen=True)
class Ended:
    """How a batch ended, for those who wait for its answers.

    Attributes:
        failed: request -> why it has no answer.
        rest: why a request that is neither answered nor in `failed` has none.
    """

    failed: dict[str, ModelError]
    rest: ModelError


@dataclass(frozen=True)
class Carrier:
    """Carries batches.

    Attributes:
        folder: where their files are.
        store: remembers every step.
        provider: carries the requests out.
        poll: seconds of the first wait between two looks, and between two tries.
        tell: says something to the user.
    """

    folder: Path
    store: BatchStore
    provider: Provider
    poll: float
    tell: Callable[[str], None]

    async def carry(self, batch: Batch) -> Ended:
        """See a batch to its end; then its answers are in the store.

        Raises:
            ModelError: when the provider refuses it, or cannot be reached to send it.
            StorageError: when the disk refuses.
        """
        for tries in range(_QUEUE_TRIES):
            if batch.id is None:
                batch = await self._submit(batch)
            input_file(self.folder, batch.token).unlink(missing_ok=True)
            told = await self._wait(batch)
            if told.status != "failed" or not queue_full(told.errors):
                break
            wait = self.poll * _QUEUE_WAIT
            if not tries:
                self.tell(f"batch {batch.id}: {refused(told.errors)[0]} It is sent again every {wait:g} s.")
            batch = replace(batch, id=None)
            await asyncio.to_thread(self.store.note, batch)
            await asyncio.sleep(wait)
        return await self._take(batch, told)

    async def _submit(self, batch: Batch) -> Batch:
        """Send the file and start the batch, never twice: one that may have been started is looked for first."""
        found = None
        if batch.file is None:
            path = input_file(self.folder, batch.token)
            if not path.is_file():
                await self._forget(batch)
                raise ModelError(f"{path} is gone: it is written anew.", kind="server_error", transient=True)
            batch = replace(batch, file=await self._tried(lambda: self.provider.upload(path)))
            await asyncio.to_thread(self.store.note, batch)
        else:
            found = await self._tried(lambda: self._find(batch))
        batch = replace(batch, id=found or await self._create(batch))
        await asyncio.to_thread(self.store.note, batch)
        self.tell(f"batch {batch.id}: {batch.lines:,} requests sent")
        return batch

    async def _create(self, batch: Batch) -> str:
        tries = 0
        while True:
            try:
                return await self.provider.create(batch.file or "", batch.token)
            except ModelError as error:
                tries += 1
                if error.kind in {"bad_request", "not_found"}:  # it will never be taken as it is
                    await self._forget(batch)
                if not error.transient:
                    raise
                await self._rest_after(error, tries)
                # the reply may have been lost, not the request
                if (found := await self._tried(lambda: self._find(batch))) is not None:
                    return found
                if tries == _TRIES:
                    raise

    async def _find(self, batch: Batch) -> str | None:
        return await self.provider.find(batch.file or "", batch.token, batch.begun)

    async def _wait(self, batch: Batch) -> Told:
        """Look at the batch until it ended, however long the provider cannot be reached meanwhile."""
        wait, said = self.poll, ("", 0)
        while True:
            try:
                told = await self.provider.look(batch.id or "")
            except ModelError as error:
                if not error.transient:
                    raise _hint(error, batch) from error
                told = Told(f"cannot be seen ({error})", 0, 0, (), [])
            if told.status in ENDED:
                return told
            news = told.status, 10 * told.done // max(1, told.total)
            if news != said:
                self.tell(f"batch {batch.id}: {told.status}, {told.done:,} of {told.total or batch.lines:,} done")
                said = news
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, self.poll * _SLOWEST)

    async def _take(self, batch: Batch, told: Told) -> Ended:
        """Bring the answers into the store and return the failures."""
        failed: dict[str, ModelError] = {}
        paths = [self.folder / f"{batch.token}.{place}.results" for place, _ in enumerate(told.files)]
        for name, path in zip(told.files, paths, strict=True):
            await self._tried(partial(self.provider.download, name, path))

        def answers() -> Iterator[tuple[str, Response]]:
            for name, outcome in read_outcomes(paths):
                if isinstance(outcome, ModelError):
                    failed[name] = outcome
                else:
                    yield name, outcome

        rest = await asyncio.to_thread(self._unanswered, batch, told, failed)
        await asyncio.to_thread(self.store.end, batch, answers())
        for path in paths:
            path.unlink(missing_ok=True)
        self.tell(f"batch {batch.id}: {told.status}, {len(failed):,} of {batch.lines:,} requests failed")
        return Ended(failed, rest)

    def _unanswered(self, batch: Batch, told: Told, failed: dict[str, ModelError]) -> ModelError:
        """Return why a request may be without a line in the result files; add those that the refusal names."""
        if told.status == "expired":
            return unanswered("batch_expired", "its time was over")
        if told.status == "cancelled":
            return cancelled()
        if told.status != "failed":
            return absent()
        rest, named = refused(told.errors)
        for place, error in named.items():
            if (name := self.store.line(batch, place)) is not None:
                failed[name] = error
        return rest

    async def _forget(self, batch: Batch) -> None:
        await asyncio.to_thread(self.store.end, batch, ())
        input_file(self.folder, batch.token).unlink(missing_ok=True)

    async def _tried(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send, and again a few times when what went wrong can pass."""
        tries = 0
        while True:
            try:
                return await send()
            except ModelError as error:
                tries += 1
                if not error.transient or tries == _TRIES:
                    raise
                await self._rest_after(error, tries)

    async def _rest_after(self, error: ModelError, tries: int) -> None:
        await asyncio.sleep(max(self.poll * min(2 ** (tries - 1), _SLOWEST), error.retry_after or 0))


def _hint(error: ModelError, batch: Batch) -> ModelError:
    told = f"batch {batch.id} cannot be seen, perhaps because the key is of another project: {error}"
    return ModelError(told, kind=error.kind)
