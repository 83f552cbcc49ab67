"""Generators make the rows of a task from a seed instead of reading them: the third kind of data source.

    @GENERATORS.register("maze")
    @dataclass(frozen=True) ...   # or, as here, a function with keyword-only parameters
    def maze(*, seed: int, rows: int, size: int = 5) -> Iterator[dict[str, Any]]: ...

The same parameters give the same rows, byte for byte; row i does not depend on how many rows are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spatialeval.registry import Registry

Generator = Callable[..., Iterator[dict[str, Any]]]

GENERATORS: Registry[Generator] = Registry("generator", "spatialeval.generators")

__all__ = ["GENERATORS", "Generator"]
