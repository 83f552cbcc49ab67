"""What the page's section of one task shows: tables, remarks, and charts with the numbers they are drawn from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from spatialeval.report.html.arms import Stored, arms_of, survivals_of
from spatialeval.report.html.charts import SERIES, Bar, Group, category_bars, legend
from spatialeval.report.html.files import coverage, reasons
from spatialeval.report.html.names import name_of
from spatialeval.report.html.plots import Effect, Point, forest, scatter
from spatialeval.report.html.tables import grid
from spatialeval.report.notes import notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from spatialeval.report.html.arms import Arms
    from spatialeval.report.html.board import Board, BoardRun, BoardTask
    from spatialeval.report.html.runs import Run
    from spatialeval.report.html.tables import Grid
    from spatialeval.run.summary import Row, Summary
    from spatialeval.tasks import Task

_BARS_MOST = 40
"""Categories in one chart; more are in the heat map only."""
_POINTS_MOST = 40
"""Runs in one scatter plot."""


def section(board: Board, shown: BoardTask, sources: Mapping[str, Run], task: Task | None) -> dict[str, Any]:
    """Return what the section of one task shows."""
    runs = board.of(shown.name)
    summaries = {run.id: sources[run.id].summary for run in runs}
    charted = _charted(runs)
    made = partial(grid, [run for run in runs if run.kind != "changed"], summaries)
    categories, facets = made(lambda summary: summary.categories), made(lambda summary: summary.facets)
    parts = made(lambda summary: summary.parts)
    bars = _category_bars(shown.name, charted, summaries, categories)
    stored = Stored(sources, task)
    return {
        "task": shown,
        "runs": runs,
        "bars": bars,
        "chance": any(value is not None for value in categories.chance),
        "legend": legend([name_of(run, charted) for run in charted]) if bars else None,
        "left": len(runs) - len(charted),
        "grids": [
            (title, each)
            for title, each in (("Categories", categories), ("Facets", facets), ("Means", parts))
            if each.names
        ],
        "notes": _notes(runs, summaries),
        "arms": [(arms, _forest(shown.name, arms)) for arms in arms_of(runs, stored)],
        "survived": survivals_of(runs, stored),
        "cost": _costs(shown.name, runs),
    }


def _category_bars(
    task: str, charted: Sequence[BoardRun], summaries: Mapping[str, Summary], categories: Grid
) -> Markup | None:
    if not charted or not 1 < len(categories.names) <= _BARS_MOST:
        return None
    groups = [
        Group(name, _bars(name, charted, summaries), chance)
        for name, chance in zip(categories.names, categories.chance, strict=True)
    ]
    return category_bars(groups, f"Score per category of {task}")


def _notes(runs: Sequence[BoardRun], summaries: Mapping[str, Summary]) -> list[tuple[bool, str, list[str]]]:
    """Return every different remark once: whether it is grave, its text, and the runs that it is about."""
    found: dict[tuple[bool, str], list[str]] = {}
    for run in runs:
        for note in notes(summaries[run.id]):
            # What views cannot ask is no fault of the run.
            found.setdefault((note.grave and not run.complete, note.text), []).append(name_of(run, runs))
        if covered := coverage(run):
            text = f"{covered.capitalize()} questions; its views leave out {reasons(run)}."
            found.setdefault((False, text), []).append(name_of(run, runs))
    order = sorted(found.items(), key=lambda item: not item[0][0])
    return [(grave, text, ["every run"] if len(names) == len(runs) > 1 else names) for (grave, text), names in order]


def _charted(runs: Sequence[BoardRun]) -> list[BoardRun]:
    """Return the runs that the bars show: the best, models before baselines; runs on changed questions are left out."""
    scored = [run for run in runs if run.score is not None and run.kind != "changed"]
    order = sorted(scored, key=lambda run: (run.kind == "baseline", -(run.score.mean if run.score else 0)))
    return order[:SERIES]


def _bars(name: str, runs: Sequence[BoardRun], summaries: Mapping[str, Summary]) -> list[Bar]:
    def row(run: BoardRun) -> Row | None:
        return next((each for each in summaries[run.id].categories if each.name == name), None)

    found = [(place, run, row(run)) for place, run in enumerate(runs)]
    return [Bar(place, name_of(run, runs), each.score if each else None) for place, run, each in found]


def _forest(task: str, arms: Arms) -> Markup:
    base = arms.runs[0]
    effects = [
        Effect(run.strategy, cell.paired.difference, cell.paired.low, cell.paired.high, cell.paired.n)
        for run, cell in zip(arms.runs, arms.headline, strict=True)
        if cell.paired
    ]
    return forest(effects, f"What strategies change against {base.strategy}, {base.model} on {task}, in points")


def _costs(task: str, every: Sequence[BoardRun]) -> dict[str, Any] | None:
    """Return the chart of scores against what a question costs, where at least two runs cost differently."""
    runs = [run for run in every if not run.cached_answers]  # what their answers cost is not all of it known
    priced = [run for run in runs if run.cost is not None]
    told = [run for run in runs if run.tokens.completion]
    unit = "US dollars per question" if len(priced) >= max(2, len(told)) else "tokens out per question"
    points = [
        Point(name_of(run, every), run.kind, _cost(run, unit), run.score)
        for run in sorted(runs, key=lambda run: -(run.score.mean if run.score else 0))
        if run.score and run.kind != "changed" and _cost(run, unit)
    ][:_POINTS_MOST]
    if len(points) < 2:
        return None
    chart = scatter(points, f"Score of {task} in percent against {unit}", unit)
    return {"chart": chart, "names": [point.name for point in points], "unit": unit}


def _cost(run: BoardRun, unit: str) -> float:
    total = run.cost if unit.startswith("US dollars") else run.tokens.completion
    return (total or 0) / max(1, run.total)
