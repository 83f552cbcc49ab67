"""Bytes and lines of local files, plain or gzipped, with errors that name the file and the line."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING

from spatialeval.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Buffer

TABLES = (".parquet", ".jsonl", ".json", ".csv", ".tsv")
"""Suffixes that are read without an adapter; all but parquet also with `.gz` behind them."""

MAX_UNPACKED = 8 * 2**30
"""Bytes that one gzip file may unpack to: a bomb of a few megabytes would fill the memory otherwise."""

MAX_LINE = 2**30
"""Bytes of one line; a longer one is no table."""


def suffix(path: Path) -> str:
    """Return the lower-case suffix that says the format: ".jsonl" for rows.jsonl and for rows.jsonl.gz."""
    name = path.name.lower().removesuffix(".gz")
    return name[name.rfind(".") :] if "." in name else ""


def is_table(path: Path) -> bool:
    """Tell whether `read_files` reads this file without an adapter."""
    found = suffix(path)
    return found in TABLES and not (found == ".parquet" and path.name.lower().endswith(".gz"))


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file for reading, unpacked when it ends in .gz; raise MissingDataError or DataError."""
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty (0 bytes): the copy or the download did not finish; fetch it again.")
        if path.suffix.lower() == ".gz":
            return io.BufferedReader(_Unpacked(path, MAX_UNPACKED), buffer_size=2**18)
        return path.open("rb")
    except FileNotFoundError:
        raise MissingDataError(f"{path} does not exist. Check the path given to --data.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror or error}. Check its permissions.") from error


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their line ends; raise DataError naming the line that is not UTF-8."""
    with open_bytes(path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise DataError(f"{path}:{number}: the line is longer than {MAX_LINE} bytes: this is not a text table.")
            yield decode(line, path, number)


def decode(data: bytes, path: Path, line: int = 1) -> str:
    """Return UTF-8 text that starts at `line` of `path`, without a byte order mark; raise DataError otherwise."""
    try:
        return data.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        place = line + data.count(b"\n", 0, error.start)
        raise DataError(
            f"{path}:{place}: not UTF-8 (byte {data[error.start]:#04x}). Save the file as UTF-8 and try again."
        ) from None


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a gzip file, at most `limit` of them, with damage reported as DataError."""

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__()
        self._path, self._limit, self._total = path, limit, 0
        self._stream = gzip.open(path, "rb")  # noqa: SIM115 - closed by close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        try:
            count = self._stream.readinto(buffer)
        except EOFError:
            raise DataError(f"{self._path} is cut off in the middle of its gzip data: fetch it again.") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{self._path} is not valid gzip ({error}): fetch it again, or drop the .gz.") from None
        self._total += count
        if self._total > self._limit:
            raise DataError(
                f"{self._path} unpacks to more than {self._limit} bytes, over the limit. "
                "If the file is really that large, unpack it yourself and pass the result."
            )
        return count

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
