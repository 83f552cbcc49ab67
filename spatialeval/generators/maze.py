"""Generated mazes in the AlphaMaze token format: any size, bounded path length, with or without loops."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from spatialeval.errors import UsageError
from spatialeval.generators import GENERATORS
from spatialeval.mazes import OPPOSITE, STEPS, Cell, Maze, beyond, move_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

MAZE_VERSION = 1
"""Raised whenever the same parameters give other mazes."""

_MOST_TRIES = 1000
_LONGEST = {"easy": 4, "medium": 8}


@GENERATORS.register("maze")
def maze(
    *, seed: int, rows: int, size: int = 5, min_path: int = 1, max_path: int | None = None, loops: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Yield rows of solvable mazes; row i is the same however many rows are asked for.

    A row has `id`, `maze` (the tokens), `size`, `path_length`, `solution` (one shortest path), `search` (the
    coordinates passed by a depth-first search for the target, steps back included, as a thought would list them), and
    `level`: easy up to 4 moves, medium up to 8, hard beyond. No maze comes twice unless a small size runs out of
    different ones.

    Args:
        seed: the same seed gives the same mazes.
        rows: how many mazes.
        size: cells along each side, at least 2.
        min_path: fewest moves of a shortest path.
        max_path: most moves of a shortest path; None for no limit.
        loops: share of the walls inside the maze, 0 to 1, that are opened again; 0 leaves one path between any cells.

    Raises:
        UsageError: no maze can be like that.
    """
    longest = size * size - 1 if max_path is None else max_path
    _check(size, min_path, longest, loops)
    seen: set[str] = set()
    for index in range(rows):
        made = _new_maze(f"maze {MAZE_VERSION} {seed} {index}", size, (min_path, longest), loops, seen)
        text = made.tokens()
        seen.add(text)
        solution = made.solution() or ()
        yield {
            "id": f"maze-{seed}-{index:05d}",
            "maze": text,
            "size": size,
            "path_length": len(solution),
            "solution": move_tokens(solution),
            "search": "".join(f"<|{cell.row}-{cell.column}|>" for cell in made.search()),
            "level": next((level for level, most in _LONGEST.items() if len(solution) <= most), "hard"),
        }


def _check(size: int, min_path: int, max_path: int, loops: float) -> None:
    if size < 2:
        raise UsageError(f"maze: size is {size}; a maze needs at least 2 cells along each side.")
    if not 1 <= min_path <= max_path:
        raise UsageError(f"maze: min_path {min_path} and max_path {max_path} must satisfy 1 <= min_path <= max_path.")
    if min_path > size * size - 1:
        raise UsageError(
            f"maze: no maze of {size} x {size} cells has a path of {min_path} moves; lower min_path or raise size."
        )
    if not 0 <= loops <= 1:
        raise UsageError(f"maze: loops is {loops}; give a share from 0 to 1.")


def _new_maze(seed: str, size: int, lengths: tuple[int, int], loops: float, seen: set[str]) -> Maze:
    """Return a maze with a path in bounds, one that was not seen where some try finds one."""
    repeated = None
    for attempt in range(_MOST_TRIES):
        made = _try_maze(Random(f"{seed} {attempt}"), size, lengths, loops)  # noqa: S311  # rows, not secrets
        if made is not None and made.tokens() not in seen:
            return made
        repeated = repeated or made
        if repeated is not None and attempt >= _MOST_TRIES // 10:
            return repeated
    if repeated is None:
        raise UsageError(
            f"maze: {_MOST_TRIES} tries found no maze of {size} x {size} cells with loops {loops} and a path of "
            f"{lengths[0]} to {lengths[1]} moves; widen the bounds or lower loops."
        )
    return repeated


def _try_maze(random: Random, size: int, lengths: tuple[int, int], loops: float) -> Maze | None:
    cells = [Cell(row, column) for row in range(size) for column in range(size)]
    walls = carve(random, cells)
    _open_loops(random, cells, walls, loops)
    closed = {cell: frozenset(sides) for cell, sides in walls.items()}
    origin = random.choice(cells)
    distances = Maze(size, size, closed, origin, origin).distances()
    # The length is drawn before the cell, so that long paths are as common as the maze allows.
    possible = sorted({length for length in distances.values() if lengths[0] <= length <= lengths[1]})
    if not possible:
        return None
    length = random.choice(possible)
    target = random.choice([cell for cell in cells if distances.get(cell) == length])
    return Maze(size, size, closed, origin, target)


def carve(random: Random, cells: list[Cell]) -> dict[Cell, set[str]]:
    """Return the walls of a perfect maze: a random depth-first walk opens every wall it passes."""
    walls = {cell: set(STEPS) for cell in cells}
    path = [random.choice(cells)]
    visited = {path[0]}
    while path:
        here = path[-1]
        ways = [move for move in STEPS if beyond(here, move) in walls and beyond(here, move) not in visited]
        if not ways:
            path.pop()
            continue
        move = random.choice(ways)
        _open(walls, here, move)
        visited.add(beyond(here, move))
        path.append(beyond(here, move))
    return walls


def _open_loops(random: Random, cells: list[Cell], walls: dict[Cell, set[str]], loops: float) -> None:
    inner = [
        (cell, move)
        for cell in cells
        for move in ("down", "right")
        if move in walls[cell] and beyond(cell, move) in walls
    ]
    for cell, move in random.sample(inner, round(loops * len(inner))):
        _open(walls, cell, move)


def _open(walls: dict[Cell, set[str]], cell: Cell, move: str) -> None:
    walls[cell].remove(move)
    walls[beyond(cell, move)].remove(OPPOSITE[move])
