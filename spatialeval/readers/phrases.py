"""Known phrases (option texts, labels, yes and no) found in a reply as whole words, the longest first."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.readers.hits import Hit

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"(?:(?<!\w)[-+])?\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")
_COMPOUND_BEFORE = re.compile(r"[^\W_]-$|\b(?:top|bottom|upper|lower)[ \-]$", re.IGNORECASE)
_COMPOUND_AFTER = re.compile(r"-(?!(?:hand|handed|side|most|facing|ward)\b)[^\W_]", re.IGNORECASE)
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a number of a text, in one case, with its place."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Return the words and numbers of `text`; hyphens, underscores and punctuation only separate them."""
    return [Word(match[0].casefold(), *match.span()) for match in _WORD.finditer(text)]


def key(text: str) -> tuple[str, ...]:
    """Return the words of `text` without a leading article: equal for texts that say the same."""
    found = tuple(word.text for word in words(text))
    return found[1:] if len(found) > 1 and found[0] in _ARTICLES else found


class Phrases:
    """A closed list of phrases, each standing for a value.

    Args:
        values: what each phrase stands for.
        phrases: the phrases, in the same order. A phrase without words, or one that two values share, is never found.
    """

    def __init__(self, values: Sequence[str], phrases: Sequence[str]) -> None:
        meanings: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for value, phrase in zip(values, phrases, strict=True):
            meanings[key(phrase)].add(value)
        self._values = {form: next(iter(meant)) for form, meant in meanings.items() if form and len(meant) == 1}
        self._by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for form in sorted(self._values, key=len, reverse=True):
            self._by_first[form[0]].append(form)

    def whole(self, text: str) -> str | None:
        """Return the value whose phrase is all that `text` says, or None."""
        return self._values.get(key(text))

    def find(self, text: str) -> list[Hit]:
        """Return the places of phrases in `text`, leftmost first and longest first, without overlaps."""
        found = words(text)
        hits: list[Hit] = []
        index = 0
        while index < len(found):
            form = self._form_at(found, index)
            if form is None:
                index += 1
                continue
            last = found[index + len(form) - 1]
            if not _is_part_of_compound(text, found[index].start, last.end):
                hits.append(Hit(self._values[form], found[index].start, last.end))
            index += len(form)
        return hits

    def _form_at(self, found: Sequence[Word], index: int) -> tuple[str, ...] | None:
        for form in self._by_first.get(found[index].text, ()):
            if tuple(word.text for word in found[index : index + len(form)]) == form:
                return form
        return None


def _is_part_of_compound(text: str, start: int, end: int) -> bool:
    """Say whether a phrase is half of another word: "right" in "bottom-right" or "top right", "no" in "no-one"."""
    before = _COMPOUND_BEFORE.search(text[max(0, start - 8) : start])
    return before is not None or _COMPOUND_AFTER.match(text, end) is not None
