"""From a reply to a Score: the reader and the scorer of its answer type, and the protocol's rule for unread answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spatialeval.errors import DataError
from spatialeval.foreign import blaming
from spatialeval.readers.labels import lettered
from spatialeval.scores import AnsweredState, Reading, Score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.messages import Finish
    from spatialeval.readers import Reader
    from spatialeval.samples import AnswerType, Sample
    from spatialeval.scorers import Scorer


@dataclass(frozen=True)
class Grader:
    """Grades replies under one protocol. Pure: the same object scores evaluations and rewards.

    Attributes:
        readers: one per answer type of the task.
        scorers: one per answer type of the task.
        unparsed: "wrong" counts an unread answer as 0, "excluded" leaves it out of the mean.
        on_length: what a reply cut by the token cap is: "truncated" unless its answer is marked as finished, or
            "read" where the published protocol reads whatever came.
    """

    readers: Mapping[AnswerType, Reader]
    scorers: Mapping[AnswerType, Scorer]
    unparsed: Literal["wrong", "excluded"] = "wrong"
    on_length: Literal["truncated", "read"] = "truncated"

    def grade(self, sample: Sample, text: str, finish: Finish = "stop") -> Score:
        """Return the score of reply `text` to `sample`; no text of a reply makes the built-in ones fail.

        Raises:
            DataError: when only a judge can score this answer type.
            UsageError: when a reader or a scorer raises by mistake.
        """
        reading, state = self.read(sample, text, finish)
        if state != "scored" or reading.value is None:
            return Score(self._unread_value, reading, state)
        scorer = self.scorers.get(sample.answer)
        if scorer is None:
            raise DataError(f"answers of type {sample.answer!r} are scored by a judge: run with --judge MODEL.")
        with blaming("scorer", scorer):
            return Score(scorer(reading.value, sample), reading, "scored")

    def read(self, sample: Sample, text: str, finish: Finish = "stop") -> tuple[Reading, AnsweredState]:
        """Return what the reader finds in a reply, and the state the sample has by it."""
        text = lettered(text, sample) if sample.marks else text
        reader = self.readers[sample.answer]
        with blaming("reader", reader):
            reading = reader(text, sample) if text.strip() else Reading(None, "empty reply")
        cut = finish == "length"
        if cut and not (reading.value is not None and (reading.complete or self.on_length == "read")):
            return reading, "truncated"
        return reading, "unparsed" if reading.value is None else "scored"

    @property
    def _unread_value(self) -> float | None:
        return 0.0 if self.unparsed == "wrong" else None
