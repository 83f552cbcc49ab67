"""The scorer of paths: any path that really leads to the target is right."""

from __future__ import annotations

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


@lru_cache(maxsize=256)
def _parsed(text: str) -> Maze:
    return parse_maze(text)
