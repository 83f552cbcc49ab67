"""Rewards of points and of the steps of a thought, after RoboRefer (arXiv 2506.04308), whose training is not public.

A step is a line "[Position] [red cup]: (120, 340)" of the thought, with one of the types Position (x, y in pixels),
Orientation (a direction) and Size (one or more lengths).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any

from spatialeval.errors import DataError
from spatialeval.readers.coordinates import picture_size
from spatialeval.rewards import REWARDS
from spatialeval.scorers.points import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply

_STEP = re.compile(
    r"\[(position|orientation|size)\][ \t]{0,9}\[([^\[\]\n]{1,200})\][ \t]{0,9}:(.{1,400})", re.IGNORECASE
)
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{0,20})?")
_COSINE, _SIZE = 0.8, 0.15


@REWARDS.register("near_l1")
@dataclass(frozen=True)
class NearL1:
    """The share of the answered points that are within `radius` pixels of a true one, |dx| + |dy|; 0 without a point.

    Attributes:
        radius: pixels.
    """

    radius: float = 50.0

    def __call__(self, reply: Reply) -> float:
        """Return the share."""
        said, gold = places(reply.answer or (), "near_l1"), places(reply.sample.target, "near_l1")
        if not gold:
            raise DataError(f"Sample {reply.sample.id!r} has no target point. Check `target` in the task file.")
        width, height = picture_size(reply.sample)
        away = [min(abs(x - p[0]) * width + abs(y - p[1]) * height for p in gold) for x, y, *_ in said]
        return sum(each <= self.radius + 1e-9 for each in away) / len(away) if away else 0.0


@REWARDS.register("step_format")
@dataclass(frozen=True)
class StepFormat:
    """1 when the thought has steps, and each of its lines that begin with "[" is one with a number; else 0."""

    def __call__(self, reply: Reply) -> float:
        """Return 1 or 0."""
        lines = [line for line in _thought(reply.text) if line.startswith("[")]
        return float(bool(lines) and all(_read(line) for line in lines))


@REWARDS.register("step_accuracy")
@dataclass(frozen=True)
class StepAccuracy:
    """The share of the true steps that the thought has, in any order.

    True steps are `sample.meta["steps"]`, [{type: position, object: red cup, value: [120, 340]}]. A position is right
    within `radius` pixels (|dx| + |dy|), an orientation with a cosine above 0.8, a size with each length within 15 %.

    Attributes:
        radius: pixels, not included.
    """

    radius: float = 50.0

    def __call__(self, reply: Reply) -> float:
        """Return the share; raise DataError when the sample has no steps."""
        said = [step for line in _thought(reply.text) if (step := _read(line))]
        gold = [_true(step, reply) for step in reply.needed("steps")]
        found = [any(self._same(step, true) for step in said) for true in gold]
        return sum(found) / len(found) if found else 0.0

    def _same(self, said: _Step, true: _Step) -> bool:
        if (said.kind, said.about) != (true.kind, true.about) or len(said.value) != len(true.value):
            return False
        pairs = list(zip(said.value, true.value, strict=True))
        if said.kind == "position":
            return sum(abs(a - b) for a, b in pairs) < self.radius
        if said.kind == "size":
            return all(abs(a - b) <= _SIZE * abs(b) for a, b in pairs)
        lengths = hypot(*said.value) * hypot(*true.value)
        return lengths > 0 and sum(a * b for a, b in pairs) / lengths > _COSINE


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    about: str
    value: tuple[float, ...]


def _thought(text: str) -> list[str]:
    return [line.strip() for line in text.partition("<think>")[2].partition("</think>")[0].splitlines()]


def _read(line: str) -> _Step | None:
    match = _STEP.match(line)
    value = _NUMBER.findall(match[3]) if match else []
    return _step(match[1], match[2], [float(each) for each in value]) if match and value else None


def _step(kind: str, about: str, value: Sequence[float]) -> _Step:
    return _Step(kind.lower(), about.strip().lower(), tuple(value))


def _true(step: Any, reply: Reply) -> _Step:
    value = step.get("value") if isinstance(step, Mapping) else None
    value = [value] if isinstance(value, int | float) else value
    if not value or not {"type", "object"} <= set(step):
        raise DataError(
            f"Sample {reply.sample.id!r}: {step!r} is no step; give type, object and value in `meta.steps`."
        )
    return _step(step["type"], step["object"], [float(each) for each in value])
