"""Right or wrong: letters, yes and no, labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spatialeval.scorers import SCORERS

if TYPE_CHECKING:
    from spatialeval.samples import Answer, AnswerType, Sample


@SCORERS.register("accuracy")
@dataclass(frozen=True)
class Accuracy:
    """1 when the answer is the target, whatever the case; else 0."""

    answers: ClassVar[frozenset[AnswerType]] = frozenset({"choice", "yesno", "label"})

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return 1 or 0."""
        return float(str(answer).casefold() == str(sample.target).casefold())
