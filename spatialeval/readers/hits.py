"""Hits, the places of a text that name an answer, and how one of them is chosen without guessing."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spatialeval.readers.replies import (
    ANSWER_NOUNS,
    CONCLUSION_CUES,
    Span,
    bolds,
    conclusions,
    last_box,
    statement_cues,
    statements,
)
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spatialeval.samples import Answer


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that names an answer; `value` is None where it names what no answer can be (a range, option Z of 4)."""

    value: Answer | None
    start: int
    end: int


@dataclass(frozen=True)
class Rules:
    """How hits of one answer type become a reading.

    Attributes:
        noun: what a hit is called in rule names.
        statements: pattern of the cues of an explicit answer.
        conclusions: pattern of the cues of a conclusion; None to use no conclusions.
        by_sentence: a conclusion ends with its sentence, not with the text.
        enumerable: replies repeat the list of answers, so that a statement with three of them states none.
    """

    noun: str
    statements: re.Pattern[str] = field(default=statement_cues(ANSWER_NOUNS))
    conclusions: re.Pattern[str] | None = CONCLUSION_CUES
    by_sentence: bool = False
    enumerable: bool = False


_WRAP = r"[\s(\[{\"'`*_$]"
_FILLERS = (
    r"(?:the|an?|that|this|be|to|on|at|in|of|really|necessarily|likely|options?|choices?|answer|letter|label|points?|it"
    r"|is|it's|its|think|believe|correct|right answer)"
)
_NEGATED_BEFORE = re.compile(
    r"(?:\bnot|\bnone of|n't|\bneither|\bnor|\brather than|\binstead of|\bunlike|\bother than|\bexcept(?: for)?"
    rf"|\bexclud\w+|\beliminat\w+|\brul(?:e|es|ed|ing) out|\bcannot)(?:{_WRAP}+{_FILLERS})*{_WRAP}*$",
    re.IGNORECASE,
)
_NEGATED_AFTER = re.compile(
    r"[\s)\]}\"'`*_,:]{0,4}(?:"
    r"(?:is|are|was|were|seems|looks|appears) (?:\w{1,20}ly |also )?"
    r"(?:not\b|wrong|incorrect|false\b|eliminated|ruled out|excluded|impossible|unlikely)"
    r"|(?:is|are|was|does|do|did|can|could|would)n't\b|cannot\b|(?:does|do|did|can|could|would) not\b"
    r"|can be (?:ruled out|eliminated|excluded))",
    re.IGNORECASE,
)
_NEGATION_GOES_ON = re.compile(rf"[\s)\]}}\"'`*_,]*\b(?:or|nor)\b(?:{_WRAP}+{_FILLERS})*{_WRAP}*", re.IGNORECASE)
_REACH = 60


def affirmed(text: str, hits: Iterable[Hit]) -> list[Hit]:
    """Return the hits that the text does not deny ("not B", "B is wrong", "neither A nor B"), in order."""
    kept: list[Hit] = []
    denied: Hit | None = None
    for hit in sorted(hits, key=lambda hit: hit.start):
        if _denied(text, hit, denied):
            denied = hit
        else:
            denied = None
            kept.append(hit)
    return kept


def _denied(text: str, hit: Hit, denied_before: Hit | None) -> bool:
    before = text[max(0, hit.start - _REACH) : hit.start]
    if _NEGATED_BEFORE.search(before) or _NEGATED_AFTER.match(text, hit.end, hit.end + _REACH):
        return True
    if denied_before is None or hit.start - denied_before.end > _REACH:
        return False
    return _NEGATION_GOES_ON.fullmatch(text, denied_before.end, hit.start) is not None


class Layer:
    """Hits of one kind in text order, with quick access to those inside a span."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self.hits = hits
        self._starts = [hit.start for hit in hits]

    def inside(self, span: Span) -> Sequence[Hit]:
        """Return the hits that start inside `span`."""
        return self.hits[bisect_left(self._starts, span.start) : bisect_left(self._starts, span.end)]


def decide(text: str, layers: Sequence[Layer], rules: Rules) -> Reading:
    """Return the answer that `text` gives, or a Reading without value and with the reason.

    In order: the last box, the last explicit statement, the only bold answer, the last conclusion, the only answer
    named at all. In each place the first layer with hits counts.
    """
    return stated(text, layers, rules) or concluded(text, layers, rules)


def stated(text: str, layers: Sequence[Layer], rules: Rules) -> Reading | None:
    """Return the answer of the last box, the last explicit statement or the only bold answer; None without these."""
    box = last_box(text)
    if box is not None:
        return settle(_in_first_layer(layers, [box]), "boxed", rules)
    if _ends_on_something_else(text, layers):
        return Reading(None, f"the answer names no {rules.noun}")
    reading = _first_settled(text, layers, statements(text, rules.statements), "statement", rules)
    if reading is not None:
        return reading
    bold = _in_first_layer(layers, bolds(text))
    return settle(bold, "bold", rules) if len({hit.value for hit in bold}) == 1 else None


_ANSWER_COLON = re.compile(r"\banswer[*_\"'`)]{0,4}[ ]?:[\s*_]{0,8}", re.IGNORECASE)


def _ends_on_something_else(text: str, layers: Sequence[Layer]) -> bool:
    """Say whether the reply ends on an "Answer: unknown", so that nothing said before it can be meant."""
    ends = [cue.end() for cue in _ANSWER_COLON.finditer(text)]
    if not ends or not text[ends[-1] :].strip():
        return False
    return not any(layer.inside(Span(ends[-1], len(text))) for layer in layers)


def concluded(text: str, layers: Sequence[Layer], rules: Rules) -> Reading:
    """Return the answer of the last conclusion, else the one answer that is named anywhere."""
    if rules.conclusions is not None:
        spans = conclusions(text, rules.conclusions, sentence=rules.by_sentence)
        reading = _first_settled(text, layers, spans, "conclusion", rules)
        if reading is not None:
            return reading
    return settle(next((layer.hits for layer in layers if layer.hits), ()), f"only {rules.noun}", rules)


def settle(hits: Sequence[Hit], rule: str, rules: Rules) -> Reading:
    """Return the one value of `hits`; no value when there are none or several."""
    values = {hit.value for hit in hits}
    if not values:
        return Reading(None, f"no {rules.noun}")
    if len(values) > 1:
        return Reading(None, f"two {rules.noun}s")
    (value,) = values
    return Reading(value, rule if value is not None else f"no valid {rules.noun}")


_IMMEDIATE_WORD = (
    r"(?:the|an?|that|this|it|it's|is|to|of|on|be|option|choice|letter|label|answer|point|image|most|likely|probably"
    r"|clearly|definitely|actually|about|approximately|approx\.?|roughly|around|nearly|exactly|only|just|there|are)"
)
_IMMEDIATE = re.compile(rf"[^\w]*(?:{_IMMEDIATE_WORD}\b[^\w]*)*", re.IGNORECASE)
_ALTERNATIVE = re.compile(
    r"(?!.*\b(?:because|since|as|than|while|but)\b)(?:[^.;]*\b(?:or|and)\b[^\w.;]*|[^\w.;]*[/&,|][^\w.;]*)"
    rf"(?:{_IMMEDIATE_WORD}\b[^\w.;]*)*",
    re.IGNORECASE | re.DOTALL,
)


def _first_settled(
    text: str, layers: Sequence[Layer], spans: Iterable[Span], rule: str, rules: Rules
) -> Reading | None:
    for span in spans:
        hits = _in_first_layer(layers, [span])
        values = {hit.value for hit in hits}
        if len(values) == 1:
            return settle(hits, rule, rules)
        if hits and _near(text, span.start, hits[0].start, _IMMEDIATE):
            return settle(_with_alternative(text, hits, rules), rule, rules)
    return None


def _with_alternative(text: str, hits: Sequence[Hit], rules: Rules) -> Sequence[Hit]:
    """Return the first of several hits, with what is offered beside it: "A or B", "(A) one (B) two (C) three"."""
    values = {hit.value for hit in hits}
    second = next(index for index, hit in enumerate(hits) if hit.value != hits[0].value)
    offered = _near(text, hits[second - 1].end, hits[second].start, _ALTERNATIVE)
    listed = rules.enumerable and len(values) > 2 and not _REASON.search(text, hits[0].end, hits[second].start)
    return hits[: second + 1] if offered or listed else hits[:1]


_REASON = re.compile(r"\b(?:because|since|as)\b", re.IGNORECASE)


def _near(text: str, start: int, end: int, between: re.Pattern[str]) -> bool:
    return end - start <= _REACH and between.fullmatch(text, start, end) is not None


def _in_first_layer(layers: Sequence[Layer], spans: Sequence[Span]) -> list[Hit]:
    for layer in layers:
        hits = [hit for span in spans for hit in layer.inside(span)]
        if hits:
            return hits
    return []
