"""drawing_turns: whether a reply of several turns keeps ViLaSR's form (verl/utils/reward_score/gcot.py)."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from spatialeval.rewards.reply import Reply

_TURN = re.compile(r"<think>(.*?)</think>\s*Action:\s*(.*)", re.DOTALL)
_BLOCK = re.compile(r"^[ \t]*```json[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL | re.MULTILINE)
_DRAWN = ({"bbox_2d", "label"}, {"start_point_2d", "end_point_2d", "label"})
_LONGEST = 20_000


@REWARDS.register("drawing_turns")
@dataclass(frozen=True)
class DrawingTurns:
    """1 when every turn is `<think>...</think> Action: ...` and all that is drawn can be read; else 0.

    The last turn holds `<answer>...</answer>` and no other does. Each block ```json is a list of boxes {bbox_2d, label}
    and lines {start_point_2d, end_point_2d, label}. Turns are told apart by their thoughts.
    """

    def __call__(self, reply: Reply) -> float:
        """Return 1 or 0."""
        before, *turns = re.split(r"(?=<think>)", reply.text) if "<think>" in reply.text else [reply.text]
        if before.strip() or not turns or not all(_TURN.fullmatch(turn.strip()) for turn in turns):
            return 0.0
        answered = ["<answer>" in turn and "</answer>" in turn for turn in turns]
        if any("<answer>" in turn or "</answer>" in turn for turn in turns[:-1]) or not answered[-1]:
            return 0.0
        return float(all(_drawn(block) for block in _BLOCK.findall(reply.text)))


def _drawn(block: str) -> bool:
    found: Any = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = ast.literal_eval(block.strip()) if len(block) <= _LONGEST else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    listed = isinstance(found, list | tuple)
    return listed and all(isinstance(each, Mapping) and any(keys <= set(each) for keys in _DRAWN) for each in found)
