"""The scorers of paths: by walking, where any path that leads to the target is right, and by comparing moves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from spatialeval.errors import DataError
from spatialeval.mazes import Maze, parse_maze
from spatialeval.scorers import SCORERS

if TYPE_CHECKING:
    from spatialeval.samples import Answer, AnswerType, Sample


@SCORERS.register("maze_path")
@dataclass(frozen=True)
class MazePath:
    """1 when walking the answer through the maze in `sample.meta["maze"]` ends on the target; else 0.

    Rule: menloresearch/visual-thinker:benchmark/utils.py. Crossing a wall or leaving the maze fails, names that are no
    moves do nothing, every valid path is right however long.
    """

    answers: ClassVar[frozenset[AnswerType]] = frozenset({"path"})

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return 1 or 0; raise DataError when the sample's maze is missing or broken."""
        if not isinstance(answer, tuple):
            raise TypeError(f"maze_path was given {answer!r}; the task's reader for paths must return a tuple of moves")
        text = sample.meta.get("maze")
        if not isinstance(text, str):
            raise DataError(f"Sample {sample.id!r} has no maze. Put it into `meta: {{maze: ...}}` in the task file.")
        return float(_parsed(text).walk(answer).solved)


@SCORERS.register("same_moves")
@dataclass(frozen=True)
class SameMoves:
    """1 when the moves are those of the reference, one by one; else 0. For mazes that rows show and do not spell out.

    Rule: MingheShen/Ariadne:src/plugin.py. Another path to the target is wrong, which a maze without loops has only
    with steps back.
    """

    answers: ClassVar[frozenset[AnswerType]] = frozenset({"path"})

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return 1 or 0."""
        if not isinstance(answer, tuple):
            raise TypeError(
                f"same_moves was given {answer!r}; the task's reader for paths must return a tuple of moves"
            )
        return float([str(move) for move in answer] == _MOVE.findall(str(sample.target)))


_MOVE = re.compile("up|down|left|right")


@lru_cache(maxsize=256)
def _parsed(text: str) -> Maze:
    return parse_maze(text)
