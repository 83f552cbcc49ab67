"""Replies to options that were not called A, B, C: their names back to letters, before any reader reads them.

Only where a name stands as an answer: a number or a small letter in a sentence is a number or a word. So every reader
reads both forms of a question by its own rule.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.samples import Sample

_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_LETTER = re.compile(r"(?<![\w'])(?!A [a-z])([A-Z])(?![\w'])")
_WRAP = r"[\s*_\"'`(\[{$]{0,8}"
_UNWRAP = r"[\s*_\"'`)\]}$.,;:!]{0,8}"
_NOUN = r"(?:option|choice|answer|number|letter)"
_APART = r"(?![\w]|[.,]\d)"
_END = r"(?=[*_\"'`)\]}$]{0,6}(?:[.,;:!](?!\d)|\s*\n|\s*<|\s*$|\s+(?:because|since|as|is|was)\b))"


def lettered(text: str, sample: Sample) -> str:
    """Return a reply with letters for the names that the sample's options were shown under.

    A name is one that is all of the reply, of a line, of an <answer> tag or of a box; that follows "the answer is",
    "option" and the like; or that stands before its option's own text. Letters that nobody was shown answer nothing:
    they are struck out, the article and the pronoun aside.
    """
    if sample.names == sample.letters:
        return text
    letters = dict(zip(sample.names, sample.letters, strict=True))
    thoughts = [closing.end() for closing in _THOUGHT.finditer(text)]
    head, said = (text[: thoughts[-1]], text[thoughts[-1] :]) if thoughts else ("", text)
    if not sample.names[0].isalpha():
        said = _LETTER.sub(lambda found: "#" if found[1] in sample.letters else found[0], said)
    for pattern in _patterns(sample.names):
        said = pattern.sub(lambda found: f"{found[1]}{letters[found[2].lower()]}{found[3]}", said)
    return head + _before_texts(said, sample, letters)


@lru_cache(maxsize=256)
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Return patterns of what stands before a name, the name, and what stands behind it."""
    name = f"({'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})"
    lone = rf"{_WRAP}(?:{_NOUN}\b{_WRAP})?"
    return (
        re.compile(rf"(\A{lone}){name}({_UNWRAP}\Z)", re.IGNORECASE),
        re.compile(rf"(<answer>{lone}){name}({_UNWRAP}(?:</answer>|\Z))", re.IGNORECASE),
        re.compile(rf"(\\boxed\s?\{{{_WRAP}){name}([\s.)]{{0,4}}\}})"),
        re.compile(rf"((?:^|\n)[ \t>*_#(]{{0,6}}){name}([*_).:]{{0,6}}[ \t]*(?=\n|\Z))"),
        re.compile(rf"(\b{_NOUN}(?:\s+is|\s+was|\s*[:=])\s*(?:option\s+)?{_WRAP}){name}({_END})", re.IGNORECASE),
        re.compile(rf"(\b(?:option|choice)\s+{_WRAP}){name}({_END if names[0].isalpha() else _APART})", re.IGNORECASE),
    )


def _before_texts(text: str, sample: Sample, letters: Mapping[str, str]) -> str:
    """Return the text with letters for names before their option's own text, "2. chair"."""
    for name, choice in zip(sample.names, sample.choices, strict=True):
        pattern = rf"(?<![\w.,]){re.escape(name)}(?=[).:]{{1,2}}[\s*_\"'`]{{0,4}}{re.escape(choice.strip())}(?!\w))"
        text = re.sub(pattern, letters[name], text, flags=re.IGNORECASE) if choice.strip() else text
    return text
