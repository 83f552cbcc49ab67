"""Rewards of paths through mazes, after AlphaMaze (menloresearch/visual-thinker:training/grpo_stage.py) and Ariadne."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from spatialeval.errors import DataError
from spatialeval.mazes import parse_maze
from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply

_MOVES = re.compile(r"(?:<\|(?:up|down|left|right)\|>)+")
_TOKEN = re.compile(r"<\|(.*?)\|>")
_STEP = re.compile("up|down|left|right")
_THOUGHT_ENDS = "</think>"


def _said(text: str, tag: str | None) -> str:
    """Return what the answer tag holds; without a tag what stands after the first thought, and before a second ends."""
    if tag is None:
        parts = text.split(_THOUGHT_ENDS)
        return parts[1].strip() if len(parts) > 1 else ""
    start, end = f"<{tag}>", f"</{tag}>"
    return text.partition(start)[2].partition(end)[0].strip() if start in text and end in text else ""


@REWARDS.register("moves_only")
@dataclass(frozen=True)
class MovesOnly:
    """1 when the answer is at least one move token such as `<|up|>` and nothing else but spaces; else 0.

    Attributes:
        tag: whose content is the answer; what follows `</think>` where left out.
    """

    tag: str | None = None

    def __call__(self, reply: Reply) -> float:
        """Return 1 or 0."""
        return float(_MOVES.fullmatch(re.sub(r"\s+", "", _said(reply.text, self.tag))) is not None)


@REWARDS.register("path_moves")
@dataclass(frozen=True)
class PathMoves:
    """The moves of a shortest path where the walked answer reaches the target; else 0.

    Not the moves of the answer: walking to and fro would pay without end.
    """

    def __call__(self, reply: Reply) -> float:
        """Return the number of moves; raise DataError for a maze that nothing leads through."""
        return float(_shortest(str(reply.needed("maze")))) if reply.score.value == 1 else 0.0


@REWARDS.register("reference_moves")
@dataclass(frozen=True)
class ReferenceMoves:
    """The moves of the reference where the text after `</think>` is the reference, character by character; else 0."""

    def __call__(self, reply: Reply) -> float:
        """Return the number of moves."""
        said = _said(reply.text, None)
        return float(len(said.split("|><|"))) if said == str(reply.sample.target) else 0.0


@REWARDS.register("turned_moves")
@dataclass(frozen=True)
class TurnedMoves:
    """2 x moves x (turns + 1) where the moves after `</think>` are the reference; else right first moves x (turns + 1).

    Rule: MingheShen/Ariadne:src/plugin.py. Turns are counted among the moves that are paid. A reference that is
    followed by anything else is no more than right first moves.
    """

    def __call__(self, reply: Reply) -> float:
        """Return the points."""
        said, gold = _said(reply.text, None), _STEP.findall(str(reply.sample.target))
        if said == "".join(f"<|{move}|>" for move in gold):
            return 2.0 * _turned(gold)
        right = 0
        for move, true in zip(_TOKEN.findall(said), gold, strict=False):
            if move != true:
                break
            right += 1
        return float(_turned(gold[:right]))


def _turned(moves: list[str]) -> int:
    return len(moves) * (1 + sum(one != other for one, other in pairwise(moves)))


@lru_cache(maxsize=256)
def _shortest(maze: str) -> int:
    solution = parse_maze(maze).solution()
    if solution is None:
        raise DataError("nothing leads through this maze. Leave its row out.")
    return len(solution)
