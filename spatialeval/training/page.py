"""A finished loop as one page: what was gained, curves, cost, and below them the report of all its runs and answers."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from spatialeval.report.html.browse import make_samples
from spatialeval.report.html.making import make_board, task_of
from spatialeval.report.html.page import Lead, render
from spatialeval.report.html.plots import Effect, forest
from spatialeval.report.html.runs import Found, find_runs
from spatialeval.run.files import write_atomically
from spatialeval.training.curves import draw
from spatialeval.training.schema import BASE
from spatialeval.training.telling import EXPLAINED, KINDS, exam_name, measure_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spatialeval.training.load import RecipeFile
    from spatialeval.training.loop import Loop
    from spatialeval.training.outcomes import Gain, Line
    from spatialeval.training.schema import Exam
    from spatialeval.training.stages import Trained

FILE_NAME = "loop.html"
_MEDIA_BYTES = 20_000_000
"""Small pictures in the page, at most."""

Marked = tuple[str, float, str]
"""A run's name among those of its cell, its value, and its place in the page."""


@dataclass(frozen=True)
class _Row:
    line: Line
    greedy: list[Marked]
    pass_1: list[Marked]
    unread: float | None


@dataclass(frozen=True)
class _Exam:
    name: str
    kind: str
    how: str
    rows: list[_Row]
    pairs: list[tuple[str, str, Gain]]
    chart: Markup | None


def write_page(loop: Loop, folder: Path, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Write `loop.html` with every answer in it, or beside it where they are many; return its path.

    Args:
        loop: what is shown.
        folder: of the recipe's results.
        tell: hears why no curves can be drawn.

    Raises:
        StorageError: when a run cannot be read or the page cannot be written.
    """
    names = _names(loop)
    found = _found(list(names), names, folder)
    board = make_board(found)
    places = {run.place.resolve(): shown.id for shown, run in zip(board.runs, found.runs, strict=True)}
    samples = make_samples(board, found.runs, _media(loop.found), _MEDIA_BYTES, folder)
    tasks = {task.name: task_of(task.name) for task in board.tasks}
    file = folder / FILE_NAME
    write_atomically(file, render(board, found.runs, samples, tasks, _lead(loop, places, tell)).encode())
    return file


def _names(loop: Loop) -> dict[Path, str]:
    """Return what the model of each run is called."""
    many = len(loop.seeds) > 1
    named: dict[Path, str] = {}
    for result in loop.results:
        name = f"{result.model}, seed {result.seed}" if many and result.seed is not None else result.model
        for folder in [result.folder, *([result.drawn.folder] if result.drawn else [])]:
            named[folder] = name
    return named


def _found(folders: Sequence[Path], names: Mapping[Path, str], out: Path) -> Found:
    """Return the runs, called as the loop calls their models: the names of their folders tell nothing apart."""
    found = find_runs(folders)
    called = {folder.resolve(): (name, folder.relative_to(out).as_posix()) for folder, name in names.items()}
    runs = []
    for run in found.runs:
        model, name = called[run.place.resolve()]
        about = run.summary.about.model_copy(update={"model": model})
        runs.append(replace(run, name=name, summary=run.summary.model_copy(update={"about": about})))
    return Found(tuple(runs), found.left_out)


def _media(found: RecipeFile) -> Path | None:
    """Return the folder of the exams' pictures where they share one."""
    places: set[Path] = set()
    for exam in found.recipe.evaluate:
        if exam.media or exam.data:
            place = found.below(exam.media or exam.data or "")
            places.add(place if place.is_dir() else place.parent)
    return places.pop() if len(places) == 1 else None


def _lead(loop: Loop, places: Mapping[Path, str], tell: Callable[[str], None]) -> Lead:
    recipe = loop.found.recipe
    exams = [_exam(loop, exam, places) for exam in recipe.evaluate]
    told: dict[str, Any] = {
        "base": BASE,
        "stages": _stages(loop),
        "explained": EXPLAINED.replace("\n", " ").strip(),
        "drawn": any(exam.samples > 1 for exam in recipe.evaluate),
        "exams": exams,
        "count": sum(len(line.gains) for line in loop.lines),
        "curves": list(_curves(loop, tell)),
        "stage_costs": loop.stage_costs,
        "exam_costs": loop.exam_costs,
        "arguments": {one.stage: one.told["identity"]["arguments"] for one in reversed(loop.trained)},
    }
    links = {"gained": "What was gained", "pairs": "Gains", "curves": "Curves", "cost": "Cost"}
    return Lead(f"{recipe.id}: {recipe.title}", links, "loop.html.j2", told)


def _stages(loop: Loop) -> str:
    recipe = loop.found.recipe
    told = [f"{stage.name} ({stage.method.upper()} from {recipe.start_of(stage)})" for stage in recipe.stages]
    seeds = f"seed {loop.seeds[0]}" if len(loop.seeds) == 1 else f"seeds {', '.join(map(str, loop.seeds))}"
    return f"Base: {recipe.base}. Stages: {', '.join(told)}; {seeds}."


def _called(loop: Loop, trained: Trained) -> str:
    return f"{trained.stage}, seed {trained.seed}" if len(loop.seeds) > 1 else trained.stage


def _exam(loop: Loop, exam: Exam, places: Mapping[Path, str]) -> _Exam:
    lines = [line for line in loop.lines if line.exam == exam]
    pairs = [
        (f"{line.model} over {gain.over}", measure_name(gain.measure, exam), gain)
        for line in lines
        for gain in line.gains
    ]
    name = exam_name(exam)
    drawn = [f"{exam.samples} replies at temperature {1.0 if exam.temperature is None else exam.temperature:g}"]
    how = [exam.protocol and f"protocol {exam.protocol}", exam.limit and f"{exam.limit:,} questions at most"]
    how += drawn if exam.samples > 1 else []
    return _Exam(
        name=name,
        kind=KINDS[exam.kind],
        how=", ".join(text for text in how if text),
        rows=[_row(loop, line, places) for line in lines],
        pairs=pairs,
        chart=forest([_effect(*pair) for pair in pairs], f"Gains on {name}") if pairs else None,
    )


def _row(loop: Loop, line: Line, places: Mapping[Path, str]) -> _Row:
    ids = [places[folder.resolve()] for folder in line.folders]
    names = ["run"] if line.model == BASE or len(loop.seeds) == 1 else [f"seed {seed}" for seed in loop.seeds]
    greedy = list(zip(names, line.scores, ids, strict=False))
    drawn = list(zip(names, line.pass_1, ids[len(line.folders) - len(line.pass_1) :], strict=False))
    return _Row(line, greedy, drawn, fmean(line.unread) if line.unread else None)


def _effect(pair: str, what: str, gain: Gain) -> Effect:
    told = gain.paired
    return Effect(f"{pair}, {what}", told.difference, told.low, told.high, told.n)


def _curves(loop: Loop, tell: Callable[[str], None]) -> Iterator[tuple[str, Markup]]:
    """Yield the name of each stage with its curves as the address of a picture, which runs and loads nothing."""
    for trained in sorted(loop.trained, key=lambda one: loop.models.index(one.stage)):
        folder = trained.model.parent
        file = folder / "curves.svg"
        if not file.is_file():
            draw(folder, f"{loop.found.recipe.id}, {trained.stage}, seed {trained.seed}", tell)
        if file.is_file():
            packed = base64.b64encode(file.read_bytes()).decode()
            yield _called(loop, trained), Markup("data:image/svg+xml;base64,{}").format(packed)
