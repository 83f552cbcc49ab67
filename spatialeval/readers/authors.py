"""Readers that read as the authors of a benchmark do, traps included: faithful copies of published rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from spatialeval.readers import READERS
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from spatialeval.samples import Sample

_BLINK_LETTERS = ("A", "B", "C", "D", "E")


@READERS.register("blink_official")
@dataclass(frozen=True)
class BlinkOfficial:
    """The letter rule of zeyofu/BLINK_Benchmark:eval/test_benchmark.py (`analyze_answer`), without its LLM matcher.

    A bare letter A to E, or one in brackets, is the answer. Else the bracketed letters of the options that stand as
    words of their own count: the only one of the last paragraph, or the only one of the reply. Where the authors ask
    gpt-3.5-turbo to match reply and options, this reader reads nothing (rule "matcher needed").
    """

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return the letter, without brackets."""
        if text in _BLINK_LETTERS:
            return Reading(text, "bare letter")
        if text in {f"({letter})" for letter in _BLINK_LETTERS}:
            return Reading(text[1], "bracketed letter")
        options = {f"({letter})" for letter in sample.letters}
        anywhere = options.intersection(text.split())
        last = options.intersection(text.rsplit("\n\n", maxsplit=1)[-1].split())
        if len(last) == 1:
            return Reading(last.pop()[1], "last paragraph")
        if len(anywhere) == 1:
            return Reading(anywhere.pop()[1], "whole reply")
        return Reading(None, "matcher needed")


def _first_token(text: str) -> str:
    """Return what stands before the first space, without final full stops: `fuzzy_matching` of the authors."""
    return text.split(" ", maxsplit=1)[0].rstrip(".").strip()


def _number(text: str, rule: str) -> Reading:
    """Read all of `text` as Python's float does; infinity and nan, wrong under every metric, are left unread."""
    try:
        value = float(text)
    except ValueError:
        return Reading(None, "not a number")
    return Reading(value, rule) if isfinite(value) else Reading(None, "not a finite number")


@READERS.register("vsi_official_choice")
@dataclass(frozen=True)
class VsiOfficialChoice:
    """The choice rule of vision-x-nyu/thinking-in-space:lmms_eval/tasks/vsibench/utils.py, the same in lmms-eval.

    The text before the first space, without final full stops, must be the letter. So "(B)" and "B" with more text on
    the next line are not read.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return the letter, in upper case."""
        letter = _first_token(text).upper()
        if letter in sample.letters:
            return Reading(letter, "first token")
        return Reading(None, "first token is no letter")


@READERS.register("vsi_official_number")
@dataclass(frozen=True)
class VsiOfficialNumber:
    """The number rule of vision-x-nyu/thinking-in-space:lmms_eval/tasks/vsibench/utils.py: float of the first token."""

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the number."""
        return _number(_first_token(text), "first token")


@READERS.register("vsi_cached_number")
@dataclass(frozen=True)
class VsiCachedNumber:
    """The stricter number rule behind the cached logs of the VSI-Bench authors: float of the whole answer.

    Source: vision-x-nyu/test-set-training:reproduce, where "0.6." and "1.5 meters." score 0.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the number."""
        return _number(text, "whole reply")


@READERS.register("stepgame_base")
@dataclass(frozen=True)
class StepGameBase:
    """The base rule of Fangjun-Li/SpatialLM-StepGame: the stripped reply must equal the label, case included."""

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return the label."""
        return _label(text.strip(), sample, "whole reply")


@READERS.register("stepgame_cot")
@dataclass(frozen=True)
class StepGameCot:
    """The chain-of-thought rule of Fangjun-Li/SpatialLM-StepGame: what follows the last "Answer:", stripped."""

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return the label."""
        return _label(text.rpartition("Answer:")[2].strip(), sample, "after the last Answer:")


def _label(said: str, sample: Sample, rule: str) -> Reading:
    return Reading(said, rule) if said in sample.labels else Reading(None, "not a label")


_ANY_TOKEN = re.compile(r"<\|(.*?)\|>?")


@READERS.register("alphamaze_official")
@dataclass(frozen=True)
class AlphaMazeOfficial:
    """The rule of menloresearch/visual-thinker:benchmark/utils.py: every `<|...|>` token after `</think>`.

    What follows a second `</think>` is dropped, a reply without one answers nothing, and tokens that are no moves are
    kept: walking ignores them.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the names of the tokens, in order."""
        parts = text.split("</think>")
        if len(parts) == 1:
            return Reading(None, "no </think>")
        tokens = tuple(match[1] for match in _ANY_TOKEN.finditer(parts[1]))
        return Reading(tokens, "tokens after </think>") if tokens else Reading(None, "no tokens after </think>")
