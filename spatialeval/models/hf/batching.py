"""Requests that arrive one by one become batches for worker threads, one for each copy of a model."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")
R = TypeVar("R")

LINGER = 0.004
"""Seconds a batch that is not full waits for company."""


@dataclass(frozen=True, eq=False)
class _Job(Generic[T, R]):
    item: T
    key: Hashable
    size: int
    future: asyncio.Future[R]


class MicroBatcher(Generic[T, R]):
    """Fills batches from the items that wait. Every worker takes the next batch as soon as it is free.

    Args:
        works: one per worker thread; answers a batch with one result or exception per item.
        batch_size: most items in a batch.
        key: items share a batch only when their keys are equal.
        size: items of similar size share a batch, so that little is padded.
    """

    def __init__(
        self,
        works: Sequence[Callable[[list[T]], list[R | Exception]]],
        batch_size: int,
        key: Callable[[T], Hashable],
        size: Callable[[T], int],
    ) -> None:
        self.works, self.batch_size, self.key, self.size = works, batch_size, key, size
        self.workers = [ThreadPoolExecutor(max_workers=1, thread_name_prefix="spatialeval-hf") for _ in works]
        self._waiting: list[_Job[T, R]] = []
        self._arrived = asyncio.Event()
        self._pumps: list[asyncio.Task[None]] = []

    async def submit(self, item: T) -> R:
        """Return the result of `item`, or raise the exception that stands for it."""
        job: _Job[T, R] = _Job(item, self.key(item), self.size(item), asyncio.get_running_loop().create_future())
        if not self._pumps:
            self._pumps = [asyncio.create_task(self._pump(place)) for place in range(len(self.works))]
        self._waiting.append(job)
        self._arrived.set()
        return await job.future

    async def close(self) -> None:
        """Cancel what waits, and return when the worker threads have ended their batches."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for job in self._waiting:
            job.future.cancel()
        for worker in self.workers:
            await asyncio.to_thread(worker.shutdown, wait=True)

    async def _pump(self, place: int) -> None:
        while True:
            await self._arrived.wait()
            if len(self._waiting) < self.batch_size:
                await asyncio.sleep(LINGER)
            await self._answer(self._take(), place)

    def _take(self) -> list[_Job[T, R]]:
        """Remove the next batch from those waiting: the oldest item and its nearest in size."""
        self._waiting = [job for job in self._waiting if not job.future.done()]  # cancelled meanwhile
        batch: list[_Job[T, R]] = []
        if self._waiting:
            oldest = self._waiting[0]
            alike = sorted((job for job in self._waiting if job.key == oldest.key), key=lambda job: job.size)
            start = alike.index(oldest) // self.batch_size * self.batch_size
            batch = alike[start : start + self.batch_size]
            self._waiting = [job for job in self._waiting if job not in batch]
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _answer(self, batch: list[_Job[T, R]], place: int) -> None:
        if not batch:
            return
        loop = asyncio.get_running_loop()
        try:
            results = await loop.run_in_executor(self.workers[place], self.works[place], [job.item for job in batch])
        except asyncio.CancelledError:
            for job in batch:
                job.future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever the worker raised belongs to those who wait for it
            results = [error] * len(batch)
        for job, result in zip(batch, results, strict=True):
            if job.future.done():
                continue
            if isinstance(result, Exception):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)
