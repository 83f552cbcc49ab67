"""What a strategy raised by mistake, as an error that names its line: strategies are often somebody's own code."""

from __future__ import annotations

import inspect
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spatialeval.errors import SpatialEvalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spatialeval.strategies import Strategy


@contextmanager
def blaming(strategy: Strategy) -> Iterator[None]:
    """Raise UsageError for whatever the strategy raises by mistake; errors raised on purpose pass."""
    try:
        yield
    except SpatialEvalError:
        raise
    except Exception as error:  # a strategy is foreign code: it may raise anything
        name = getattr(strategy, "name", type(strategy).__name__)
        told = f" ({error})" if str(error) else ""
        raise UsageError(
            f"strategy {name!r} raised {type(error).__name__}{told} at {_place(strategy, error)}. "
            "Mend it there and run the same command again; what was answered is kept."
        ) from error


def _place(strategy: Strategy, error: Exception) -> str:
    """Return the last line of the strategy's own file on the way to the error, else the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    try:
        file = inspect.getfile(type(strategy))
    except (OSError, TypeError):  # a class that was typed in has no file
        file = ""
    frame = next((frame for frame in reversed(frames) if frame.filename == file), frames[-1])
    return f"{frame.filename}:{frame.lineno}, in {frame.name}"
