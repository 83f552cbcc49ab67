"""Ending a run early without losing anything: the flag, the signals that raise it, and the errors that carry it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spatialeval.errors import RunError
from spatialeval.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

GRACE = Model.grace
"""Seconds that requests in flight have to finish once a run is stopping, where nothing else is said."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunInterrupted(RunError):  # noqa: N818 - not a fault: somebody asked for it
    """The run was interrupted on request; everything answered is kept. Commands exit with `exit_code`."""

    exit_code = 130
    status = "interrupted"
    """In the manifest."""


class Halt(BaseException):
    """Ends one item of a stopping run: nothing more may be sent. Strategies cannot catch it with `except Exception`."""


@dataclass
class Stop:
    """Whether a run is stopping, and why."""

    reason: str | None = None
    _event: asyncio.Event = field(default_factory=asyncio.Event)
    _told: list[Callable[[], None]] = field(default_factory=list)

    @property
    def stopping(self) -> bool:
        """Whether the run is stopping."""
        return self.reason is not None

    def set(self, reason: str) -> None:
        """Stop the run; the first reason stays."""
        self.reason = self.reason or reason
        self._event.set()
        for hear in self._told:
            hear()

    def tell(self, hear: Callable[[], None]) -> None:
        """Call `hear` once the run is stopping."""
        self._told.append(hear)

    async def wait(self) -> None:
        """Return once the run is stopping."""
        await self._event.wait()

    async def guard(self, waiting: Awaitable[None]) -> None:
        """Await `waiting`, but raise Halt as soon as the run is stopping."""
        tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(self.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self.stopping:
            raise Halt
        await tasks[0]


_LISTENING: list[tuple[asyncio.AbstractEventLoop, Callable[[signal.Signals], None]]] = []
"""The runs under way in this process, whatever their thread."""


def interrupt_runs() -> bool:
    """Do to every run under way what SIGINT does; return whether there is one. For runs outside of the main thread."""
    for loop, hear in _LISTENING:
        loop.call_soon_threadsafe(hear, signal.SIGINT)
    return bool(_LISTENING)


@contextlib.contextmanager
def stop_on_signals(stop: Stop, now: Callable[[], object]) -> Iterator[None]:
    """Within the block, the first SIGINT or SIGTERM sets `stop`, and a second one calls `now`.

    Where the loop cannot take signals (another thread, Windows) they keep their usual effect.
    """
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []

    def hear(number: signal.Signals) -> None:
        if stop.stopping:
            now()
        else:
            stop.set(number.name)

    for number in _SIGNALS:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, hear, number)
            taken.append(number)
    listening = (loop, hear)
    _LISTENING.append(listening)
    try:
        yield
    finally:
        _LISTENING.remove(listening)
        for number in taken:
            loop.remove_signal_handler(number)
