"""The table of a power calculation: how many questions show a difference of so many points."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spatialeval.report.cells import NOTHING, count, percent
from spatialeval.report.layout import Head, Layout, Line
from spatialeval.report.table import print_table
from spatialeval.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from spatialeval.run.power import PowerPlan
    from spatialeval.stats.power import Design

_HEADS = (
    Head("both answer the same questions", "same\nquestions"),
    Head("each answers its own", "own\nquestions"),
)
_AT_HAND = Head("seen with those at hand", "seen with\nthose here")


def print_power(plan: PowerPlan, console: Console) -> None:
    """Print the questions that each difference takes, and what was assumed."""
    console.print()
    paired = plan.paired
    title = f"Questions that show a difference from {percent(paired.score)} % with power {percent(paired.power)} %"
    console.print(_text(f"{title}, at level {percent(paired.level)} %", "bold"))
    console.print()
    lines = [
        Line(
            (f"{100 * row.difference:+.1f} points",),
            [_number(row.paired), _number(row.unpaired), *([_text(_share(row.power))] if plan.questions else [])],
        )
        for row in plan.rows
    ]
    heads = (*_HEADS, *((_AT_HAND,) if plan.questions else ()))
    print_table(console, Layout.fit(("difference",), heads, lines, console.width), [lines])
    console.print()
    for sentence in sentences(plan):
        console.print(_text(sentence))
    console.print()


def sentences(plan: PowerPlan) -> list[str]:
    """Return what was assumed, and what the questions at hand can show."""
    said = []
    if plan.measured:
        told = plan.measured
        runs = " and ".join(map(printable, told.runs))
        said.append(f"From {runs}: {count(told.questions)} questions in {count(told.clusters)} groups.")
    same, own = plan.paired, plan.unpaired
    agree = (
        f"the two differ on {percent(same.differ)} % of them"
        if same.differ is not None
        else f"the two score lists correlate at {same.correlation:.2f}"
    )
    if max(same.group_size, own.group_size) <= 1:
        said.append(f"The same questions: {agree}. Every question stands alone.")
    else:
        said.append(f"The same questions: {agree}; {_groups(same, 'differences')}.")
        said.append(f"Its own questions: {_groups(own, 'scores')}.")
    if plan.questions:
        shown = [NOTHING if one is None else f"{100 * one:.1f}" for one in plan.smallest]
        said.append(f"{count(plan.questions)} questions show a gain of {shown[0]} points; {shown[1]} where unpaired.")
    return said


def as_json(plan: PowerPlan) -> dict[str, Any]:
    """Return everything the table shows, JSON-able; scores and differences are 0 to 1."""
    return asdict(plan)


def _groups(design: Design, what: str) -> str:
    told = f"{what} within groups of {design.group_size:.1f} correlate at {design.icc:.2f}"
    return f"{told}, a design effect of {design.effect:.2f}"


def _number(value: int | None) -> Text:
    return _text(NOTHING if value is None else count(value))


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{percent(value)} %"


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - only commands that print tables pay for it

    return Text(printable(text), style=style)
