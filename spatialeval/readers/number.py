"""The strict reader of numbers, with units where the sample says in which unit it asks."""

# ruff: noqa: RUF001  # the look-alike characters are what replies contain
from __future__ import annotations

import re
from dataclasses import dataclass
from math import isclose, isnan, nan
from typing import TYPE_CHECKING

from spatialeval.readers import READERS
from spatialeval.readers.hits import Hit, Layer, Rules, affirmed, concluded, settle, stated
from spatialeval.readers.quantities import Quantity, quantities, tidy
from spatialeval.readers.replies import ANSWER_NOUNS, read_reply, statement_cues, unwrapped
from spatialeval.readers.units import Unit, convert, unit_named
from spatialeval.scores import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Sample

_CONCLUSIONS = re.compile(
    r"\b(?:(?:therefore|thus|hence|so|overall|in conclusion)\b|total (?:of|is)\b|total:"
    r"|in (?:total|all),? (?:there|we|i|it)\b)"
    r"|\b(?:approximately|approx\.?|roughly|about|around|estimated? (?:at|to be|as))(?!\w)|[=≈]",
    re.IGNORECASE,
)
_RULES = Rules(
    "number",
    statements=statement_cues(f"{ANSWER_NOUNS}|total|count|estimate|sum"),
    conclusions=_CONCLUSIONS,
    by_sentence=True,
)


@READERS.register("strict_number")
@dataclass(frozen=True)
class StrictNumber:
    """Reads the number a reply ends on, in the unit of `sample.meta["unit"]` where the sample names one.

    Thousands separators, decimals, powers of ten, fractions, number words and units are understood. Numbers in
    another kind of unit (metres when square metres are asked) are no answers. A range is not read, and of several
    numbers one is taken only after an explicit statement or a conclusion ("so", "total", "=", "approximately").
    """

    def __call__(self, text: str, sample: Sample) -> Reading:
        """Return the number that `text` answers to `sample`."""
        named = sample.meta.get("unit")
        asked = unit_named(named) if isinstance(named, str) else None
        return read_reply(text, lambda part: _read(tidy(unwrapped(part)), asked))


def _read(text: str, asked: Unit | None) -> Reading:
    said = quantities(text)
    found = said if asked is None else _in_unit(text, said, asked)
    found = _with_ranges(text, found)
    layers = [Layer(_hits(text, found))]
    if asked is not None:
        layers.insert(0, Layer(_hits(text, [each for each in found if each.unit is not None])))
    if said and not found:
        return Reading(None, "number in another kind of unit")
    return stated(text, layers, _RULES) or _totalled(text, layers) or concluded(text, layers, _RULES)


def _hits(text: str, found: Sequence[Quantity]) -> list[Hit]:
    return affirmed(text, [Hit(None if isnan(each.value) else each.value, each.start, each.end) for each in found])


_JOINED = re.compile(r"[ \t]*(?:,|and)?[ \t]*", re.IGNORECASE)
_RESTATED = re.compile(
    r"\s*(?:[(\[/=≈,]+\s*(?:or|about|approximately|roughly|i\.e\.,?|=|≈|~)?|or|or about)\s*", re.IGNORECASE
)
_SAME_WITHIN = 0.05


def _in_unit(text: str, found: Sequence[Quantity], asked: Unit) -> list[Quantity]:
    """Return bare numbers and those of the asked kind, converted; "5 ft 6 in" becomes one, "5 ft (1.5 m)" as well."""
    kept: list[Quantity] = []
    last: Unit | None = None
    for each in found:
        if each.unit is not None and each.unit.kind != asked.kind:
            continue
        unit = each.unit
        here = Quantity(each.value if unit is None else convert(each.value, unit, asked), unit, each.start, each.end)
        joined = _join(text, kept[-1], here, last, asked) if kept and last and unit else None
        if joined:
            kept[-1] = joined
        else:
            kept.append(here)
        last = unit
    return kept


def _join(text: str, before: Quantity, here: Quantity, last: Unit | None, asked: Unit) -> Quantity | None:
    """Return the one quantity that two neighbours say together, or None when they are two."""
    if last is None or here.unit is None or last == here.unit or here.start - before.end > 20:
        return None
    if last.size > here.unit.size and _JOINED.fullmatch(text, before.end, here.start):
        return Quantity(before.value + here.value, here.unit, before.start, here.end)
    same = isclose(before.value, here.value, rel_tol=_SAME_WITHIN)
    if same and _RESTATED.fullmatch(text, before.end, here.start):
        return Quantity(here.value if here.unit == asked else before.value, here.unit, before.start, here.end)
    return None


_TO = re.compile(r"\s*(?:-|–|—|~|to|or)\s*", re.IGNORECASE)
_AND = re.compile(r"\s*and\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s+(?:about |roughly )?$", re.IGNORECASE)
_EQUALS = re.compile(r"\s*=")


def _with_ranges(text: str, found: Sequence[Quantity]) -> list[Quantity]:
    """Return `found` with the two ends of each range replaced by one quantity without a value (nan)."""
    kept: list[Quantity] = []
    for each in found:
        if kept and each.start - kept[-1].end < 20 and _is_range(text, kept[-1], each):
            before = kept.pop()
            kept.append(Quantity(nan, before.unit or each.unit, before.start, each.end))
        else:
            kept.append(each)
    return kept


def _is_range(text: str, low: Quantity, high: Quantity) -> bool:
    if _EQUALS.match(text, high.end):
        return False
    if _TO.fullmatch(text, low.end, high.start):
        return True
    spanned = _BETWEEN.search(text[max(0, low.start - 24) : low.start])
    return bool(spanned and _AND.fullmatch(text, low.end, high.start))


_TOTAL_AFTER = re.compile(r"[^.,;:\n0-9]{0,40}?\b(?:in total|altogether|in all)\b", re.IGNORECASE)


def _totalled(text: str, layers: Sequence[Layer]) -> Reading | None:
    """Read "3 in total": the last number that the total is said of."""
    for layer in layers:
        totals = [hit for hit in layer.hits if _TOTAL_AFTER.match(text, hit.end)]
        if totals:
            return settle(totals[-1:], "total", _RULES)
    return None
