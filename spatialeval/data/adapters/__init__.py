"""Adapters read the rows of formats that are no table. A task file names one by `adapter`.

    @ADAPTERS.register("my_format")
    def my_format(path: Path) -> Iterator[dict[str, Any]]: ...

An adapter opens its file with `spatialeval.data.lines.text_lines` or `open_bytes`, which bound and check gzip and
UTF-8, and raises DataError naming file and line for what it does not understand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from spatialeval.registry import Registry

Adapter = Callable[[Path], Iterator[dict[str, Any]]]

ADAPTERS: Registry[Adapter] = Registry("adapter", "spatialeval.data.adapters")

__all__ = ["ADAPTERS", "Adapter"]
