"""Pictures that stand in table rows: read once for their digests, then again from the table when somebody asks.

A row carries its bytes as `CellBytes`, which know where they stand; media made of them hold a `Cell`, a digest and a
place. So a data set of many gigabytes is neither held in memory nor copied to other files.
"""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict
from itertools import accumulate, count
from typing import TYPE_CHECKING, Any

from spatialeval.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spatialeval.media import Shelf

BLOCK_ROWS = 64
BLOCK_BYTES = 4 * 2**20
"""Rows are unpacked in blocks of at most so many and about so much: pictures of a few megabytes must not pile up."""

HELD_BYTES = 16 * 2**20
"""Of unpacked blocks, for the next pictures: rows are asked about in about the order in which they stand."""

SMALLEST = 512
"""Bytes of a cell; less is kept, since its place would take no less."""

_CURSORS = 4
"""Places of one file from which reading goes on, for columns and parts of it that are asked about in turns."""


class CellBytes(bytes):
    """The bytes of a cell, and where they stand."""

    shelf: Shelf
    row: int
    path: tuple[str | int, ...]


def placed(row: dict[str, Any], columns: Sequence[str], shelf: Shelf, number: int) -> dict[str, Any]:
    """Return row `number` of `shelf` with bytes in `columns` that know where they stand."""
    return {**row, **{name: _placed(row[name], (name,), shelf, number) for name in columns}}


def _placed(value: Any, path: tuple[str | int, ...], shelf: Shelf, number: int) -> Any:
    if isinstance(value, bytes) and len(value) >= SMALLEST:
        cell = CellBytes(value)
        cell.shelf, cell.row, cell.path = shelf, number, path
        return cell
    if isinstance(value, dict):
        return {key: _placed(inner, (*path, key), shelf, number) for key, inner in value.items()}
    if isinstance(value, list):
        return [_placed(inner, (*path, place), shelf, number) for place, inner in enumerate(value)]
    return value


def columns_of_bytes(schema: Any) -> list[str]:
    """Return the columns of an Arrow schema that hold bytes, alone or within structs and lists."""
    return [field.name for field in schema if _holds_bytes(field.type)]


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only tables need it

    if pa.types.is_struct(kind):
        return any(_holds_bytes(field.type) for field in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _holds_bytes(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


_NUMBERS = count()
"""What held blocks are known by: the id of a shelf that is gone may be another one's."""


class ParquetShelf:
    """A parquet file: all its rows in order, and any cell of them again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = next(_NUMBERS)
        self._lock = threading.Lock()
        self._file: Any = None
        self._starts: list[int] = []
        self._rows: list[int] = []
        self._cursors: OrderedDict[tuple[str, int], tuple[int, Iterator[Any]]] = OrderedDict()

    def columns(self) -> list[str]:
        """Return the names of the columns; raise what pyarrow raises."""
        with _open(self.path) as file:
            return list(file.schema_arrow.names)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows; raise what pyarrow raises."""
        import pyarrow as pa  # noqa: PLC0415 - heavy, and only tables need it

        with _open(self.path) as file:
            columns = columns_of_bytes(file.schema_arrow)
            number = 0
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(batch_size=_block_rows(file, group), row_groups=[group]):
                    for row in batch.to_pylist():
                        yield placed(row, columns, self, number) if columns else row
                        number += 1
        pa.default_memory_pool().release_unused()

    def read(self, row: int, path: tuple[str | int, ...]) -> bytes:
        """Return the bytes of a cell; raise MediaError when the file cannot be read any more."""
        import pyarrow as pa  # noqa: PLC0415 - heavy, and only tables need it

        try:
            column, place = self._block(row, str(path[0]))
            return _inside(column[place], path)
        except (pa.ArrowException, OSError, LookupError, TypeError) as error:
            raise MediaError(
                f"row {row} of {self.path} cannot be read again: {error}. Put the file back and run the same command."
            ) from error

    def at_hand(self, row: int, path: tuple[str | int, ...]) -> bool:
        """Tell whether a cell can be had without reading the file."""
        if self._file is None:
            return False
        group, place = self._locate(row)
        return (self._number, str(path[0]), group, place // self._rows[group]) in _HELD

    def _block(self, row: int, column: str) -> tuple[Any, int]:
        """Return the block of a column that holds a row, and the row's place in it."""
        with self._lock:
            if self._file is None:
                file = _open(self.path)
                groups = range(file.num_row_groups)
                self._starts = [0, *accumulate(file.metadata.row_group(group).num_rows for group in groups)]
                self._rows = [_block_rows(file, group) for group in groups]
                self._file = file
            group, place = self._locate(row)
            rows = self._rows[group]
            number = place // rows
            key = (self._number, column, group, number)
            found = _HELD.get(key)
            return (found if found is not None else self._go_to(column, group, number, rows)), place % rows

    def _locate(self, row: int) -> tuple[int, int]:
        group = bisect.bisect_right(self._starts, row) - 1
        return group, row - self._starts[group]

    def _go_to(self, column: str, group: int, number: int, rows: int) -> Any:
        """Read on to a block, from where reading stopped if that is before it; what lies between is held too."""
        place, blocks = self._cursors.pop((column, group), (0, None))
        if blocks is None or place > number:
            place, blocks = 0, self._file.iter_batches(batch_size=rows, row_groups=[group], columns=[column])
        while True:
            block = next(blocks, None)
            if block is None:
                raise LookupError(f"row group {group} ends before block {number}")
            found = block.column(0)
            _HELD.put((self._number, column, group, place), found)
            place += 1
            if place > number:
                break
        if self._starts[group] + place * rows < self._starts[group + 1]:
            self._cursors[column, group] = (place, blocks)
        while len(self._cursors) > _CURSORS:
            self._cursors.popitem(last=False)
        return found


class MappedShelf:
    """A table of `datasets` in Arrow format, which the operating system maps into memory page by page."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def read(self, row: int, path: tuple[str | int, ...]) -> bytes:
        """Return the bytes of a cell."""
        return _inside(self._table[row : row + 1].column(path[0])[0], path)

    def at_hand(self, row: int, path: tuple[str | int, ...]) -> bool:
        """Tell that nothing is unpacked."""
        del row, path
        return True


def _inside(value: Any, path: tuple[str | int, ...]) -> bytes:
    for step in path[1:]:
        value = value[step]
    found = value.as_py()
    return found if isinstance(found, bytes) else b""


def _open(path: Path) -> Any:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and only tables need it

    # Read ahead or without a buffer, a whole column of a row group lies in memory: for pictures, gigabytes.
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=2**16)


def _block_rows(file: Any, group: int) -> int:
    facts = file.metadata.row_group(group)
    fitting: int = BLOCK_BYTES * facts.num_rows // max(1, facts.total_byte_size)
    return max(1, min(BLOCK_ROWS, fitting))


class _Blocks:
    """The latest blocks of all files, up to HELD_BYTES."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[int, str, int, int], Any] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __contains__(self, key: tuple[int, str, int, int]) -> bool:
        return key in self._blocks

    def get(self, key: tuple[int, str, int, int]) -> Any:
        with self._lock:
            if key in self._blocks:
                self._blocks.move_to_end(key)
            return self._blocks.get(key)

    def put(self, key: tuple[int, str, int, int], block: Any) -> None:
        with self._lock:
            if key not in self._blocks:
                self._bytes += block.nbytes
            self._blocks[key] = block
            self._blocks.move_to_end(key)
            while self._bytes > HELD_BYTES and len(self._blocks) > 1:
                self._bytes -= self._blocks.popitem(last=False)[1].nbytes


_HELD = _Blocks()
