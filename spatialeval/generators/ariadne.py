"""Drawn mazes by difficulty: each row has the size, the path length and the number of turns of its cell.

The axes are those of Ariadne (arXiv 2511.00710, MingheShen/Ariadne), which draws AlphaMaze's; the mazes are our own.
"""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from spatialeval.errors import UsageError
from spatialeval.generators import GENERATORS
from spatialeval.generators.ariadne_picture import png
from spatialeval.generators.maze import carve
from spatialeval.mazes import STEPS, Cell, Maze, beyond

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ARIADNE_VERSION = 1
"""Raised whenever the same parameters give other mazes."""

_MOST_TRIES = 400
_SMALLEST = 2


class Difficulty(NamedTuple):
    """One cell of difficulty: cells along each side, moves of the path, and how often it turns."""

    size: int
    length: int
    turns: int


@GENERATORS.register("ariadne")
def ariadne(
    *,
    seed: int,
    rows: int,
    sizes: Sequence[int] = (4, 6),
    lengths: Sequence[int] = (1, 2, 3, 4, 5, 6),
    turns: Sequence[int] = (0, 1, 2, 3),
) -> Iterator[dict[str, Any]]:
    """Yield drawn mazes, one of every cell of difficulty in turn; row i is the same however many are asked for.

    Every maze has one path between any two cells, so length and turns are those of the only way. Cells that no maze
    can have (two turns in two moves) are left out. A row has `id`, `maze` (as tokens), `image` (PNG bytes),
    `solution` (the moves), `size`, `length`, `turns` and `cell` ("6x6, 5 moves, 2 turns").

    Args:
        seed: the same seed gives the same mazes.
        rows: how many mazes.
        sizes: cells along each side.
        lengths: moves of the path.
        turns: how often the path turns.

    Raises:
        UsageError: no cell is possible, or the mazes of one are too rare to be found.
    """
    cells = _possible(sizes, lengths, turns)
    return (_row(seed, index, cells[index % len(cells)]) for index in range(rows))


def _possible(sizes: Sequence[int], lengths: Sequence[int], turns: Sequence[int]) -> list[Difficulty]:
    if min(sizes, default=0) < _SMALLEST or min(lengths, default=0) < 1 or min(turns, default=-1) < 0:
        raise UsageError(
            f"ariadne: sizes {list(sizes)}, lengths {list(lengths)} and turns {list(turns)}: give at least one of each,"
            f" sizes of {_SMALLEST} or more, lengths of 1 or more and turns of 0 or more."
        )
    cells = [Difficulty(*cell) for cell in product(sizes, lengths, turns)]
    possible = [cell for cell in cells if cell.turns < cell.length <= (cell.turns + 1) * (cell.size - 1)]
    if not possible:
        raise UsageError(
            f"ariadne: no maze of sizes {list(sizes)} has a path of lengths {list(lengths)} with turns {list(turns)}; "
            "a path turns at most once less than it moves."
        )
    return possible


def _row(seed: int, index: int, cell: Difficulty) -> dict[str, Any]:
    made = _find(f"ariadne {ARIADNE_VERSION} {seed} {index}", cell)
    return {
        "id": f"ariadne-{seed}-{index:05d}",
        "maze": made.tokens(),
        "image": png(made),
        "solution": ", ".join(made.solution() or ()),
        "size": cell.size,
        "length": cell.length,
        "turns": cell.turns,
        "cell": f"{cell.size}x{cell.size}, {_several(cell.length, 'move')}, {_several(cell.turns, 'turn')}",
    }


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _find(seed: str, cell: Difficulty) -> Maze:
    """Return the first maze of the cell's difficulty among mazes carved at random."""
    places = [Cell(row, column) for row in range(cell.size) for column in range(cell.size)]
    for attempt in range(_MOST_TRIES):
        random = Random(f"{seed} {attempt}")  # noqa: S311  # rows, not secrets
        walls = {place: frozenset(sides) for place, sides in carve(random, places).items()}
        for origin in random.sample(places, len(places)):
            maze = Maze(cell.size, cell.size, walls, origin, origin)
            targets = [place for place, reached in ways(maze).items() if reached == (cell.length, cell.turns)]
            if targets:
                return Maze(cell.size, cell.size, walls, origin, random.choice(targets))
    raise UsageError(
        f"ariadne: {_MOST_TRIES} mazes of {cell.size} x {cell.size} cells held no path of {cell.length} moves with "
        f"{cell.turns} turns; leave that length or that number of turns out."
    )


def ways(maze: Maze) -> dict[Cell, tuple[int, int]]:
    """Return for every cell of a maze without loops how many moves and turns lead there from the origin."""
    reached = {maze.origin: (0, 0)}
    waiting: list[tuple[Cell, str]] = [(maze.origin, "")]
    while waiting:
        here, before = waiting.pop()
        length, turned = reached[here]
        for move in STEPS:
            following = beyond(here, move)
            if move not in maze.walls[here] and following not in reached:
                reached[following] = (length + 1, turned + (before not in {"", move}))
                waiting.append((following, move))
    return reached
