"""Which files hold a task's rows, below the path that the user gave."""

from __future__ import annotations

from itertools import islice
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from spatialeval.data.lines import TABLES, is_table
from spatialeval.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_files(data: Path, patterns: Sequence[str] = ()) -> list[Path]:
    """Return the files with the rows.

    Args:
        data: a file, which is used as it is, or a folder.
        patterns: glob patterns below the folder, such as "random/*.jsonl"; each must match, if not plainly then with
            .gz behind it. `a|b` takes what matches a, or else b: the same data laid out in two ways. Without any
            pattern, every supported file directly inside the folder is taken.

    Returns:
        The files in the order of the patterns and, within one, of their paths; none twice.

    Raises:
        MissingDataError: `data` does not exist.
        DataError: a pattern matches nothing, or leads out of the folder.
    """
    if data.is_file():
        return [data]
    if not data.is_dir():
        raise MissingDataError(f"{data} does not exist. Pass the file or the folder with the rows as --data.")
    if not patterns:
        found = sorted(path for path in data.iterdir() if path.is_file() and is_table(path) and not _hidden(path, data))
        if not found:
            raise DataError(
                f"{data} holds no file that can be read ({', '.join(TABLES)}); {_contents(data)} "
                "Pass the folder with the rows, or the file itself, as --data."
            )
        return found
    return list(dict.fromkeys(path for pattern in patterns for path in _matches(data, pattern)))


def _matches(data: Path, pattern: str) -> list[Path]:
    for one in pattern.split("|"):
        if PureWindowsPath(one).anchor or not one or ".." in PureWindowsPath(one).parts:
            raise DataError(f"the pattern {one!r} leads out of {data}. Write it relative to the folder, without '..'.")
        if found := _visible(data, one) or _visible(data, f"{one}.gz"):
            return found
    raise DataError(
        f"{data} holds nothing that matches {pattern!r}; {_contents(data)} "
        "Pass the folder that holds it, or the file itself, as --data."
    )


def _visible(data: Path, pattern: str) -> list[Path]:
    return sorted(path for path in data.glob(pattern) if path.is_file() and not _hidden(path, data))


def _hidden(path: Path, data: Path) -> bool:
    # Downloads keep bookkeeping in .cache, and some systems drop ._name beside each file.
    return any(part.startswith(".") for part in path.relative_to(data).parts)


def _contents(data: Path) -> str:
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in islice(data.iterdir(), 1000))
    if not names:
        return "the folder is empty."
    return f"it holds {', '.join(names[:10])}{' ...' if len(names) > 10 else ''}."
