"""What all plots share: colours that the colour-blind tell apart, fonts, and how a figure becomes files."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from spatialeval.errors import MissingDataError
from spatialeval.run.storage import unwritable
from spatialeval.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
"""Okabe and Ito 2008, Color Universal Design (jfly.uni-koeln.de/color), in an order that keeps neighbours apart."""
INK, FAINT = "#222222", "#8a8a8a"
MARKERS = "osD^vP*X"
"""One per colour, so that no series is told by its colour alone."""

_NEEDED = "Plots need matplotlib: pip install 'spatialeval[plots]'."
_DOTS_PER_INCH = 160
_LONGEST = 46
_HEAD = 0.52
"""Inches for title and subtitle."""
_STYLE = {
    "text.parse_math": False,  # a dollar sign in a model's name is one
    "svg.fonttype": "none",  # text stays text: to be searched, and read aloud
    "svg.hashsalt": "spatialeval",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
}


@contextmanager
def canvas(folder: Path, name: str, width: float, height: float, written: list[Path]) -> Iterator[tuple[Figure, Axes]]:
    """Yield a figure of so many inches and its axes; then write it as SVG and PNG and add the files to `written`.

    Raises:
        MissingDataError: when matplotlib is not installed.
        StorageError: when a file cannot be written.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - heavy, and an extra
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure as NewFigure  # noqa: PLC0415
    except ImportError as error:
        raise MissingDataError(_NEEDED) from error
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in letters that the font lacks is drawn as boxes
        figure = NewFigure(figsize=(width, height + _HEAD), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.set_axisbelow(True)
        yield figure, axes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for ending, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": _DOTS_PER_INCH})):
                file = folder / f"{name}.{ending}"
                figure.savefig(file, **options)
                written.append(file)
        except OSError as error:
            raise unwritable(folder, error) from error


def check_matplotlib() -> None:
    """Raise MissingDataError where plots cannot be drawn, before the work that they would show."""
    if sys.modules.get("matplotlib", True) is None or find_spec("matplotlib") is None:
        raise MissingDataError(_NEEDED)


def label(text: str, longest: int = _LONGEST) -> str:
    """Return a name for an axis: safe to draw, and shortened in the middle where it is long."""
    text = re.sub(r"\s+", " ", printable(text))
    half = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"


def title(figure: Figure, text: str, below: str = "") -> None:
    """Write the title above everything, and a smaller line below it."""
    width, height = figure.get_size_inches()
    room = int(width * 12)  # letters of the smaller line that fit
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 1 - _HEAD / height))
    figure.text(0.1 / width, 1 - 0.12 / height, label(text, int(room * 0.75)), fontsize=11, weight="bold", va="top")
    figure.text(0.1 / width, 1 - 0.34 / height, label(below, room), fontsize=8, color="#666666", va="top")


def whiskers(axes: Axes, x: float, y: float, ends: tuple[float | None, float | None], color: str, **style: Any) -> None:
    """Draw a point and its horizontal interval; a point alone where there is no interval."""
    low, high = ends
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=color, linewidth=1.6, solid_capstyle="butt", zorder=2)
    axes.plot([x], [y], color=color, linestyle="none", zorder=3, **{"marker": "o", "markersize": 5.5, **style})
