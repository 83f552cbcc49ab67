"""The strict readers of labels of a closed list and of yes and no."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.readers import READERS
from spatialeval.readers.hits import Hit, Layer, Rules, affirmed, decide
from spatialeval.readers.phrases import Phrases
from spatialeval.readers.replies import plain, read_reply
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from spatialeval.samples import Sample


@READERS.register("strict_label")
@dataclass(frozen=True)
class StrictLabel:
    """Reads a label of the sample's closed list.

    Case, hyphens and spaces do not matter, the longest label wins ("upper-left" is not "left"), denied labels do not
    count ("It is not left; it is right"). Of several labels only an explicit final statement picks one.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return the label, as the sample writes it, that `text` answers to `sample`."""
        phrases = Phrases(sample.labels, sample.labels)
        return read_reply(text, lambda part: _label(plain(part), phrases))


def _label(text: str, phrases: Phrases) -> Reading:
    whole = phrases.whole(text)
    if whole is not None:
        return Reading(whole, "whole reply")
    return decide(text, [Layer(affirmed(text, phrases.find(text)))], Rules("label"))


@READERS.register("strict_yesno")
@dataclass(frozen=True)
class StrictYesNo:
    """Reads yes or no; true and false are the same for statements.

    A "no" that only belongs to a noun ("there is no cat") is no answer; "notice" is not "no". A reply that says both
    without an explicit final statement is not read.
    """

    def __call__(self, text: str, sample: Sample) -> Reading:  # noqa: ARG002  # every reader is called the same way
        """Return "yes" or "no"."""
        return read_reply(text, lambda part: _yes_no(plain(part)))


_YES_NO = Phrases(("yes", "yes", "no", "no"), ("yes", "true", "no", "false"))
_YES_NO_RULES = Rules("yes or no", conclusions=None)
_OPENS_SENTENCE = re.compile(r"(?:^|[.!?:,;\n(\[{\"'`*>])[\s*_\"'`(\[{]*$")
_ENDS_CLAUSE = re.compile(r"\s*(?:[^\w\s\-]|-\W|$)|[ \t]*\n")
_NEW_SENTENCE = re.compile(r"\s{1,3}(?:the|it|it's|this|that|there|they|he|she|i|because|since|as)\b", re.IGNORECASE)
_CONTEXT = 40


def _yes_no(text: str) -> Reading:
    hits = [hit for hit in _YES_NO.find(text) if hit.value == "yes" or _is_answer(text, hit)]
    return decide(text, [Layer(affirmed(text, hits))], _YES_NO_RULES)


def _is_answer(text: str, hit: Hit) -> bool:
    """Say whether a "no" answers: it ends its clause, or opens a sentence and another sentence begins after it."""
    if text[hit.start : hit.end].lower() == "false" or _ENDS_CLAUSE.match(text, hit.end):
        return True
    before = text[max(0, hit.start - _CONTEXT) : hit.start]
    return bool(_OPENS_SENTENCE.search(before) and _NEW_SENTENCE.match(text, hit.end))
