"""Options called by other names than "A.", "B.": the texts of a request written anew, where that is safe.

Brackets or points change nothing but the list. Small letters and numbers are other names, so every word that speaks of
the options' letters must be understood, too; a text with a letter that is not is refused.
"""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from spatialeval.edits import Refused
from spatialeval.edits.options import labels_in_options, listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.samples import Sample

_NUMBERS = tuple(map(str, range(1, 27)))
STYLES: Mapping[str, tuple[str, Sequence[str]]] = {
    "dot": ("{}.", ascii_uppercase),
    "round": ("({})", ascii_uppercase),
    "half": ("{})", ascii_uppercase),
    "lower": ("{})", ascii_lowercase),
    "number": ("{}.", _NUMBERS),
}
"""Name of a style -> how a name is marked, and the names: A. (A) A) a) 1."""

_CASE = re.compile(r"\b(?:upper|lower)[- ]?case|\bcapital|\balphabet", re.IGNORECASE)
_LETTER = re.compile(r"\b([Ll])etter(s?)\b")
_NAMED = re.compile(r"(?<![\w'])(?!A [a-z])([A-Z])(?![\w'])|(?<!\w)AB[A-Z]*(?!\w)")
"""A letter by itself that is not the article, or several in a row ("ABCD")."""


def marks_of(style: str, count: int) -> tuple[str, ...]:
    """Return what stands before each of `count` options in a style."""
    form, names = STYLES[style]
    return tuple(form.format(name) for name in names[:count])


def restyled(text: str, sample: Sample, *, listed: bool) -> str:
    """Return a text of a request with the sample's marks before its options, and words that suit them.

    Args:
        text: what the protocol writes with letters.
        sample: whose `marks` are shown.
        listed: whether the options must stand in it.

    Raises:
        Refused: when there is no list that can be rewritten, or a word about letters is left that cannot.
    """
    pieces: list[str] = []
    while found := listing(text, sample.choices):
        _, match = found
        lines = [f"{mark} {choice}" for mark, choice in zip(sample.marks, sample.choices, strict=True)]
        whole = lines[0] + "".join(gap + line for gap, line in zip(match.groups(), lines[1:], strict=True))
        pieces += [_reworded(text[: match.start()], sample), whole]
        text = text[match.end() :]
    if listed and not pieces:
        raise Refused("options:form")
    return "".join([*pieces, _reworded(text, sample)])


def check_names(sample: Sample) -> None:
    """Raise Refused when question or options speak of letters, or are what the sample's marks are."""
    if sample.names == sample.letters:
        return
    if labels_in_options(sample.choices) == "options:letters":
        raise Refused("options:letters")
    if any(choice.strip(" .()").lower() in sample.names for choice in sample.choices):
        raise Refused("options:names")
    if _LETTER.search(sample.question) or _CASE.search(sample.question):
        raise Refused("letters:question")


def _reworded(text: str, sample: Sample) -> str:
    """Return words outside of the list of options for the names that are shown; raise Refused for a letter left."""
    if sample.names == sample.letters:
        return text
    if _CASE.search(text):
        raise Refused("letters:case")
    for found in _NAMED.finditer(text):
        if found[1] is None or found[1] in sample.letters:
            raise Refused("letters:named")
    if sample.names[0].isalpha():
        return text
    return _LETTER.sub(lambda word: f"{'N' if word[1] == 'L' else 'n'}umber{word[2]}", text)
