"""A reply that is to be rewarded, graded once for all the rewards that look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.grading import Grader
    from spatialeval.messages import Finish
    from spatialeval.samples import Answer, Sample
    from spatialeval.scores import Score


@dataclass(frozen=True)
class Reply:
    """One completion of one prompt.

    Attributes:
        sample: what was asked.
        text: the completion, without special tokens that end it.
        grader: reads and scores it; the very object that scores evaluations.
        finish: "length" when the cap cut it.
        tokens: its length in tokens; None where nobody counted.
        group: every completion of the same prompt in the batch, this one included; empty outside of training.
    """

    sample: Sample
    text: str
    grader: Grader = field(repr=False)
    finish: Finish = "stop"
    tokens: int | None = None
    group: tuple[Reply, ...] = field(default=(), repr=False, compare=False)

    @cached_property
    def score(self) -> Score:
        """Its score, as an evaluation gives it."""
        return self.grader.grade(self.sample, self.text, self.finish)

    @property
    def answer(self) -> Answer | None:
        """What the reader found in it; None where nothing could be read, or the cap cut it."""
        return self.score.reading.value if self.score.state == "scored" else None

    def fact(self, name: str) -> Any:
        """Return the sample's category, or its facet or meta value `name`; None where there is none."""
        sample = self.sample
        return sample.category if name == "category" else sample.facets.get(name, sample.meta.get(name))

    def needed(self, name: str) -> Any:
        """Return the fact `name`; raise DataError where the sample has none."""
        held = self.fact(name)
        if held is None:
            raise DataError(
                f"Sample {self.sample.id!r} has no {name!r}, which the reward needs. Set `meta: {{{name}: ...}}` in "
                "the task file."
            )
        return held


def grouped(keys: Sequence[str], replies: Sequence[Reply]) -> tuple[Reply, ...]:
    """Return the same replies, each told its group: those of its key. They stay one object each, to be graded once."""
    groups: dict[str, list[Reply]] = {}
    for key, reply in zip(keys, replies, strict=True):
        groups.setdefault(key, []).append(reply)
    for members in groups.values():
        for reply in members:
            object.__setattr__(reply, "group", tuple(members))  # they hold each other, so none can be made last
    return tuple(replies)
