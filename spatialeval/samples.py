"""A Sample: one question with its media and its gold answer, whatever benchmark it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from spatialeval.media import Media

AnswerType = Literal["choice", "number", "yesno", "label", "set", "order", "path", "points", "boxes", "json", "text"]
"""What kind of thing answers the question:

choice  a letter of lettered options            target "B"
number  a real number                           target 2.5
yesno   yes or no                               target "yes"
label   a word or phrase of a closed list       target "upper-left"
set     several letters or labels, in any order      target ("A", "C")
order   letters or labels, in the right order        target ("B", "A", "C")
path    a sequence of moves, checked by walking      target: one valid path, as text
points  points in the picture                        target ((0.5, 0.25),), shares of its width and height
boxes   boxes in the picture                         target ((0.1, 0.1, 0.4, 0.5),), x1 y1 x2 y2, shares as above
json    fields or a nested structure                 target: any JSON value
text    free text                                    target: the reference answer
"""

Answer = str | float | tuple[Any, ...] | Mapping[str, Any]
"""A gold or a read answer: a letter, yes/no, label or text as str; a number as float; sets (sorted), orders and the
moves of a path as a tuple of str; points and boxes as tuples of tuples of float; JSON as it is, lists as tuples."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question. Immutable; media are read only when a request needs them.

    Attributes:
        id: unique within the task.
        answer: the answer type, which picks reader and scorer.
        question: the question alone, without options or instructions.
        target: the gold answer.
        choices: option texts without letters, in order; for "choice", and for "set" and "order" of letters.
        labels: the closed list of answers of "label", and of "set" and "order" of labels.
        media: images and videos in the order they are shown.
        mask: a picture whose bright pixels are the right place; scorers see it, models never.
        category: the part of the benchmark it counts for.
        facets: further ways to split the benchmark (difficulty, source, ...): name -> the values it counts for.
        sets: name -> the set of samples it is scored together with (a question and its mirrored form).
        group: what it shares with others (scene, image, base question): the cluster of intervals.
        meta: further JSON-able facts that prompts and scorers need (a maze, a unit, ...).
        marks: what stands before the options where a view shows them otherwise than the protocol: ("1.", "2.").
    """

    id: str
    answer: AnswerType
    question: str
    target: Answer
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    mask: Media | None = None
    category: str = "all"
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[str, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the options: ("A", "B", ...)."""
        return tuple(ascii_uppercase[: len(self.choices)])

    @property
    def names(self) -> tuple[str, ...]:
        """What names the options to a model: their letters, or what their marks hold instead, ("1", "2")."""
        return tuple(mark.strip("().") for mark in self.marks) or self.letters
