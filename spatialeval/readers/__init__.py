"""Readers find the answer in a reply. A reader is a small frozen dataclass: fields are parameters, calling it reads.

    @READERS.register("first_token")
    @dataclass(frozen=True)
    class FirstToken:
        def __call__(self, text: str, sample: Sample) -> Reading: ...

A faithful copy of a published rule is a reader of its own name; `strict` (one per answer type, `strict_choice`, ...) is
our best one. Readers are pure: no clock, no randomness, no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from spatialeval.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.samples import Sample
    from spatialeval.scores import Reading


class Reader(Protocol):
    """Reads the answer of one reply."""

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return what `text` answers to `sample`; a Reading without value when nothing can be read. Never raises."""
        ...


READERS: Registry[Callable[..., Reader]] = Registry("reader", "spatialeval.readers")

__all__ = ["READERS", "Reader"]
