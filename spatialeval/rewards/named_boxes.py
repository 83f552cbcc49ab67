"""named_boxes: the places of named objects, after SURDS (XiandaGuo/Drive-MLLM:training/grpo/grpo.py)."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

from spatialeval.rewards import REWARDS
from spatialeval.scorers.boxes import iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply

_BOX = re.compile(r":\s{0,9}\[" + r",\s{0,9}".join([r"(\d{1,9})"] * 4) + r"\]")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@REWARDS.register("named_boxes")
@dataclass(frozen=True)
class NamedBoxes:
    """The share of the objects of `sample.meta["objects"]` ({red car: [x1, y1, x2, y2]}, in pixels) that are found.

    Read is the last `<location>` of the reply, `red car: [1, 2, 3, 4], ...`. An object is found when the overlap of its
    box is above 0.5, or 2 centreness - 1 is, where centreness is the root of (1 - dx) (1 - dy) and dx, dy are the
    distances of the centres in halves of the true sides, 1 at most. Case, marks and articles in names do not matter.
    The published code takes the answered box's sides instead of the true ones, so that huge boxes are paid.

    Attributes:
        by: `overlap` or `centre`.
    """

    by: Literal["overlap", "centre"] = "overlap"

    def __post_init__(self) -> None:
        """Refuse ways that do not exist."""
        if self.by not in {"overlap", "centre"}:
            raise ValueError(f"by is {self.by!r}; give overlap or centre")

    def __call__(self, reply: Reply) -> float:
        """Return the share; raise DataError when the sample has no objects."""
        gold = {_name(name): box for name, box in reply.needed("objects").items()}
        said = _boxes(reply.text)
        return sum(self._found(said[name], box) for name, box in gold.items() if name in said) / len(gold)

    def _found(self, said: Sequence[float], gold: Sequence[float]) -> bool:
        return iou(said, gold) > 0.5 if self.by == "overlap" else 2 * _centreness(said, gold) - 1 > 0.5


def _boxes(text: str) -> dict[str, list[float]]:
    start = text.rfind("<location>", 0, max(0, text.rfind("</location>")))
    inside = text[start:].partition("</location>")[0] if start >= 0 else ""
    found, before = {}, len("<location>")
    for match in _BOX.finditer(inside):
        found[_name(inside[before : match.start()].rsplit(":", 1)[-1])] = [float(number) for number in match.groups()]
        before = match.end()
    return found


def _name(text: str) -> str:
    plain = text.strip().lower().translate(_PUNCTUATION)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", "", plain).split())


def _centreness(said: Sequence[float], gold: Sequence[float]) -> float:
    shares = 1.0
    for low, high in ((0, 2), (1, 3)):
        side = gold[high] - gold[low]
        if side <= 0:
            return 0.0
        shares *= 1 - min(1.0, abs(said[low] + said[high] - gold[low] - gold[high]) / side)
    return sqrt(shares)
