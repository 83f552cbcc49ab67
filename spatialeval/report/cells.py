"""Numbers and names as they stand in a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spatialeval.stats import Estimate

NOTHING = "\N{EN DASH}"
"""Stands where there is no value."""

_PIECE = re.compile(r"[^_\-/ ]*[_\-/ ]*")


def percent(value: float | None) -> str:
    """Return a score of 0 to 1 as percent with one decimal."""
    return NOTHING if value is None else f"{100 * value:.1f}"


def score(estimate: Estimate | None) -> str:
    """Return mean and 95 % interval in percent: `71.2 [66.0, 75.9]`."""
    if estimate is None:
        return NOTHING
    if estimate.low is None:
        return percent(estimate.mean)
    return f"{percent(estimate.mean)} {interval(estimate)}"


def interval(estimate: Estimate) -> str:
    """Return the 95 % interval in percent: `[66.0, 75.9]`."""
    return f"[{percent(estimate.low)}, {percent(estimate.high)}]"


def count(number: int) -> str:
    """Return a count with thousands apart."""
    return f"{number:,}"


def some(number: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: `1 reply`, `1,222 replies`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def fold(name: str, width: int) -> str:
    """Return `name` on lines of at most `width` letters, broken behind `_`, `-`, `/` and blanks where there are any."""
    lines = [""]
    for piece in _PIECE.findall(name):
        if piece and lines[-1] and len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)
