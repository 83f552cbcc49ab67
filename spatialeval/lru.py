"""Values worth keeping, up to a number of bytes, shared by threads; each is made by one thread at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")


class LRU(Generic[V]):
    """Values by key, the least used dropped above a total weight.

    The latest value is kept even when it alone is over the limit: the next question is likely to be about it.

    Args:
        limit: most weight held.
        weigh: the weight of a value, usually its bytes.
    """

    def __init__(self, limit: int, weigh: Callable[[V], int]) -> None:
        self.limit, self.weigh, self.held = limit, weigh, 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._making: dict[Hashable, Future[V]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many values are held."""
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of `key`, made now where it is not held; whoever asks meanwhile waits for the same value.

        What `make` raises is raised to all of them, and not kept.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.get(key)
            if making is None:
                ours = self._making[key] = Future[V]()
        if making is not None:
            return making.result()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            ours.set_exception(error)
            raise
        with self._lock:
            self._keep(key, value)
            del self._making[key]
        ours.set_result(value)
        return value

    def _keep(self, key: Hashable, value: V) -> None:
        self._values[key] = value
        self.held += self.weigh(value)
        while self.held > self.limit and len(self._values) > 1:
            self.held -= self.weigh(self._values.popitem(last=False)[1])
