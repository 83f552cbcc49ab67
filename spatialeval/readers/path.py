"""The strict reader of paths: sequences of moves up, down, left, right."""

# ruff: noqa: RUF001  # the look-alike characters are what replies contain
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.readers import READERS
from spatialeval.readers.replies import ANSWER_NOUNS, plain, read_reply, statement_cues
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spatialeval.samples import Sample

_TOKEN = re.compile(r"<\|(up|down|left|right)\|>", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w\-])(up|down|left|right)(?![\w\-])", re.IGNORECASE)
_ARROW = re.compile("[↑↓←→⬆⬇⬅➡]")
_ARROWS = dict(zip("↑↓←→⬆⬇⬅➡", ("up", "down", "left", "right") * 2, strict=True))
_BETWEEN = re.compile(
    r"(?:[\s,;:.\-–>→|/\"'`*_()\[\]{}\ufe0f]|\b(?:then|and|move|go|moves|step|finally|next)\b|\b[0-9]{1,3}[.):])*",
    re.IGNORECASE,
)
_LONGEST_GAP = 60


@READERS.register("strict_path")
@dataclass(frozen=True)
class StrictPath:
    """Reads the last unbroken run of moves: `<|up|>` tokens where there are any, else words, else arrows.

    One lone word in prose ("the target is on the left") is not a path; one in an answer tag, after an answer cue or
    as the whole reply is.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return the moves that `text` answers, in order, as names."""
        return read_reply(text, _read)


def _read(text: str) -> Reading:
    text = plain(text)
    moves = _last_run(text, list(_TOKEN.finditer(text)))
    if moves:
        return Reading(moves.names, "move tokens")
    moves = _last_run(text, list(_WORD.finditer(text)))
    if moves and (len(moves.names) > 1 or _is_stated(text, moves)):
        return Reading(moves.names, "move words")
    arrows = _last_run(text, list(_ARROW.finditer(text)))
    if arrows and not moves:
        return Reading(arrows.names, "move arrows")
    return Reading(None, "no moves")


@dataclass(frozen=True, slots=True)
class _Run:
    names: tuple[str, ...]
    start: int
    end: int


def _last_run(text: str, matches: list[re.Match[str]]) -> _Run | None:
    if not matches:
        return None
    run = list(_backwards(text, matches))[::-1]
    names = tuple(_ARROWS.get(match[0]) or match[1].lower() for match in run)
    return _Run(names, run[0].start(), run[-1].end())


def _backwards(text: str, matches: list[re.Match[str]]) -> Iterator[re.Match[str]]:
    following: re.Match[str] | None = None
    for match in reversed(matches):
        if following is not None:
            start, end = match.end(), following.start()
            if end - start > _LONGEST_GAP or not _BETWEEN.fullmatch(text, start, end):
                return
        yield match
        following = match


_CUES = statement_cues(f"{ANSWER_NOUNS}|path|moves?|sequence")


def _is_stated(text: str, run: _Run) -> bool:
    alone = _BETWEEN.fullmatch(text[max(0, run.start - _LONGEST_GAP) : run.start])
    if run.start <= _LONGEST_GAP and alone and not text[run.end :].strip(" \t\r\n.,;!*_\"'`)]}"):
        return True
    cues = [cue.end() for cue in _CUES.finditer(text, max(0, run.start - _LONGEST_GAP), run.start)]
    return bool(cues) and _BETWEEN.fullmatch(text, cues[-1], run.start) is not None
