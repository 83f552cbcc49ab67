"""Charts with two axes as inline SVG: differences with their intervals, and scores against what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from spatialeval.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spatialeval.stats import Estimate

_LABEL, _PLOT, _RIGHT, _ROW, _TOP = 210, 480, 60, 24, 26
_LONGEST_LABEL, _LONGEST_NAME = 32, 400
_TICKS = 6
_NEAR = 9
"""Dots so near share a label."""
_WIDE = 20
"""A range of costs whose ends differ by more than this factor is drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Effect:
    """One line of a forest plot: a difference, -1 to 1, with its 95 % interval."""

    name: str
    difference: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Point:
    """One run of a scatter plot: what it cost per question, and its score."""

    name: str
    kind: str
    cost: float
    score: Estimate


def opening(kind: str, size: tuple[float, float], title: str, described: str) -> Markup:
    """Return the start of a chart that a screen reader reads as one picture with a name and a description."""
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>'
    ).format(kind, *size, printable(f"{title}. {described}"), printable(title), printable(described))


def shortened(name: str, most: int = _LONGEST_LABEL) -> str:
    """Return a printable name of at most so many letters."""
    shown = printable(name)
    return shown if len(shown) <= most else shown[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def forest(effects: Sequence[Effect], title: str) -> Markup:
    """Return differences in points as dots with whiskers around a line at zero."""
    reach = max([abs(end) for one in effects for end in (one.difference, one.low, one.high) if end is not None])
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if reach <= step * _TICKS or step == 0.5)
    ends = step * math.ceil(max(reach, step) / step)
    height = _TOP + _ROW * len(effects) + 8

    def x(value: float) -> float:
        return round(_LABEL + _PLOT * (value + ends) / (2 * ends), 1)

    count = round(ends / step)
    parts = [opening("bars", (_LABEL + _PLOT + _RIGHT, height), title, "The table beside it has the same numbers.")]
    for place in range(-count, count + 1):
        value = 100 * step * place
        parts.append(
            Markup(
                '<line class="{kind}" x1="{x}" x2="{x}" y1="{top}" y2="{end}"/>'
                '<text class="tick" x="{x}" y="{y}" text-anchor="middle">{told}</text>'
            ).format(
                kind="grid" if place else "zero",
                x=x(step * place),
                top=_TOP - 6,
                end=height - 6,
                y=_TOP - 11,
                told=f"{value:+.0f}" + (" points" if place == count else "") if place else "0",
            )
        )
    for row, one in enumerate(effects):
        parts.append(_effect(one, _TOP + _ROW * row + _ROW / 2, x))
    return Markup("").join([*parts, Markup("</svg>")])


def _effect(one: Effect, y: float, x: Callable[[float], float]) -> Markup:
    told = f"{shortened(one.name, _LONGEST_NAME)}: {100 * one.difference:+.1f} points, n {one.n:,}"
    parts = [
        Markup('<text class="name" x="{}" y="{}" text-anchor="end">{}<title>{}</title></text>').format(
            _LABEL - 10, y + 4, shortened(one.name), shortened(one.name, _LONGEST_NAME)
        )
    ]
    if one.low is not None and one.high is not None:
        told += f", 95 % interval {100 * one.low:+.1f} to {100 * one.high:+.1f}"
        parts.append(
            Markup('<path class="whisker" d="M{low} {y}H{high}M{low} {a}V{b}M{high} {a}V{b}"/>').format(
                low=x(one.low), high=x(one.high), y=y, a=y - 4, b=y + 4
            )
        )
    parts.append(
        Markup('<circle class="s0" cx="{}" cy="{}" r="5"><title>{}</title></circle>').format(x(one.difference), y, told)
    )
    return Markup("").join(parts)


def scatter(points: Sequence[Point], title: str, unit: str) -> Markup:
    """Return scores against cost, a number beside each dot; dots of baselines and blind runs are hollow."""
    costs = [point.cost for point in points]
    low, high = min(costs), max(costs)
    logarithmic = low > 0 and high / low > _WIDE
    left, width, top, height = 60, 640, 16, 300

    def x(cost: float) -> float:
        share = math.log(cost / low) / math.log(high / low) if logarithmic else cost / high
        return round(left + 20 + (width - 40) * share, 1)

    def y(score: float) -> float:
        return round(top + height * (1 - score), 1)

    parts = [opening("bars", (left + width + 40, top + height + 48), title, "The table of runs has the same numbers.")]
    parts += [_across(percent, y(percent / 100), left, left + width) for percent in range(0, 101, 20)]
    marks = [low, math.sqrt(low * high), high] if logarithmic else [0, high / 2, high]
    for cost in marks if high > low else [high]:
        parts.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                x(cost), top + height + 16, f"{cost:,.3g}"
            )
        )
    axis = f"{unit}, logarithmic" if logarithmic else unit
    parts.append(
        Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            left + width / 2, top + height + 36, axis
        )
    )
    placed: dict[tuple[int, int], list[int]] = {}
    for number, point in enumerate(points, 1):
        parts.append(_point(number, point, x(point.cost), y, unit))
        placed.setdefault((round(x(point.cost) / _NEAR), round(y(point.score.mean) / _NEAR)), []).append(number)
    for numbers in placed.values():
        point = points[numbers[0] - 1]
        parts.append(
            Markup('<text class="name" x="{}" y="{}">{}</text>').format(
                x(point.cost) + 8, y(point.score.mean) - 5, ", ".join(map(str, numbers))
            )
        )
    return Markup("").join([*parts, Markup("</svg>")])


def _across(percent: int, y: float, left: float, right: float) -> Markup:
    return Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/><text class="tick" x="{}" y="{}" text-anchor="end">'
        "{}</text>"
    ).format(left, right, left - 8, y + 4, f"{percent} %" if percent == 100 else percent, y=y)


def _point(number: int, point: Point, x: float, y: Callable[[float], float], unit: str) -> Markup:
    mean, low, high = point.score.mean, point.score.low, point.score.high
    told = f"{number} {shortened(point.name, _LONGEST_NAME)}: {100 * mean:.1f} %, {point.cost:,.4g} {unit}"
    whisker = Markup("")
    if low is not None and high is not None:
        whisker = Markup('<path class="whisker" d="M{} {}V{}"/>').format(x, y(low), y(high))
    kind = "s0" if point.kind == "model" else "hollow"
    return whisker + Markup('<circle class="{}" cx="{}" cy="{}" r="5"><title>{}</title></circle>').format(
        kind, x, y(mean), told
    )
