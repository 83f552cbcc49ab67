"""Charts as inline SVG, drawn here: no library, no style attribute (the page's policy allows none)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from spatialeval.report.cells import score
from spatialeval.report.html.plots import opening, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.stats import Estimate

SERIES = 6
"""Runs in one chart: as many as the palette keeps apart."""

_LABEL, _PLOT, _RIGHT, _BAR, _GAP, _TOP = 210, 480, 60, 11, 12, 22
_LONGEST_LABEL, _LONGEST_NAME = 30, 400


@dataclass(frozen=True)
class Bar:
    """One bar: whose it is (its place in the legend, its name), and how long."""

    series: int
    name: str
    estimate: Estimate | None


@dataclass(frozen=True)
class Group:
    """The bars of one category, and what guessing gives there."""

    name: str
    bars: Sequence[Bar]
    chance: float | None


def category_bars(groups: Sequence[Group], title: str) -> Markup:
    """Return horizontal bars from 0 to 100 %, with whiskers for the 95 % intervals and a dashed line for chance."""
    heights = [max(1, len(group.bars)) * _BAR + _GAP for group in groups]
    height, width = _TOP + sum(heights) + 8, _LABEL + _PLOT + _RIGHT
    parts = [opening("bars", (width, height), title, "The table below has the same numbers.")]
    parts += [_tick(percent, height) for percent in range(0, 101, 20)]
    top = _TOP
    for group, tall in zip(groups, heights, strict=True):
        parts.append(_group(group, top, tall))
        top += tall
    return Markup("").join([*parts, Markup("</svg>")])


def _tick(percent: int, height: int) -> Markup:
    x = _x(percent / 100)
    return Markup(
        '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{end}"/>'
        '<text class="tick" x="{x}" y="{y}" text-anchor="middle">{percent}</text>'
    ).format(x=x, top=_TOP - 4, end=height - 6, y=_TOP - 9, percent=f"{percent} %" if percent == 100 else percent)


def _group(group: Group, top: float, tall: float) -> Markup:
    name, short = shortened(group.name, _LONGEST_NAME), shortened(group.name, _LONGEST_LABEL)
    middle = top + (tall - _GAP) / 2 + 4
    parts = [
        Markup('<text class="name" x="{}" y="{}" text-anchor="end">{}<title>{}</title></text>').format(
            _LABEL - 10, middle, short, name
        )
    ]
    parts += [_bar(bar, name, top + place * _BAR) for place, bar in enumerate(group.bars)]
    if group.chance is not None:
        parts.append(
            Markup('<line class="chance" x1="{x}" x2="{x}" y1="{y1}" y2="{y2}"><title>{told}</title></line>').format(
                x=_x(group.chance), y1=top - 2, y2=top + tall - _GAP + 2, told=f"chance {100 * group.chance:.1f} %"
            )
        )
    return Markup("").join(parts)


def _bar(bar: Bar, category: str, top: float) -> Markup:
    told = f"{shortened(bar.name, _LONGEST_NAME)}, {category}: {score(bar.estimate)}"
    if bar.estimate is None:
        return Markup('<text class="tick" x="{}" y="{}">no score<title>{}</title></text>').format(
            _x(0) + 3, top + _BAR - 2, told
        )
    mean, low, high = bar.estimate.mean, bar.estimate.low, bar.estimate.high
    drawn = Markup('<rect class="s{}" x="{}" y="{}" width="{}" height="{}" rx="1"><title>{}</title></rect>').format(
        bar.series, _x(0), top, max(1.0, round(_PLOT * mean, 1)), _BAR - 2, told
    )
    if low is None or high is None:
        return drawn
    middle = top + (_BAR - 2) / 2
    return drawn + Markup('<path class="whisker" d="M{low} {y}H{high}M{low} {a}V{b}M{high} {a}V{b}"/>').format(
        low=_x(low), high=_x(high), y=middle, a=middle - 2.5, b=middle + 2.5
    )


def _x(share: float) -> float:
    return round(_LABEL + _PLOT * share, 1)


def legend(names: Sequence[str]) -> Markup:
    """Return the list of series."""
    key = '<svg class="key" viewBox="0 0 12 12" aria-hidden="true"><rect class="s{}" width="12" height="12"/></svg>'
    item = Markup(f"<li>{key} <bdi>{{}}</bdi></li>")  # noqa: S704 - literals of ours
    items = (item.format(place, shortened(name, _LONGEST_NAME)) for place, name in enumerate(names))
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))
