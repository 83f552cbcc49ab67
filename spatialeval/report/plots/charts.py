"""The charts: leaderboard, categories, heat map, forest, unchanged against changed, score against tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.report.cells import NOTHING
from spatialeval.report.plots.canvas import FAINT, INK, MARKERS, PALETTE, canvas, label, title, whiskers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.stats import Estimate

UNITS = "score in %, with its 95 % interval"
SERIES = len(PALETTE)


@dataclass(frozen=True)
class Point:
    """A named score.

    Attributes:
        name: whose.
        estimate: 0 to 1; None where there is none.
        series: its colour and marker.
        remark: what a reader must know, such as "incomplete".
        tokens: per question, where they are known.
    """

    name: str
    estimate: Estimate | None
    series: int = 0
    remark: str = ""
    tokens: float | None = None


@dataclass(frozen=True)
class Gap:
    """A named difference in scores, -1 to 1, with its interval."""

    name: str
    difference: float
    low: float | None
    high: float | None
    n: int


def leaderboard(
    place: tuple[Path, str], points: Sequence[Point], told: tuple[str, str], references: Mapping[str, float]
) -> list[Path]:
    """Draw scores as points with intervals, the best on top, and reference lines such as chance.

    Args:
        place: folder and name of the files.
        points: in the order to be drawn, top first.
        told: title, and a line below it.
        references: name -> score.
    """
    written: list[Path] = []
    shown = [point for point in points if point.estimate]
    with canvas(*place, 8, 1.1 + 0.3 * len(shown) + 0.14 * len(references), written) as (figure, axes):
        for y, point in enumerate(shown):
            estimate = point.estimate
            if estimate is None:
                continue
            whiskers(axes, 100 * estimate.mean, y, _ends(estimate), PALETTE[point.series], marker=MARKERS[point.series])
        names = [_named(point) for point in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(len(shown) - 0.5, -0.6 - 0.45 * len(references))
        for line, (name, value) in enumerate(sorted(references.items(), key=lambda pair: pair[1])):
            axes.axvline(100 * value, color=FAINT, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
            axes.text(100 * value, -0.7 - 0.45 * line, f" {name}", fontsize=7.5, color=INK, va="center")
        axes.set_xlim(0, 101.5)
        axes.set_xlabel(UNITS)
        axes.grid(axis="x")
        title(figure, *told)
    return written


def bars(
    place: tuple[Path, str], groups: Mapping[str, Sequence[Point]], told: tuple[str, str], chance: Mapping[str, float]
) -> list[Path]:
    """Draw a group of horizontal bars per category, with whiskers, and a line for chance where it is known."""
    written: list[Path] = []
    legend: dict[int, str] = {}
    rows = sum(len(points) for points in groups.values())
    with canvas(*place, 8, 1.5 + 0.17 * rows + 0.14 * len(groups), written) as (figure, axes):
        y, ticks = 0.0, []
        for points in groups.values():
            top = y
            for point in points:
                if point.estimate:
                    legend.setdefault(point.series, point.name)
                    mean = 100 * point.estimate.mean
                    axes.barh(y, mean, 0.86, color=PALETTE[point.series], zorder=2)
                    low, high = _ends(point.estimate)
                    if low is not None and high is not None:
                        axes.plot([low, high], [y, y], color=INK, linewidth=1, zorder=3)
                y += 1
            ticks.append((top + y - 1) / 2)
            y += 0.8
        for (name, points), middle in zip(groups.items(), ticks, strict=True):
            if name in chance:
                half = len(points) / 2
                axes.plot([100 * chance[name]] * 2, [middle - half, middle + half], color=INK, linestyle=":", zorder=4)
        axes.set_yticks(ticks, [_counted(name, points) for name, points in groups.items()])
        axes.set_ylim(y - 0.6, -0.8)
        axes.set_xlim(0, 101.5)
        axes.set_xlabel(f"{UNITS}; dotted: chance" if chance else UNITS)
        axes.grid(axis="x")
        from matplotlib.patches import Patch  # noqa: PLC0415 - heavy, and an extra

        handles = [Patch(color=PALETTE[series], label=label(name)) for series, name in sorted(legend.items())]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        title(figure, *told)
    return written


def heat_map(
    place: tuple[Path, str], rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Estimate | None]],
    told: tuple[str, str],
) -> list[Path]:  # fmt: skip
    """Draw a table of scores, each with half the width of its interval, coloured from 0 to 100."""
    written: list[Path] = []
    width = 3.6 + 0.95 * len(columns)
    with canvas(*place, max(width, 6.5), 1.6 + 0.42 * len(rows), written) as (figure, axes):
        values = [[float("nan") if cell is None else 100 * cell.mean for cell in row] for row in cells]
        drawn = axes.imshow(values, cmap="cividis", vmin=0, vmax=100, aspect="auto")
        for y, row in enumerate(cells):
            for x, cell in enumerate(row):
                color = INK if cell is None or cell.mean > 0.6 else "white"  # cividis is dark below
                axes.text(x, y, _short(cell) if cell else NOTHING, ha="center", va="center", color=color, fontsize=8)
        axes.set_xticks(range(len(columns)), [label(name, 18) for name in columns], rotation=30, ha="right")
        axes.set_yticks(range(len(rows)), [label(name, 34) for name in rows])
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        figure.colorbar(drawn, ax=axes, label="score in %", shrink=0.8)
        title(figure, *told)
    return written


def forest(place: tuple[Path, str], gaps: Sequence[Gap], told: tuple[str, str], base: str) -> list[Path]:
    """Draw differences to a base with their intervals; those that hold zero are hollow."""
    written: list[Path] = []
    with canvas(*place, 8, 1.1 + 0.34 * len(gaps), written) as (figure, axes):
        for y, gap in enumerate(gaps):
            tie = gap.low is None or gap.high is None or gap.low <= 0 <= gap.high
            ends = (None if gap.low is None else 100 * gap.low, None if gap.high is None else 100 * gap.high)
            color = PALETTE[0] if gap.difference >= 0 else PALETTE[1]
            fill = {"markerfacecolor": "white"} if tie else {}
            whiskers(axes, 100 * gap.difference, y, ends, color, marker="s", **fill)
        axes.axvline(0, color=INK, linewidth=1, zorder=1)
        axes.set_yticks(range(len(gaps)), [f"{label(gap.name)} (n {gap.n:,})" for gap in gaps])
        axes.set_ylim(len(gaps) - 0.5, -0.6)
        reach = max([abs(value) for value in axes.get_xlim()] + [1])
        axes.set_xlim(-reach, reach)
        axes.set_xlabel(f"points against {label(base)}, paired, with 95 % intervals; hollow: the interval holds zero")
        axes.grid(axis="x")
        title(figure, *told)
    return written


def before_after(
    place: tuple[Path, str], rows: Mapping[str, tuple[Estimate, Estimate, int]], told: tuple[str, str]
) -> list[Path]:
    """Draw, for each transform, the score of the same questions unchanged and changed."""
    written: list[Path] = []
    with canvas(*place, 8, 1.3 + 0.44 * len(rows), written) as (figure, axes):
        for y, (plain, changed, _) in enumerate(rows.values()):
            axes.plot([100 * plain.mean, 100 * changed.mean], [y - 0.14, y + 0.14], color=FAINT, linewidth=1)
            for estimate, series, shift in ((plain, 0, -0.14), (changed, 1, 0.14)):
                whiskers(
                    axes, 100 * estimate.mean, y + shift, _ends(estimate), PALETTE[series], marker=MARKERS[series],
                    label=("unchanged", "changed")[series] if y == 0 else None,
                )  # fmt: skip
        axes.set_yticks(range(len(rows)), [f"{label(name)} (n {n:,})" for name, (_, _, n) in rows.items()])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, 101.5)
        axes.set_xlabel(f"{UNITS}, of the questions that the transform could change")
        axes.grid(axis="x")
        figure.legend(loc="outside lower right", ncols=2)
        title(figure, *told)
    return written


def against_tokens(place: tuple[Path, str], points: Sequence[Point], told: tuple[str, str]) -> list[Path]:
    """Draw scores against the tokens that a question takes, on a logarithmic axis."""
    written: list[Path] = []
    with canvas(*place, 8, 4.8, written) as (figure, axes):
        for point in points:
            if point.estimate is None or not point.tokens:
                continue
            low, high = _ends(point.estimate)
            color, marker = PALETTE[point.series], MARKERS[point.series]
            if low is not None and high is not None:
                axes.plot([point.tokens] * 2, [low, high], color=color, linewidth=1.2)
            axes.plot([point.tokens], [100 * point.estimate.mean], marker=marker, color=color, linestyle="none")
            axes.annotate(
                label(point.name, 30), (point.tokens, 100 * point.estimate.mean), xytext=(6, 3),
                textcoords="offset points", fontsize=7.5,
            )  # fmt: skip
        from matplotlib.ticker import FuncFormatter, LogLocator  # noqa: PLC0415 - heavy, and an extra

        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.margins(x=0.25)
        axes.set_ylim(0, 101.5)
        axes.set_xlabel("tokens of a question, sent and received (logarithmic)")
        axes.set_ylabel(UNITS)
        axes.grid()
        title(figure, *told)
    return written


def _ends(estimate: Estimate) -> tuple[float | None, float | None]:
    low, high = estimate.low, estimate.high
    return None if low is None else 100 * low, None if high is None else 100 * high


def _named(point: Point) -> str:
    n = f" (n {point.estimate.n:,})" if point.estimate else ""
    return f"{label(point.name)}{n}{' ' + point.remark if point.remark else ''}"


def _counted(name: str, points: Sequence[Point]) -> str:
    counts = {point.estimate.n for point in points if point.estimate}
    return f"{label(name, 30)} (n {counts.pop():,})" if len(counts) == 1 else label(name, 30)


def _short(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.mean:.0f}"
    return f"{100 * estimate.mean:.0f} \N{PLUS-MINUS SIGN} {50 * (estimate.high - estimate.low):.0f}"
