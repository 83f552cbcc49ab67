"""The readers of spatial benchmarks in open-compass/VLMEvalKit (version of August 2026), traps included.

Source: open-compass/VLMEvalKit:vlmeval/dataset/utils/spatial_bench/matching_func.py. The rules are the same; the
patterns are written anew, so that they stay linear on long replies.
"""

# ruff: noqa: RUF001  # the look-alike characters are what replies contain
from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_left
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from spatialeval.readers import READERS
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.samples import Sample

_ZERO_WIDTH = re.compile("[\u200b\u200c\u200d\ufeff]")
_LAST_CHARACTERS, _LAST_LINES = 800, 6

_ANSWER_OPENING = re.compile(r"<\s*answer\b", re.IGNORECASE)
_ANSWER_CLOSING = re.compile(r"<\s*/\s*answer\s*>", re.IGNORECASE)
_FIRST_LETTER = re.compile(r"\s*([A-Ja-j])")
_BEFORE_CLOSING = [
    re.compile(rf"(?<![A-Za-z])([A-F])\s*(?:[)\]}}）】]\s*)?</\s*{tag}\s*>", re.IGNORECASE)
    for tag in ("answer", "think")
]
_THOUGHT_CLOSING = re.compile(r"</\s*think\s*>", re.IGNORECASE)
_THOUGHT_OPENING = re.compile(r"<\s*think\s*>", re.IGNORECASE)

_OPTION_LINE = re.compile(r"[*_>\-\s]*(?:option|选项)\s+[A-J]\s*[:：]", re.IGNORECASE)
_LETTER_LINE = re.compile(r"[*_`>（）\[\]【】()]*\s*([A-Fa-f])\s*(?:[*_`（）\[\]【】()]+\s*)?")
_LABELLED_LINE = re.compile(r"([A-F])\s*[.．:：)\]】、-]\s+", re.IGNORECASE)
_LETTER_IN_LINE = re.compile(r"(?<![A-Za-z])([A-F])(?=[*_`）\]})]*(?:$|[\s.,:;!?)\]】》」』，。；、：）]))")
_CONCLUSION = re.compile(
    r"(?:final\s*answer|the\s*answer\s*is|answer(?:\s*is)?|correct\s*answer"
    r"|答案|最终答案|结论|所以|因此|我选(?:择)?|选择|选)"
    r"\s*(?:[:：>＝=]\s*)?(?:[(\[{（【]\s*)?([A-F])\b",
    re.IGNORECASE,
)
_LETTER_ANYWHERE = re.compile(r"(?<![A-Za-z])([A-F])(?![A-Za-z])")


@READERS.register("vlmevalkit_vsi_choice")
@dataclass(frozen=True)
class VlmEvalKitVsiChoice:
    """`can_match_option` as VSI-Bench calls it: letters A to F, whatever options the question has.

    In order: the letter that opens an answer tag; one right before `</answer>` or `</think>`; the last of the last six
    lines with a letter, after the thought and then of the last 800 characters; the first concluding phrase; the only
    capital A to F. The article in "A chair" counts as a letter.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the letter, whether or not an option has it."""
        text = _ZERO_WIDTH.sub("", text.strip())
        for rule, letter in _letters(text):
            if letter is not None:
                return Reading(letter.upper(), rule)
        return Reading(None, "no single letter")


def _letters(text: str) -> Iterator[tuple[str, str | None]]:
    yield "answer tag", _opens_answer(text)
    tail = text[-_LAST_CHARACTERS:]
    for pattern in _BEFORE_CLOSING:
        match = pattern.search(tail)
        yield "before a closing tag", match[1] if match else None
    yield "last lines", _from_lines(_after_thought(text).splitlines()[-_LAST_LINES:])
    yield "last lines", _from_lines(tail.splitlines()[-_LAST_LINES:])
    match = _CONCLUSION.search(text)
    yield "concluding phrase", match[1] if match else None
    lines = (line for line in text.splitlines() if not _OPTION_LINE.match(line))
    yield "only letter", _only(_LETTER_ANYWHERE.findall("\n".join(lines)))


def _only(letters: Sequence[str]) -> str | None:
    distinct = set(letters)
    return distinct.pop() if len(distinct) == 1 else None


def _opens_answer(text: str) -> str | None:
    closings = [match.start() for match in _ANSWER_CLOSING.finditer(text)]
    for start in _answer_contents(text):
        letter = _FIRST_LETTER.match(text, start)
        if letter and bisect_left(closings, letter.end()) < len(closings):
            return letter[1]
    return None


def _answer_contents(text: str) -> Iterator[int]:
    """Yield where the content of each `<answer ...>` starts."""
    position = 0
    while (end := text.find(">", position)) >= 0:
        if _ANSWER_OPENING.search(text, position, end):
            yield end + 1
        position = end + 1


def _after_thought(text: str) -> str:
    for tag in (_THOUGHT_CLOSING, _THOUGHT_OPENING):
        ends = [match.end() for match in tag.finditer(text)]
        if ends:
            return text[ends[-1] :].strip()
    return text


def _from_lines(lines: Sequence[str]) -> str | None:
    for line in (line.strip() for line in reversed(lines)):
        if not line or _OPTION_LINE.match(line):
            continue
        match = _LETTER_LINE.fullmatch(line) or _LABELLED_LINE.match(line)
        letter = match[1] if match else _only(_LETTER_IN_LINE.findall(line))
        if letter is not None:
            return letter
    return None


_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(f"{_WORDS} eighteen nineteen twenty".split())}
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE)
_NUMBER = r"[-+]?(?:\d*\.\d+|\d+)(?:[eE][-+]?\d+)?"
_ANY_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")
_TAGGED_NUMBER = re.compile(rf"\s*({_NUMBER})(?:[^\d<][^<]*)?<\s*/\s*answer\s*>", re.IGNORECASE)


@READERS.register("vlmevalkit_vsi_number")
@dataclass(frozen=True)
class VlmEvalKitVsiNumber:
    """`can_match_na`: the number that opens an answer tag, else the last one after the thought, else the last one.

    Number words up to twenty count. Thousands separators and exponents of units do not help it: "1,200" is read as
    200, "100 m^2" as 2.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the number."""
        candidate = _first_of_list(text)
        if candidate is None:
            return Reading(None, "broken list")
        said = _NUMBER_WORD.sub(lambda match: _NUMBER_WORDS[match[0].lower()], _ZERO_WIDTH.sub("", candidate.strip()))
        for start in _answer_contents(said):
            match = _TAGGED_NUMBER.match(said, start)
            if match:
                return _finite(match[1], "answer tag")
        for rule, part in (("last number after the thought", _after_thought(said)), ("last number", said)):
            numbers = _ANY_NUMBER.findall(part)
            if numbers:
                return _finite(numbers[-1], rule)
        return Reading(None, "no number")


def _finite(number: str, rule: str) -> Reading:
    value = float(number)
    return Reading(value, rule) if isfinite(value) else Reading(None, "not a finite number")


def _first_of_list(text: str) -> str | None:
    """Return the first element of a reply that is a Python list, the reply itself when it is none or empty."""
    if not (text.strip().startswith("[") and text.strip().endswith("]")):
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            elements = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return str(elements[0]) if isinstance(elements, list) and elements else text
