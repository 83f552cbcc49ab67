"""The rows of samples.parquet by their place, a group of rows in memory at a time."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any

from spatialeval.errors import StorageError
from spatialeval.run.results import read_samples
from spatialeval.run.samplefile import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Rows:
    """One run's samples.parquet, open for reading. Rows are best asked for in their order."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        read_samples(folder, ["key"])  # says what is wrong with a file that cannot be read, and what to do about it
        self._ends: list[int] = []
        self._held: tuple[int, tuple[str, ...], Any] | None = None

    def columns(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Return whole columns as lists."""
        found: dict[str, list[Any]] = read_samples(self._path.parent, names).to_pydict()
        return found

    def take(self, places: Sequence[int], names: Sequence[str]) -> list[dict[str, Any]]:
        """Return some rows as mappings, in the order asked for.

        Raises:
            StorageError: when the file is damaged.
        """
        import pyarrow as pa  # noqa: PLC0415 - heavy, and only reports with samples need it
        import pyarrow.parquet as pq  # noqa: PLC0415

        try:
            with pq.ParquetFile(self._path) as file:
                return self._taken(file, places, tuple(names))
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"{self._path} is damaged ({error}). Run its command again.") from error

    def _taken(self, file: Any, places: Sequence[int], names: tuple[str, ...]) -> list[dict[str, Any]]:
        if not self._ends:
            counts = (file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups))
            total = 0
            for count in counts:
                total += count
                self._ends.append(total)
        found: dict[int, dict[str, Any]] = {}
        groups: dict[int, list[int]] = {}
        for place in places:
            groups.setdefault(bisect.bisect_right(self._ends, place), []).append(place)
        for group, members in sorted(groups.items()):
            if self._held is None or self._held[:2] != (group, names):
                self._held = (group, names, file.read_row_group(group, columns=list(names)))
            start = self._ends[group - 1] if group else 0
            taken = self._held[2].take([place - start for place in members]).to_pylist()
            found |= dict(zip(members, taken, strict=True))
        return [found[place] for place in places]
