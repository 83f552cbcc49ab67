"""Curves over steps: small panels in one figure, each with its own scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.report.plots.canvas import PALETTE, canvas, label, title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_COLUMNS = 2


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        name: what its axis shows, with the unit.
        series: name -> (steps, values).
        share: whether the values are shares of 1, so that the axis is 0 to 1.
    """

    name: str
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    share: bool = False


def curves(place: tuple[Path, str], panels: Sequence[Panel], told: tuple[str, str]) -> list[Path]:
    """Draw the panels side by side, two in a row.

    Args:
        place: folder and name of the files.
        panels: in their order; a panel draws at most eight series.
        told: title, and a line below it.

    Raises:
        MissingDataError: when matplotlib is not installed.
        StorageError: when a file cannot be written.
    """
    written: list[Path] = []
    rows = -(-len(panels) // _COLUMNS)
    with canvas(*place, 8, 2.1 * rows, written) as (figure, axes):
        axes.remove()
        spots = figure.subplots(rows, _COLUMNS, squeeze=False).flat
        for panel, spot in zip(panels, spots, strict=False):
            for (name, (steps, values)), color in zip(panel.series.items(), PALETTE, strict=False):
                marker = "o" if len(steps) < 30 else ""
                spot.plot(steps, values, color=color, linewidth=1.3, marker=marker, markersize=3, label=label(name, 24))
            spot.set_ylabel(label(panel.name, 34))
            spot.set_xlabel("step")
            spot.grid(axis="y")
            if panel.share:
                spot.set_ylim(-0.03, 1.03)
            if len(panel.series) > 1:
                spot.legend(fontsize=7, loc="best")
        for spot in list(spots):
            spot.remove()
        title(figure, *told)
    return written
