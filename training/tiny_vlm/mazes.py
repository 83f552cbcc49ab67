"""Small text mazes in AlphaMaze's notation, a bonus lesson. Instructions: menloresearch/visual-thinker, benchmark/."""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
_WALLS = ["no", *("_".join(sides) for many in range(1, 5) for sides in itertools.combinations(MOVES, many))]
MAZE_TOKENS = [
    *(f"<|{row}-{column}|>" for row in range(10) for column in range(10)),
    *(f"<|{walls}_wall|>" for walls in _WALLS),
    *(f"<|{word}|>" for word in ("origin", "target", "blank", *MOVES)),
]
INSTRUCTIONS = (
    "You are a helpful assistant that solves mazes.  You will be given a maze represented by a series of tokens.  \n"
    "The tokens represent:\n- Coordinates: <|row-col|> (e.g., <|0-0|>, <|2-4|>)\n"
    "- Walls:  <|no_wall|>, <|up_wall|>, <|down_wall|>, <|left_wall|>, <|right_wall|>, <|up_down_wall|>, etc.\n"
    "- Origin: <|origin|>\n- Target: <|target|>\n- Movement: <|up|>, <|down|>, <|left|>, <|right|>, <|blank|>\n\n"
    "Your task is to output the sequence of movements (<|up|>, <|down|>, <|left|>, <|right|>) required to navigate "
    "from the origin to the target, based on the provided maze representation.  Think step by step. At each step, "
    "predict only the next movement token. Output only the move tokens, separated by spaces.\nMAZE:\n"
)


def maze(rng: random.Random, size: int, longest: int) -> tuple[str, str]:
    """A random spanning tree of a size x size grid as text, and the only path from its origin to its target."""
    doors: dict[tuple[int, int], set[str]] = {(0, 0): set()}
    while len(doors) < size * size:
        row, column = rng.choice(sorted(doors))
        move = rng.choice(list(MOVES))
        beside = (row + MOVES[move][0], column + MOVES[move][1])
        if beside not in doors and 0 <= beside[0] < size and 0 <= beside[1] < size:
            doors[row, column].add(move)
            doors[beside] = {_back(move)}
    origin = rng.choice(sorted(doors))
    paths = {origin: list[str]()}
    queue = deque([origin])
    while queue:
        here = queue.popleft()
        for move in doors[here]:
            beside = (here[0] + MOVES[move][0], here[1] + MOVES[move][1])
            if beside not in paths:
                paths[beside] = [*paths[here], move]
                queue.append(beside)
    length = rng.randint(1, longest)
    target = rng.choice(sorted(cell for cell, path in paths.items() if 0 < len(path) <= length))
    lines = ["".join(_cell(doors, (row, column), origin, target) for column in range(size)) for row in range(size)]
    return "\n".join(lines), "".join(f"<|{move}|>" for move in paths[target])


def _back(move: str) -> str:
    return {"up": "down", "down": "up", "left": "right", "right": "left"}[move]


def _cell(
    doors: dict[tuple[int, int], set[str]], cell: tuple[int, int], origin: tuple[int, int], target: tuple[int, int]
) -> str:
    walls = "_".join(move for move in MOVES if move not in doors[cell]) or "no"
    mark = "origin" if cell == origin else "target" if cell == target else "blank"
    return f"<|{cell[0]}-{cell[1]}|><|{walls}_wall|><|{mark}|>"
