"""From runs to the board: names and reference rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval._version import __version__
from spatialeval.errors import SpatialEvalError
from spatialeval.report.html.board import BASELINES, BLIND, Board, BoardRun, BoardTask, LeftOut, Published
from spatialeval.report.html.ranking import ranked
from spatialeval.specs import parse_spec
from spatialeval.tasks import load_task
from spatialeval.tasks.catalogue import base_name
from spatialeval.tasks.suites import expand, suites
from spatialeval.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spatialeval.report.html.board import Kind
    from spatialeval.report.html.runs import Found, Run
    from spatialeval.run.summary import About, Summary
    from spatialeval.tasks import Task
    from spatialeval.tasks.schema import Reference


def make_board(found: Found) -> Board:
    """Return the board of all runs found."""
    names = list(dict.fromkeys(run.summary.about.task for run in found.runs))
    known = {name: task_of(name) for name in names}
    members = {name: _members(name) for name in suites()}
    titles = {run.summary.about.task: run.summary.about.title for run in found.runs}
    headlines = {run.summary.about.task: run.summary.headline for run in found.runs}
    tasks = tuple(_board_task(name, titles[name], headlines[name], known[name], members) for name in names)
    plain = [_board_run(number, run, known[run.summary.about.task]) for number, run in enumerate(found.runs, 1)]
    sources = {shown.id: run for shown, run in zip(plain, found.runs, strict=True)}
    runs = tuple(ranked(plain, sources, known))
    return Board(version=__version__, tasks=tasks, runs=runs, left_out=found.left_out)


def task_of(name: str) -> Task | None:
    """Return the task; None when its file is not here any more, which takes only references from the report."""
    try:
        return load_task(name)
    except SpatialEvalError:
        return None


def _members(suite: str) -> set[str]:
    try:
        return {parse_spec(name)[0] for name in expand([suite])}
    except SpatialEvalError:
        return set()


def _board_task(
    name: str, title: str, headline: str | None, task: Task | None, members: dict[str, set[str]]
) -> BoardTask:
    names = {parse_spec(name)[0], base_name(name)}
    published = tuple(map(_published, task.spec.reference)) if task else ()
    humans = [row.score for row in published if row.role == "human" and row.part in {None, headline}]
    return BoardTask(
        name=name,
        title=title,
        abilities=tuple(task.spec.about.abilities) if task else (),
        modalities=tuple(task.spec.about.modalities) if task else (),
        suites=tuple(suite for suite, inside in members.items() if names & inside),
        human=next((score for score in humans if score is not None), None),
        published=published,
    )


def _published(row: Reference) -> Published:
    return Published(
        model=row.model,
        role=row.role,
        protocol=row.protocol,
        source=row.source,
        score=None if row.headline is None else row.headline / row.scale,
        part=row.part,
        gives=None if row.gives is None else row.gives / row.scale,
        scores={name: value / row.scale for name, value in row.scores.items()},
        note=row.note,
    )


def _board_run(number: int, run: Run, task: Task | None) -> BoardRun:
    summary, about = run.summary, run.summary.about
    part = next((row for row in summary.parts if row.headline), None)
    return BoardRun(
        id=f"r{number}",
        folder=run.name,
        task=about.task,
        protocol=about.protocol,
        default=about.protocol == (task.spec.default_protocol if task else "official"),
        strategy=about.strategy,
        model=about.model,
        setting="; ".join(_setting(about)),
        kind=_kind(about),
        headline=summary.headline,
        score=summary.score,
        rank=None,
        complete=summary.complete and not _lacks(summary),
        partial=about.expected is not None and summary.samples + sum(summary.skipped.values()) != about.expected,
        skipped=tuple(LeftOut(reason=reason, samples=number) for reason, number in summary.skipped.items()),
        same=len(run.same),
        verified=about.verified,
        total=summary.total,
        samples=summary.samples,
        counts=summary.counts,
        chance=part.chance if part else None,
        majority=part.majority if part else None,
        tokens=summary.tokens,
        cached_answers=summary.cached_answers,
        cost=summary.cost_usd,
        data=about.data,
        scores_version=about.scores_version,
    )


def _lacks(summary: Summary) -> bool:
    """Tell whether a category lacks scored answers that was asked, or that no view left out."""
    asked = {row.name for row in summary.categories}
    return any(not summary.skipped or name in asked for name in summary.missing_categories)


def _kind(about: About) -> Kind:
    if about.model.partition(":")[0].partition("(")[0] in BASELINES:
        return "baseline"
    views = [part.partition("(")[0] for part in about.strategy.split("+")[1:]]
    if BLIND & set(views):
        return "blind"
    return "changed" if any(map(_changes, views)) else "model"


def _changes(name: str) -> bool:
    """Tell whether a view asks other questions than the task's: one form each, and a claim about what becomes of it."""
    try:
        view = VIEWS.get(name)()
    except (SpatialEvalError, TypeError):  # it came from a distribution that is not installed here
        return True
    return hasattr(view, "kind") and view.reduce == "each"


def _setting(about: About) -> Iterable[str]:
    yield from about.changed
    if about.judge:
        yield f"judge {about.judge}"
    if about.origin:
        yield f"imported from {about.origin}"
