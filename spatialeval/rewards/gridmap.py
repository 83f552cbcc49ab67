"""answer_with_map: the answer's score with a bonus for the map beside it, after SpaceR's SG-RLVR."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from math import dist, isfinite, sqrt
from typing import TYPE_CHECKING, Any

from spatialeval.rewards import REWARDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply

Grid = dict[str, list[tuple[int, int]]]
_OPENING, _CLOSING = "<map>", "</map>"
_LONGEST, _MOST = 20_000, 200


@REWARDS.register("answer_with_map")
@dataclass(frozen=True)
class AnswerWithMap:
    """The score; where it is above `above` and the reply has a map, the map's score besides, or 0 where that is 0.

    Rule and map score: OuyangKun10/SpaceR:SpaceR-SG-RLVR/src/r1-v/src/open_r1/{SG-RLVR,extract_map}.py. The map is a
    mapping of objects to cells in `<map>`; the true one is `sample.meta["map"]`, {chair: [[9, 3]]}. Per object the
    nearest cells are paired first, a pair is worth 1 - distance / (size sqrt 2), the sum is divided by the larger
    number of cells, and objects weigh by their true number. Broken maps, which the authors' code mends, are empty.

    Attributes:
        above: the score that a reply must exceed for its map to count.
        size: cells of a side of the grid.
    """

    above: float = 0.5
    size: int = 10

    def __call__(self, reply: Reply) -> float:
        """Return the sum; raise DataError where a map counts and the sample has none."""
        score = reply.score.value or 0.0
        if score <= self.above or not (_OPENING in reply.text and _CLOSING in reply.text):
            return score
        found = self.map_score(reply.text, reply.needed("map"))
        return score + found if found > 0 else 0.0

    def map_score(self, text: str, true: Mapping[str, Any]) -> float:
        """Return how near the map in `text` is to the true one, 0 to 1."""
        gold = _grid(true, None)
        said = _grid(_written(text), set(gold))
        total = sum(map(len, gold.values()))
        worth = sum(self._alike(said.get(name, []), cells) * len(cells) for name, cells in gold.items())
        return worth / total if total else float(not said)

    def _alike(self, said: Sequence[tuple[int, int]], gold: Sequence[tuple[int, int]]) -> float:
        pairs = sorted((dist(a, b), i, j) for i, a in enumerate(said) for j, b in enumerate(gold))
        left, right, worth = set(range(len(said))), set(range(len(gold))), 0.0
        for distance, i, j in pairs:
            if i in left and j in right:
                left.remove(i)
                right.remove(j)
                worth += max(0.0, 1.0 - distance / (self.size * sqrt(2)))
        return worth / max(len(said), len(gold), 1)


def _written(text: str) -> Any:
    inside = text.partition(_OPENING)[2].partition(_CLOSING)[0].strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(inside) if len(inside) <= _LONGEST else {}
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return {}


def _grid(value: Any, known: set[str] | None) -> Grid:
    """Return the cells of each object, of known ones where they are given; anything else is left out."""
    grid: Grid = {}
    for key, cells in value.items() if isinstance(value, Mapping) else ():
        name = re.sub(r"^[^\w\s]+|[^\w\s]+$", "", str(key).lower().strip()).strip()
        pairs = [cell for each in cells if (cell := _cell(each))] if isinstance(cells, list | tuple) else []
        if pairs and (known is None or name in known):
            grid.setdefault(name, []).extend(pairs[:_MOST])
    return grid


def _cell(value: Any) -> tuple[int, int] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    numbers = [each for each in value if isinstance(each, int | float) and abs(each) < 1e6 and isfinite(each)]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None
