"""What a plug-in raised by mistake, as an error that names its line: strategies, views, readers are often one's own."""

from __future__ import annotations

import inspect
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spatialeval.errors import SpatialEvalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def blaming(kind: str, thing: object) -> Iterator[None]:
    """Raise UsageError for whatever a thing of this kind raises by mistake; errors raised on purpose pass."""
    try:
        yield
    except SpatialEvalError:
        raise
    except Exception as error:  # foreign code may raise anything
        told = f" ({error})" if str(error) else ""
        raise UsageError(
            f"{kind} {_name(thing)!r} raised {type(error).__name__}{told} at {_place(thing, error)}. "
            "Mend it there and run the same command again; what was answered is kept."
        ) from error


def _name(thing: object) -> str:
    """Return the name in its registry, or of the function that made it."""
    made = getattr(thing, "__qualname__", type(thing).__name__).partition(".<locals>")[0]
    return str(getattr(thing, "name", made))


def _place(thing: object, error: Exception) -> str:
    """Return the last line of the thing's own file on the way to the error, else the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    try:
        file = inspect.getfile(thing if inspect.isroutine(thing) else type(thing))
    except (OSError, TypeError):  # a class that was typed in has no file
        file = ""
    frame = next((frame for frame in reversed(frames) if frame.filename == file), frames[-1])
    return f"{frame.filename}:{frame.lineno}, in {frame.name}"
