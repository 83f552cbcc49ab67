"""Blocking calls where an event loop is running already: a notebook cell, a coroutine of somebody else's."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from spatialeval.run.stopping import interrupt_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

T = TypeVar("T")


def outside_loop(work: Callable[[], T]) -> T:
    """Return what `work` returns, which starts event loops of its own: in a thread where one is running in this one.

    Ctrl-C (the stop button of a notebook) then lets the run under way finish its requests in flight and end, as it does
    in a terminal; what was answered is kept.
    """
    if not _looping():
        return work()
    with ThreadPoolExecutor(1, thread_name_prefix="spatialeval") as pool, _interruptible():
        return pool.submit(contextvars.copy_context().run, work).result()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Within the block, SIGINT interrupts the runs under way; where there is none it does what it usually does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.getsignal(signal.SIGINT)

    def hear(number: int, frame: FrameType | None) -> None:
        if not interrupt_runs() and callable(usual):
            usual(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _looping() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
