"""What the page's tables hold: models x tasks, and on each task's section parts, categories and facets x runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

from spatialeval.report.cells import percent
from spatialeval.report.html.files import references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spatialeval.report.html.board import Board, BoardRun, BoardTask
    from spatialeval.run.summary import Row, Summary
    from spatialeval.stats import Estimate

_Z = NormalDist().inv_cdf(0.975)
_Asked: TypeAlias = tuple[str, str, str, str, str]
DEFAULT = "default"
"""Stands for every task's own protocol, whatever it is called there."""


@dataclass(frozen=True)
class Line:
    """One line of the leaderboard: a model asked in one way, and its run on each task."""

    model: str
    protocol: str
    strategy: str
    setting: str
    kind: str
    cells: Mapping[str, BoardRun]
    again: bool = False
    """Whether the same was asked in the same way before: then its folders tell the lines apart."""

    @property
    def folder(self) -> str:
        """The folder that holds all its runs."""
        folders = [PurePosixPath(run.folder) for run in self.cells.values()]
        shared = [
            parts[0] for parts in zip(*(folder.parts for folder in folders), strict=False) if len(set(parts)) == 1
        ]
        return "/".join(shared) or ", ".join(dict.fromkeys(map(str, folders)))

    @property
    def apart(self) -> list[str]:
        """What its model, protocol and strategy do not say."""
        return [*([self.setting] if self.setting else []), *([self.folder] if self.again else [])]

    def mean(self, tasks: Sequence[str]) -> tuple[float, float] | None:
        """Return the mean over `tasks` and half the width of its interval; None when a score is lacking.

        Tasks are taken as independent; each weighs the same.
        """
        runs = [self.cells.get(task) for task in tasks]
        scores = [run.score for run in runs if run and run.score and run.complete]
        if not scores or len(scores) < len(tasks) or any(score.se is None for score in scores):
            return None
        variance = math.fsum((score.se or 0.0) ** 2 for score in scores)
        return math.fsum(score.mean for score in scores) / len(scores), _Z * math.sqrt(variance) / len(scores)


def board_lines(board: Board) -> list[Line]:
    """Return the lines, the best mean first; a second run of the same kind on a task begins a line of its own."""
    lines: dict[tuple[_Asked, int], dict[str, BoardRun]] = {}
    for run in board.runs:
        if run.kind == "changed":  # scores of other questions: in the tables of robustness
            continue
        protocol = DEFAULT if run.default else run.protocol
        key = (run.model, protocol, run.strategy, run.setting, run.kind)
        again = 0
        while run.task in lines.get((key, again), {}):
            again += 1
        lines.setdefault((key, again), {})[run.task] = run
    made = [Line(*key, cells, again=(key, 1) in lines) for (key, _), cells in lines.items()]
    names = [task.name for task in board.tasks]
    return sorted(made, key=lambda line: _order(line, names))


def _order(line: Line, tasks: Sequence[str]) -> tuple[object, ...]:
    mean = line.mean(tasks)
    best = max((run.score.mean for run in line.cells.values() if run.score), default=-1.0)
    kinds = ("model", "changed", "blind", "baseline")
    return kinds.index(line.kind), mean is None, -(mean[0] if mean else best), line.model, line.protocol, line.strategy


@dataclass(frozen=True)
class Grid:
    """Scores of runs (lines) x names (columns), such as categories."""

    names: Sequence[str]
    lines: Sequence[tuple[BoardRun, Sequence[Row | None]]]
    chance: Sequence[float | None]
    majority: Sequence[float | None]


def grid(runs: Sequence[BoardRun], summaries: Mapping[str, Summary], pick: Callable[[Summary], Sequence[Row]]) -> Grid:
    """Return the grid of the rows that `pick` takes from every summary, in their first order of appearance."""
    held = {run.id: {row.name: row for row in pick(summaries[run.id])} for run in runs}
    names = list(dict.fromkeys(name for rows in held.values() for name in rows))
    lines = [(run, [held[run.id].get(name) for name in names]) for run in runs]
    return Grid(names, lines, _same(names, held, "chance"), _same(names, held, "majority"))


def _same(names: Sequence[str], held: Mapping[str, Mapping[str, Row]], field: str) -> list[float | None]:
    """Return the value that all runs agree on, per name; None where they do not."""
    found: list[float | None] = []
    for name in names:
        values = {getattr(rows[name], field) for rows in held.values() if name in rows} - {None}
        found.append(values.pop() if len(values) == 1 else None)
    return found


@dataclass(frozen=True)
class Ability:
    """A line's mean over `held` of the `wanted` tasks that ask for an ability; `reach` is half its interval."""

    mean: float
    reach: float
    held: int
    wanted: int


def abilities(board: Board) -> tuple[list[str], list[tuple[Line, list[Ability | None]]]]:
    """Return the abilities that tasks ask for, and per line of the leaderboard the mean over the tasks of each."""
    names = list(dict.fromkeys(ability for task in board.tasks for ability in task.abilities))
    asking = [[task.name for task in board.tasks if name in task.abilities] for name in names]
    lines = [(line, [_ability(line, tasks) for tasks in asking]) for line in board_lines(board)]
    return names, [(line, cells) for line, cells in lines if any(cells)]


def _ability(line: Line, tasks: Sequence[str]) -> Ability | None:
    held = [task for task in tasks if (run := line.cells.get(task)) and run.complete and run.score]
    mean = line.mean(held)
    return Ability(*mean, len(held), len(tasks)) if mean else None


def reference_lines(board: Board) -> list[tuple[str, list[str]]]:
    """Return the reference rows below the leaderboard: name, and a text per task."""
    per_task = [_texts(task, board.of(task.name)) for task in board.tasks]
    names = ("chance", "best constant answer", "human, published")
    return [(name, [texts.get(name, "") for texts in per_task]) for name in names if any(name in t for t in per_task)]


def _texts(task: BoardTask, runs: list[BoardRun]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in references(task, runs):
        found.setdefault(name.removesuffix(", lowest").removesuffix(", highest"), []).append(percent(value))
    return {name: " to ".join(dict.fromkeys(values)) for name, values in found.items()}


def shade(estimate: Estimate | None) -> str:
    """Return the class that colours a cell: ten steps from 0 to 1."""
    return "" if estimate is None else step(estimate.mean)


def step(value: float) -> str:
    """Return the class that colours a number of 0 to 1."""
    return f"h{min(9, int(value * 10))}"
