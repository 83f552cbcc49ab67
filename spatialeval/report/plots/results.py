"""Which plots results give, and what stands in them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, get_args

from spatialeval.errors import SpatialEvalError
from spatialeval.report.html.board import Kind
from spatialeval.report.html.files import marks, references
from spatialeval.report.html.making import make_board
from spatialeval.report.html.names import apart
from spatialeval.report.html.runs import find_runs, shown_once
from spatialeval.report.plots.charts import (
    SERIES,
    Gap,
    Point,
    against_tokens,
    bars,
    before_after,
    forest,
    heat_map,
    leaderboard,
)
from spatialeval.run.comparison import compare
from spatialeval.run.folder import slug
from spatialeval.run.imported import STRATEGY as IMPORTED
from spatialeval.run.rescore import STRATEGY as SAVED
from spatialeval.stats import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.report.html.board import Board, BoardRun
    from spatialeval.report.html.runs import Run
    from spatialeval.run.ablation import Ablation, Difference
    from spatialeval.run.comparison import Comparison
    from spatialeval.run.robustness import Robustness

_KINDS = get_args(Kind)


def plot_results(places: Sequence[Path], out: Path) -> list[Path]:
    """Draw every plot that the runs below some folders give; return the files.

    Raises:
        UsageError: when there is no run with results.
        MissingDataError: when matplotlib is not installed.
        StorageError: when a file cannot be read or written.
    """
    found = shown_once(find_runs(places))
    board = make_board(found)
    sources = {shown.id: run for shown, run in zip(board.runs, found.runs, strict=True)}
    written: list[Path] = []
    for task in board.tasks:
        runs = sorted(board.of(task.name), key=lambda run: -(run.score.mean if run.score else -1))
        written += _task(board, task.name, runs, sources, out)
    return written + _abilities(board, out)


def _task(board: Board, name: str, runs: list[BoardRun], sources: Mapping[str, Run], out: Path) -> list[Path]:
    task = next(task for task in board.tasks if task.name == name)
    below = f"{name}; {_same([f'protocol {run.protocol}' for run in runs])}; {_same([run.headline for run in runs])}"
    points = [_point(run, runs) for run in runs]
    written = leaderboard((out, _file(name, "leaderboard")), points, (task.title, below), dict(references(task, runs)))
    summaries = {run.id: sources[run.id].summary for run in runs}
    shown = [run for run in runs if run.score][:SERIES]
    names = list(dict.fromkeys(row.name for run in shown for row in summaries[run.id].categories))
    groups: dict[str, list[Point]] = {category: [] for category in names}
    chance: dict[str, float] = {}
    for series, run in enumerate(shown):
        rows = {row.name: row for row in summaries[run.id].categories}
        for category in names:
            row = rows.get(category)
            groups[category].append(Point(_label(run, runs), row.score if row else None, series))
            if row and row.chance is not None:
                chance[category] = row.chance
    if len(names) > 1:
        best = f"; the best {SERIES} of {len(runs)} runs" if len(runs) > SERIES else ""
        written += bars((out, _file(name, "categories")), groups, (f"{task.title}: by category", below + best), chance)
    if sum(bool(point.tokens) for point in points) > 1:
        written += against_tokens((out, _file(name, "tokens")), points, (f"{task.title}: score against tokens", below))
    return written + _asked(name, task.title, runs, sources, out)


def _asked(name: str, title: str, runs: Sequence[BoardRun], sources: Mapping[str, Run], out: Path) -> list[Path]:
    """Draw what other strategies and views are worth, for each model that was asked in several ways."""
    ways: defaultdict[tuple[str, str, str], dict[str, BoardRun]] = defaultdict(dict)
    for run in runs:
        if run.kind != "baseline":
            ways[run.model, run.protocol, run.setting].setdefault(run.strategy, run)
    written: list[Path] = []
    for (model, protocol, setting), held in ways.items():
        base = held.get("plain")
        others = [run for run in held.values() if run is not base]
        if base is None or not others:
            continue
        gaps = []
        for other in others:
            try:
                compared = compare(sources[base.id].place, sources[other.id].place)
            except SpatialEvalError:  # other data, or a vote: the two cannot be compared question by question
                continue
            cell = compared.others[0].rows[-1]
            headline = next((row for row in compared.others[0].rows if row.name == compared.headline), cell)
            gaps += _gap(other.strategy, headline)
        if gaps:
            told = f"{title}: ways of asking {model}", f"{name}; protocol {protocol}{'; ' + setting if setting else ''}"
            written += forest((out, _file(name, model, protocol, setting, "asking")), gaps, told, base="plain")
    return written


def _abilities(board: Board, out: Path) -> list[Path]:
    """Draw models x abilities; an ability is the mean over its tasks, each weighing the same."""
    held: defaultdict[str, dict[str, dict[str, Estimate]]] = defaultdict(lambda: defaultdict(dict))
    for run in board.runs:
        task = next(task for task in board.tasks if task.name == run.task)
        if run.score and run.kind == "model" and run.default:
            for ability in task.abilities:
                held[_label(run, board.of(run.task))][ability].setdefault(run.task, run.score)
    wanted: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for ability in sorted({ability for row in held.values() for ability in row}):
        wanted[frozenset(task for row in held.values() for task in row.get(ability, {}))].append(ability)
    if len(wanted) < 2:  # one task, or tasks that all ask the same abilities: the leaderboard says it
        return []
    rows = list(held)
    # Only where all tasks of an ability were asked: means over other tasks are no comparison.
    cells = [
        [
            _mean(list(held[row][names[0]].values())) if held[row].get(names[0], {}).keys() == tasks else None
            for tasks, names in wanted.items()
        ]
        for row in rows
    ]
    kept = [place for place, row in enumerate(cells) if any(row)]
    rows, cells = [rows[place] for place in kept], [cells[place] for place in kept]
    columns = [", ".join(names) for names in wanted.values()]
    below = f"in %, with half the 95 % interval; mean over the tasks of an ability, of {len(board.tasks)} tasks"
    return heat_map((out, "abilities"), rows, columns, cells, ("Scores by ability", below))


def _mean(scores: Sequence[Estimate]) -> Estimate:
    """Return the mean over tasks, which are independent; no interval where one has none."""
    mean = sum(score.mean for score in scores) / len(scores)
    n = sum(score.n for score in scores)
    if any(score.low is None or score.high is None for score in scores):
        return Estimate(mean, None, None, None, n, n, None)
    half = sum(((score.high or 0) - (score.low or 0)) ** 2 for score in scores) ** 0.5 / 2 / len(scores)
    return Estimate(mean, mean - half, mean + half, None, n, n, "t")


def plot_ablations(ablations: Sequence[Ablation], out: Path) -> list[Path]:
    """Draw what each way of asking is worth, on the headline and on every category."""
    written: list[Path] = []
    for ablation in ablations:
        base = ablation.arms[0].strategy
        model = ablation.arms[0].outcome.summary.about.model
        gaps = [
            gap
            for place in range(len(ablation.rows[0]))
            for arm, row in zip(ablation.arms[1:], ablation.rows[1:], strict=True)
            for gap in _gap(f"{row[place].name}: {arm.strategy}", row[place])
        ]
        told = f"What ways of asking are worth: {ablation.task}", f"{model}; protocol {ablation.protocol}"
        written += forest((out, _file(ablation.task, model, "ablation")), gaps, told, base)
    return written


def plot_comparison(found: Comparison, out: Path) -> list[Path]:
    """Draw the differences of each run to the first, on every category and part."""
    written: list[Path] = []
    for other in found.others:
        gaps = [gap for row in other.rows for gap in _gap(row.name, row)]
        told = f"{found.base.summary.about.title}: {other.name}", f"against {found.name}; {other.shared:,} questions"
        written += forest((out, _file("compare", other.name)), gaps, told, found.name)
    return written


def plot_robustness(found: Sequence[Robustness], out: Path) -> list[Path]:
    """Draw scores of the same questions unchanged and changed, for every transform."""
    written: list[Path] = []
    for each in found:
        rows = {
            f"{row.name} ({row.kind})": (row.plain, row.changed, row.gap.n)
            for row in each.rows
            if row.plain and row.changed and row.gap
        }
        model = each.plain.outcome.summary.about.model
        told = f"What survives a change: {each.task}", f"{model}; protocol {each.protocol}; strategy {each.strategy}"
        written += before_after((out, _file(each.task, model, "robustness")), rows, told) if rows else []
    return written


def _gap(name: str, row: Difference) -> list[Gap]:
    found = row.paired
    return [Gap(name, found.difference, found.low, found.high, found.n)] if found else []


def _point(run: BoardRun, others: Sequence[BoardRun]) -> Point:
    tokens = run.tokens.prompt + run.tokens.completion
    return Point(
        _label(run, others),
        run.score,
        _KINDS.index(run.kind),
        f"[{', '.join(marks(run))}]" if marks(run) else "",
        tokens / run.samples if tokens and run.samples else None,
    )


def _label(run: BoardRun, others: Sequence[BoardRun]) -> str:
    usual = run.strategy in {"plain", SAVED, IMPORTED}
    return " \N{MIDDLE DOT} ".join([run.model, *([] if usual else [run.strategy]), *apart(run, others)])


def _same(names: Sequence[str | None]) -> str:
    """Return what all have in common, or that they differ."""
    found = {name for name in names if name}
    return found.pop() if len(found) == 1 else "several protocols or headlines" if found else ""


def _file(*names: str) -> str:
    """Return the name of a file without its ending."""
    return ".".join(slug(name) for name in names if name)
