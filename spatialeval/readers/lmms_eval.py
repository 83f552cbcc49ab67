"""Readers that read as EvolvingLMMs-Lab/lmms-eval does (version of August 2026), traps included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from spatialeval.readers import READERS
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Sample

_FIRST_LETTER = re.compile(r"[(\s]*([A-Z])", re.IGNORECASE)


@READERS.register("lmms_first_letter")
@dataclass(frozen=True)
class LmmsFirstLetter:
    """The rule of EvolvingLMMs-Lab/lmms-eval:lmms_eval/tasks/blink/utils.py: the first letter of the reply.

    Brackets and spaces may stand before it. "The answer is A" is read as T, which is no option and scores as wrong.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the first letter, in upper case, whether or not an option has it."""
        match = _FIRST_LETTER.match(text.strip())
        return Reading(match[1].upper(), "first letter") if match else Reading(None, "no letter at the start")


_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_ONES += " seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = (
    {word: value for value, word in enumerate(_ONES.split())}
    | {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
    | {"hundred": 100, "thousand": 1000}
)
_DIGITS = re.compile(r"-?\d+(?:\.\d+)?")
_LATIN_WORD = re.compile(r"[a-z]+")


@READERS.register("lmms_vsi_number")
@dataclass(frozen=True)
class LmmsVsiNumber:
    """The rule of EvolvingLMMs-Lab/lmms-eval:lmms_eval/tasks/vsibench/utils.py (`extract_number`, pull request 1386).

    The first number of the reply, in digits or words, whichever comes first: "1,200" is read as 1.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the first number."""
        text = text.strip().lower()
        digits = _DIGITS.search(text)
        start, said = _first_number_words(text)
        if digits and (not said or digits.start() < start):
            value, rule = float(digits[0]), "first number, in digits"
        elif said:
            value, rule = _sum_of_words(said), "first number, in words"
        else:
            return Reading(None, "no number")
        return Reading(value, rule) if isfinite(value) else Reading(None, "not a finite number")


def _first_number_words(text: str) -> tuple[int, list[str]]:
    """Return where the first run of number words starts and its words; an "and" inside the run is skipped."""
    start = 0
    said: list[str] = []
    for match in _LATIN_WORD.finditer(text):
        word = match[0]
        if word in _NUMBER_WORDS:
            start = start if said else match.start()
            said.append(word)
        elif said and word != "and":
            break
    return start, said


def _sum_of_words(said: Sequence[str]) -> float:
    # Floats, not ints: a reply of ten thousand times "hundred" must end as infinity, not as a giant integer.
    total, current = 0.0, 0.0
    for word in said:
        value = _NUMBER_WORDS[word]
        if value == 100:
            current = max(current, 1.0) * 100.0
        elif value == 1000:
            total += max(current, 1.0) * 1000.0
            current = 0.0
        else:
            current += value
    return total + current
