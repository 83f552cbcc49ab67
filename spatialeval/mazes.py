"""Mazes in the AlphaMaze token format: reading, writing, walking and solving them.

A maze is text, one line per row and one triple per cell, such as `<|0-0|><|up_left_wall|><|origin|>`: the coordinates
`<|row-column|>`, the walls (`no` or a list of up, down, left, right in that order) and a mark (`origin`, `target` or
`blank`). Every wall between two cells is written on both. Format and walking rule: menloresearch/visual-thinker:
benchmark/utils.py.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Cell(NamedTuple):
    """A place in a maze, counted from 0 at the upper left."""

    row: int
    column: int


STEPS: Mapping[str, Cell] = {"up": Cell(-1, 0), "down": Cell(1, 0), "left": Cell(0, -1), "right": Cell(0, 1)}
"""The moves, in the order in which walls are written, and what each adds to a cell."""

OPPOSITE: Mapping[str, str] = {"up": "down", "down": "up", "left": "right", "right": "left"}


def beyond(cell: Cell, move: str) -> Cell:
    """Return the cell next to `cell` in the direction of `move`."""
    step = STEPS[move]
    return Cell(cell.row + step.row, cell.column + step.column)


@dataclass(frozen=True, slots=True)
class Walk:
    """How a walk through a maze went.

    Attributes:
        solved: no wall was crossed, the grid was not left, and the walk ended exactly on the target.
        end: where it ended, or stood when it failed.
        problem: why it is not solved; empty when it is.
    """

    solved: bool
    end: Cell
    problem: str = ""


@dataclass(frozen=True)
class Maze:
    """A rectangular maze.

    Attributes:
        rows: number of rows.
        columns: number of columns.
        walls: for each cell the directions that are closed.
        origin: where a walk starts.
        target: where it has to end.
    """

    rows: int
    columns: int
    walls: Mapping[Cell, frozenset[str]]
    origin: Cell
    target: Cell

    def walk(self, moves: Iterable[str]) -> Walk:
        """Follow `moves` from the origin; names that are no moves do nothing, as in the published rule."""
        here = self.origin
        for number, move in enumerate(moves, start=1):
            if move not in STEPS:
                continue
            if move in self.walls[here]:
                return Walk(solved=False, end=here, problem=f"move {number} ({move}) meets a wall")
            following = beyond(here, move)
            if following not in self.walls:
                return Walk(solved=False, end=here, problem=f"move {number} ({move}) leaves the maze")
            here = following
        if here != self.target:
            return Walk(solved=False, end=here, problem="the walk does not end on the target")
        return Walk(solved=True, end=here)

    def distances(self) -> dict[Cell, int]:
        """Return for every reachable cell the number of moves from the origin."""
        distances: dict[Cell, int] = {self.origin: 0}
        for cell, (_, before) in self._arrivals().items():
            distances[cell] = distances[before] + 1
        return distances

    def solution(self) -> tuple[str, ...] | None:
        """Return a shortest path from origin to target, or None when there is none."""
        arrivals = self._arrivals()
        moves: list[str] = []
        here = self.target
        while here != self.origin:
            if here not in arrivals:
                return None
            move, here = arrivals[here]
            moves.append(move)
        return tuple(reversed(moves))

    def search(self) -> list[Cell]:
        """Return the cells that a depth-first search passes, from the origin to the target or, without a way, back.

        It tries the moves in the order of STEPS, never enters a cell twice but to step back, and stops at the target.
        """
        seen, way, passed = {self.origin}, [self.origin], [self.origin]
        while way[-1] != self.target:
            ways = (beyond(way[-1], move) for move in STEPS if move not in self.walls[way[-1]])
            following = next((cell for cell in ways if cell in self.walls and cell not in seen), None)
            if following is None:
                way.pop()
                if not way:
                    break
            else:
                seen.add(following)
                way.append(following)
            passed.append(way[-1])
        return passed

    def _arrivals(self) -> dict[Cell, tuple[str, Cell]]:
        """Return for every cell but the origin the move that first reaches it and the cell before, breadth first."""
        arrivals: dict[Cell, tuple[str, Cell]] = {}
        waiting = deque([self.origin])
        while waiting:
            here = waiting.popleft()
            for move in STEPS:
                following = beyond(here, move)
                open_way = move not in self.walls[here] and following in self.walls
                if open_way and following not in arrivals and following != self.origin:
                    arrivals[following] = (move, here)
                    waiting.append(following)
        return arrivals

    def tokens(self) -> str:
        """Return the maze in the token format, byte for byte as AlphaMaze writes it."""
        return "\n".join(
            "".join(self._triple(Cell(row, column)) for column in range(self.columns)) for row in range(self.rows)
        )

    def _triple(self, cell: Cell) -> str:
        walls = "_".join(move for move in STEPS if move in self.walls[cell]) or "no"
        mark = "origin" if cell == self.origin else "target" if cell == self.target else "blank"
        return f"<|{cell.row}-{cell.column}|><|{walls}_wall|><|{mark}|>"


def move_tokens(moves: Iterable[str]) -> str:
    """Return `moves` as tokens: "<|up|><|left|>"."""
    return "".join(f"<|{move}|>" for move in moves)


_TOKEN = re.compile(r"<\|([^|]*)\|>")
_PLACE = re.compile(r"([0-9]{1,4})-([0-9]{1,4})")


def parse_maze(text: str) -> Maze:
    """Return the maze that `text` describes.

    Raises:
        DataError: `text` is no complete rectangular maze with one origin and one target, or the two sides of a wall
            disagree; the message names the cell.
    """
    tokens = _TOKEN.findall(text)
    if not tokens or len(tokens) % 3:
        raise DataError(
            f"A maze has three <|...|> tokens per cell; this text has {len(tokens)}. Check the row's maze column."
        )
    walls: dict[Cell, frozenset[str]] = {}
    marked: dict[str, list[Cell]] = {"origin": [], "target": [], "blank": []}
    for place, closed, mark in zip(tokens[::3], tokens[1::3], tokens[2::3], strict=True):
        cell = _parse_place(place)
        if cell in walls:
            raise DataError(f"Maze cell {place} is described twice. Check the row's maze column.")
        if mark not in marked:
            raise DataError(f"Maze cell {place} is marked {mark!r}; expected origin, target or blank.")
        walls[cell] = _parse_walls(place, closed)
        marked[mark].append(cell)
    rows, columns = max(cell.row for cell in walls) + 1, max(cell.column for cell in walls) + 1
    _check_grid(walls, rows, columns)
    return Maze(rows, columns, walls, _the_only(marked["origin"], "origin"), _the_only(marked["target"], "target"))


def _parse_place(place: str) -> Cell:
    match = _PLACE.fullmatch(place)
    if match is None:
        raise DataError(f"<|{place}|> stands where the maze should have coordinates such as <|0-1|>.")
    return Cell(int(match[1]), int(match[2]))


def _parse_walls(place: str, closed: str) -> frozenset[str]:
    if closed == "no_wall":
        return frozenset()
    walls = closed.removesuffix("_wall").split("_")
    if not closed.endswith("_wall") or not set(walls) <= set(STEPS):
        raise DataError(f"Maze cell {place} has walls {closed!r}; expected a list such as up_left_wall, or no_wall.")
    return frozenset(walls)


def _check_grid(walls: Mapping[Cell, frozenset[str]], rows: int, columns: int) -> None:
    if len(walls) != rows * columns:
        missing = next(
            f"{row}-{column}" for row in range(rows) for column in range(columns) if (row, column) not in walls
        )
        raise DataError(f"Maze cell {missing} is missing from a maze of {rows} x {columns} cells.")
    for cell, closed in walls.items():
        for move in STEPS:
            other = beyond(cell, move)
            if other in walls and (move in closed) != (OPPOSITE[move] in walls[other]):
                raise DataError(
                    f"Maze cells {cell.row}-{cell.column} and {other.row}-{other.column} disagree on the wall between "
                    "them: it must be written on both or on neither."
                )


def _the_only(cells: list[Cell], mark: str) -> Cell:
    if len(cells) != 1:
        raise DataError(f"A maze needs one {mark}; this one has {len(cells)}.")
    return cells[0]
