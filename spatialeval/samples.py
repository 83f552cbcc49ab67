"""A Sample: one question with its media and its gold answer, whatever benchmark it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.media import Media

AnswerType = Literal["choice", "number", "yesno", "label", "path"]
"""What kind of thing answers the question:

choice  a letter of lettered options            target "B"
number  a real number                           target 2.5
yesno   yes or no                               target "yes"
label   a word or phrase of a closed list       target "upper-left"
path    a sequence of moves, checked by walking target: one valid path, as text
"""

Answer = str | float | tuple[str, ...]
"""A gold or a read answer: a letter, yes/no or label as str; a number as float; a path as a tuple of moves."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question. Immutable; media are read only when a request needs them.

    Attributes:
        id: unique within the task.
        answer: the answer type, which picks reader and scorer.
        question: the question alone, without options or instructions.
        target: the gold answer.
        choices: option texts without letters, in order; empty unless `answer` is "choice".
        labels: the closed list of answers when `answer` is "label".
        media: images and videos in the order they are shown.
        category: the part of the benchmark it counts for.
        group: what it shares with others (scene, image, base question): the cluster of intervals.
        meta: further JSON-able facts that prompts and scorers need (a maze, a unit, ...).
    """

    id: str
    answer: AnswerType
    question: str
    target: Answer
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    category: str = "all"
    group: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the options: ("A", "B", ...)."""
        return tuple(ascii_uppercase[: len(self.choices)])
