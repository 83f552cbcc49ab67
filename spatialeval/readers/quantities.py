"""Numbers with their units in running text: digits, thousands separators, powers of ten, fractions, number words."""

# ruff: noqa: RUF001  # the look-alike characters are what replies contain
from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite

from spatialeval.readers.units import FoundUnit, Unit, unit_at


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text, with the unit that follows it."""

    value: float
    unit: Unit | None
    start: int
    end: int


_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_ONES = tuple(_TO_NINETEEN.split())
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORD_VALUES = {word: value for value, word in enumerate(_ONES)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}

_SMALL = rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES[1:10])}))?|{'|'.join(sorted(_ONES, key=len, reverse=True))}"
_IN_WORDS = re.compile(
    rf"(?<![\w\-])(?:(?P<hundreds>(?:(?:an?|{'|'.join(_ONES[1:10])})[ ])?hundred)\b"
    rf"(?:[ ](?:and[ ])?(?P<rest>{_SMALL})\b)?"
    rf"|(?P<small>{_SMALL})\b)",
    re.IGNORECASE,
)
_IN_DIGITS = re.compile(
    r"(?<![\w.^])(?P<sign>[-+](?=[0-9.]))?"
    r"(?P<body>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"(?:(?P<power>[eE][-+]?[0-9]{1,3}(?!\w)|[ ]?[x×*·][ ]?10\^\{?[-+]?[0-9]{1,3}\}?)"
    r"|(?:[ ](?P<top>[0-9]{1,3}))?/(?P<bottom>[0-9]{1,4})(?![\w/]))?"
)
_SPACED_THOUSANDS = re.compile("(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
_PLAINER = str.maketrans(
    {"−": "-", "﹣": "-", "－": "-", "²": "^2", "³": "^3", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "$": " "}
    | {chr(0xFF10 + digit): str(digit) for digit in range(10)}
    | {"．": ".", "，": ",", "：": ":", "＝": "=", "～": "~", "≃": "≈", "≅": "≈", "∼": "~"}
)
_LATEX = (
    (r"\times", "×"),
    (r"\cdot", "·"),
    (r"\approx", "≈"),
    (r"\pm", "±"),
    (r"\,", " "),
    (r"{,}", ","),
    (r"\ ", " "),
)
_AFTER_DIGIT = re.compile(r"([0-9])([½¼¾⅓⅔])")
_FRACTION = re.compile(r"\\d?frac\{([0-9]{1,4})\}\{([0-9]{1,4})\}")


def tidy(text: str) -> str:
    """Return `text` with typographic minus signs, spaces, powers and fractions written in plain characters."""
    text = _AFTER_DIGIT.sub(r"\1 \2", _SPACED_THOUSANDS.sub("", text))
    for sign, fraction in _VULGAR.items():
        text = text.replace(sign, fraction)
    for command, character in _LATEX:
        text = text.replace(command, character)
    return _FRACTION.sub(r"\1/\2", text).translate(_PLAINER)


_TOLERANCE_BEFORE = re.compile(r"(?:±|\+/-|\+-)\s?$")
_NAME_BEFORE = re.compile(
    r"(?:\b(?:frames?|images?|figures?|fig\.|steps?|options?|scenes?|pictures?|views?|questions?|photos?|videos?|rooms?"
    r"|cameras?|points?|no\.)\s?|#)$",
    re.IGNORECASE,
)
_GLUED = re.compile(r"\^|-?[^\W\d_]")
_LIST_MARK = re.compile(r"(?:^|\n)[ \t*_>\-]*$")
_LIST_MARK_END = re.compile(r"[.)]\*{0,2}[ \t]+\S")
_ONE_THE_PRONOUN = re.compile(
    r"\b(?:the|this|that|another|no|which|each|every|first|second|last|other|any)\s$", re.IGNORECASE
)
_ONE_GOES_ON = re.compile(r"\s(?:of|another|can|could|would|should|might|by|is|that|side|way|on|in)\b|-", re.IGNORECASE)
_REACH = 24


def quantities(text: str) -> list[Quantity]:
    """Return the quantities of a tidied text in order.

    Left out: tolerances ("± 0.5"), names ("frame 3"), list marks ("1. the sofa"), numbers glued to other words ("3D",
    "2nd", "3-seat sofa"), and "one" where it is a pronoun.
    """
    found = [*_digits(text), *_words(text)]
    return sorted((each for each in found if isfinite(each.value)), key=lambda each: each.start)


def _digits(text: str) -> list[Quantity]:
    matches = list(_IN_DIGITS.finditer(text))
    marks = [_is_list_mark(text, match) for match in matches]
    keep_marks = all(marks)
    found = []
    for match, mark in zip(matches, marks, strict=True):
        before = text[max(0, match.start() - _REACH) : match.start()]
        dropped = (mark and not keep_marks) or _TOLERANCE_BEFORE.search(before) or _NAME_BEFORE.search(before)
        unit = unit_at(text, match.end())
        if dropped or (unit is None and _GLUED.match(text, match.end())):
            continue
        found.append(_quantity(_value(match), unit, match))
    return found


def _is_list_mark(text: str, match: re.Match[str]) -> bool:
    head = text[max(0, match.start() - _REACH) : match.start()]
    alone = match[0].isdigit() and _LIST_MARK.search(head) is not None
    return alone and _LIST_MARK_END.match(text, match.end()) is not None


def _value(match: re.Match[str]) -> float:
    body = match["body"].replace(",", "")
    if match["bottom"]:
        value = _fraction(float(body), match["top"], float(match["bottom"]))
    elif match["power"]:
        value = float(f"{body}e{re.split(r'[eE^]', match['power'])[1].strip('{}')}")
    else:
        value = float(body)
    return -value if match["sign"] == "-" else value


def _fraction(value: float, top: str | None, bottom: float) -> float:
    if bottom == 0:
        return float("nan")
    return value / bottom if top is None else value + float(top) / bottom


def _words(text: str) -> list[Quantity]:
    found = []
    for match in _IN_WORDS.finditer(text):
        unit = unit_at(text, match.end())
        before = text[max(0, match.start() - _REACH) : match.start()]
        pronoun = match[0].lower() == "one" and (
            _ONE_THE_PRONOUN.search(before) or _ONE_GOES_ON.match(text, match.end())
        )
        named = _NAME_BEFORE.search(before)
        if pronoun or named or (unit is None and _GLUED.match(text, match.end())):
            continue
        found.append(_quantity(_word_value(match), unit, match))
    return found


def _word_value(match: re.Match[str]) -> float:
    if match["small"]:
        return _small(match["small"])
    count = match["hundreds"].lower().split()[0]
    hundreds = _WORD_VALUES.get(count, 1) * 100
    return float(hundreds + (_small(match["rest"]) if match["rest"] else 0))


def _small(words: str) -> float:
    return float(sum(_WORD_VALUES[word] for word in re.split(r"[ -]", words.lower())))


def _quantity(value: float, found: FoundUnit | None, match: re.Match[str]) -> Quantity:
    return Quantity(value, found.unit if found else None, match.start(), found.end if found else match.end())
