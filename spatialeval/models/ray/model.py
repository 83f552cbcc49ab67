"""A model that sends each request to the least busy of its replicas on a Ray cluster.

A worker that ends takes no answer along: what was with it is asked again of another one, and a new worker takes its
place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, UsageError
from spatialeval.models.base import Model
from spatialeval.models.ray.worker import Refused, Worker, packed

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.messages import Request, Response
    from spatialeval.models.ray.options import RayOptions

LIVES = 5
"""Workers that a request may see end; one that ends each of them must not go on for ever."""
DEATHS = 4
"""Workers in a row that may end in one place without an answer between them."""
CLOSE_SECONDS = 30


@dataclass(eq=False)
class Seat:
    """The place of one worker.

    Attributes:
        number: from 1.
        actor: the worker, once it is ready.
        pid: its process, on its own machine.
        in_flight: requests with it.
        deaths: workers that ended here since the last answer.
    """

    number: int
    actor: Any = None
    pid: int = 0
    in_flight: int = 0
    deaths: int = 0


class RayModel(Model):
    """The replicas of one model.

    Args:
        make: makes a model; called here for its identity, and once in every worker.
        options: how many replicas, and where.
    """

    def __init__(self, make: Callable[[], Model], options: RayOptions) -> None:
        inner = make()
        if not inner.sees_media:
            raise UsageError(f"{inner.spec} answers without a model, which needs no workers: leave --executor out.")
        self.spec, self.hosted, self.grace, self.free = inner.spec, inner.hosted, inner.grace, inner.free
        self.adaptive, self.rpm, self.tpm, self.quote = inner.adaptive, inner.rpm, inner.tpm, inner.quote
        self._inner, self._make, self._options = inner, make, options
        self.concurrency = inner.concurrency * (options.workers or 1)
        self._seats: list[Seat] = []
        self._changed = asyncio.Condition()
        self._suspects = asyncio.Lock()
        self._coming: set[asyncio.Task[None]] = set()
        self._gone: ModelError | UsageError | None = None
        self._ours = False
        self._tell: Callable[[str], None] = lambda _: None

    def identity(self) -> dict[str, Any]:
        """Return the identity of the model: where it runs changes no answer."""
        return self._inner.identity()

    def keep_in(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Remember whom to tell about workers that end."""
        del folder
        self._tell = tell

    async def start(self) -> None:
        """Join or start a cluster; return once a worker is ready, the others coming.

        Raises:
            UsageError: when ray is not installed, workers have no place, or the model cannot be loaded.
        """
        ray = _ray()
        if not ray.is_initialized():
            self._ours = True
            _init(ray, self._options)
        workers = self._options.workers or _most(ray, self._options)
        if self._options.address is None and self._ours and workers > (most := _most(ray, self._options)):
            raise UsageError(
                f"this machine holds {most} workers with {self._options.cpus:g} CPUs and {self._options.gpus:g} GPUs "
                f"each, not {workers}. Ask for fewer with --workers, or for a smaller share with --ray-cpus."
            )
        self.concurrency = self._inner.concurrency * workers
        self._seats = [Seat(number) for number in range(1, workers + 1)]
        for seat in self._seats:
            self._fill(seat)
        try:
            await self._least_busy()
        except ModelError as error:
            raise UsageError(str(error)) from error

    async def ask(self, request: Request) -> Response:
        """Return the answer of the least busy worker, of the next one where it ends over it."""
        ray = _ray()
        near = all(image.media.at_hand for message in request.messages for image in message.images)
        wanted = self._inner.looks_at_sample
        parcel = packed(request, sample=wanted) if near else await asyncio.to_thread(packed, request, sample=wanted)
        for life in range(LIVES):
            # A worker's end has one cause and many victims. The last try is made by one request at a time, so that
            # a victim does not sit beside the cause again.
            async with self._suspects if life == LIVES - 1 else contextlib.nullcontext():
                seat = await self._least_busy()
                actor = seat.actor
                seat.in_flight += 1
                try:
                    told: Response | Refused = await actor.ask.remote(parcel)
                except ray.exceptions.RayTaskError as error:
                    raise ModelError(
                        f"{self.spec}: a worker could not take the request: {error}", kind="model_error"
                    ) from error
                except ray.exceptions.RayError as error:
                    self._lost(seat, actor, error)
                    continue
                finally:
                    seat.in_flight -= 1
            seat.deaths = 0
            if isinstance(told, Refused):
                raise told.error
            return told
        raise ModelError(f"{self.spec}: {LIVES} workers ended while they had this request.", kind="model_error")

    async def close(self) -> None:
        """End the workers, and the cluster if it was started here."""
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        if not self._seats and not self._ours:
            return
        ray = _ray()
        actors = [seat.actor for seat in self._seats if seat.actor is not None]
        closing = [asyncio.ensure_future(_end(actor)) for actor in actors]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        for actor in actors:
            _kill(ray, actor)
        self._seats = []
        if self._ours:
            self._ours = False
            ray.shutdown()

    async def _least_busy(self) -> Seat:
        """Return the seat with the fewest requests; wait while all of them are being filled."""
        async with self._changed:
            while True:
                ready = [seat for seat in self._seats if seat.actor is not None]
                if ready:
                    return min(ready, key=lambda seat: seat.in_flight)
                if not self._coming:
                    raise self._gone or ModelError(f"{self.spec} has no workers.", kind="unreachable")
                await self._changed.wait()

    def _lost(self, seat: Seat, actor: Any, error: Exception) -> None:
        """Take in that a worker ended, of which every request that was with it tells."""
        if seat.actor is not actor:
            return
        seat.actor = None
        seat.deaths += 1
        _kill(_ray(), actor)  # one that is only out of reach must not stay beside the new one
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if seat.deaths >= DEATHS:
            message = f"{self.spec}: {seat.deaths} workers in a row ended without an answer, the last one with: {why}"
            self._gone = ModelError(message, kind="unreachable")
            self._tell(message)
            return
        self._tell(f"worker {seat.number} ended ({why}); its requests go to others, and a new one comes")
        self._fill(seat)

    def _fill(self, seat: Seat) -> None:
        task = asyncio.create_task(self._start(seat))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _start(self, seat: Seat) -> None:
        """Put a worker with a started model into a seat; where that cannot be, remember why."""
        ray = _ray()
        options = self._options
        actor = None
        try:
            actor = (
                ray.remote(Worker)
                .options(
                    num_cpus=options.cpus,
                    num_gpus=options.gpus,
                    max_restarts=0,  # a new worker must start its model before it is asked
                    scheduling_strategy="SPREAD",
                )
                .remote(self._make, str(Path.cwd()))
            )
            told = await asyncio.wait_for(_as_future(actor.start.remote()), options.start_timeout)
            if isinstance(told, Refused):
                raise told.error
        except TimeoutError:
            self._gone = ModelError(
                f"{self.spec}: no worker with {options.cpus:g} CPUs and {options.gpus:g} GPUs was ready within "
                f"{options.start_timeout:g} seconds. See what the cluster has with `ray status`.",
                kind="unreachable",
            )
        except (ModelError, UsageError) as error:
            self._gone = error
        except ray.exceptions.RayError as error:
            seat.deaths += 1
            if seat.deaths < DEATHS:
                self._fill(seat)
            self._gone = ModelError(f"{self.spec}: a worker could not be started: {error}", kind="unreachable")
        else:
            seat.actor, seat.pid = actor, told
        if seat.actor is None and actor is not None:
            _kill(ray, actor)
        self._coming -= {asyncio.current_task()}  # before waiters look
        async with self._changed:
            self._changed.notify_all()


async def _as_future(reference: Any) -> Any:
    return await reference


async def _end(actor: Any) -> None:
    with contextlib.suppress(Exception):  # it is killed next
        await actor.close.remote()


def _kill(ray: Any, actor: Any) -> None:
    with contextlib.suppress(Exception):  # it is gone already, or the cluster is
        ray.kill(actor)


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415 - heavy, and only clusters need it
    except ImportError as error:
        raise UsageError("--executor ray needs Ray: pip install 'spatialeval[ray]'") from error
    return ray


def _init(ray: Any, options: RayOptions) -> None:
    """Join a cluster, or start one on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    held = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=options.address or "local",
            include_dashboard=None if options.address else False,
            log_to_driver=False,
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        place = f"the Ray cluster at {options.address}" if options.address else "a Ray cluster on this machine"
        raise UsageError(f"{place} cannot be used: {error}. Check --ray-address and `ray status`.") from error
    finally:
        with contextlib.suppress(ValueError):  # not the main thread, where Ray sets none
            signal.signal(signal.SIGTERM, held)  # Ray's own would end the run without waiting for requests in flight


def _most(ray: Any, options: RayOptions) -> int:
    """Return how many workers fit on the cluster as it is now, at least 1."""
    there = ray.cluster_resources()
    rooms = [there.get(name, 0) // each for name, each in (("CPU", options.cpus), ("GPU", options.gpus)) if each]
    return max(1, int(min(rooms, default=1)))
