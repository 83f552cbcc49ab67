"""Units of measure: how people write them and how they convert."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure.

    Attributes:
        kind: what it measures, such as "length" or "area"; only units of one kind convert.
        size: how many base units (metre, square metre, cubic metre, degree, second) it is.
    """

    kind: str
    size: float


_LENGTHS = {
    0.001: "mm|millimet(?:er|re)s?",
    0.01: "cm|cms|centimet(?:er|re)s?",
    0.1: "dm|decimet(?:er|re)s?",
    1.0: "m|met(?:er|re)s?",
    1000.0: "km|kms|kilomet(?:er|re)s?",
    0.0254: "in|inch|inches",
    0.3048: "ft|foot|feet",
    0.9144: "yd|yds|yards?",
    1609.344: "mi|miles?",
}
_OTHERS = {
    Unit("angle", 1.0): "°|deg|degs|degrees?",
    Unit("angle", 57.29577951308232): "rad|rads|radians?",
    Unit("time", 1.0): "s|sec|secs|seconds?",
    Unit("time", 60.0): "min|mins|minutes?",
    Unit("time", 3600.0): "h|hr|hrs|hours?",
    Unit("share", 0.01): "%|percent",
}


def _spellings() -> list[tuple[str, Unit]]:
    """Return (pattern, unit) pairs; squares and cubes of lengths first, so that "m^2" is not read as "m"."""
    areas = [
        (rf"(?:sq\.?|square)[ \-]?(?:{names})|(?:{names})(?:\^?\{{?2\}}?|[ ]squared)", Unit("area", size**2))
        for size, names in _LENGTHS.items()
    ]
    volumes = [
        (rf"(?:cu\.?|cubic)[ \-]?(?:{names})|(?:{names})(?:\^?\{{?3\}}?|[ ]cubed)", Unit("volume", size**3))
        for size, names in _LENGTHS.items()
    ]
    lengths = [(names, Unit("length", size)) for size, names in _LENGTHS.items()]
    return [*areas, *volumes, *lengths, *((names, unit) for unit, names in _OTHERS.items())]


_UNITS = _spellings()
# Alone, "in" is a word ("3 in total"): it is inches only right after the number or before a stop.
_PATTERN = re.compile(
    r"(?!\s+in\b(?!\.?\s*(?:[,;)\]\n]|$)))[ \t]{0,3}-?[ \t]?(?:"
    + "|".join(f"(?P<u{index}>{spelling})" for index, (spelling, _) in enumerate(_UNITS))
    + r")(?![^\W_])",
    re.IGNORECASE,
)
_WORTH_TRYING = re.compile(r"[ \t]{0,3}-?[ \t]?[A-Za-z%°]")


@dataclass(frozen=True, slots=True)
class FoundUnit:
    """A unit in a text and where it ends."""

    unit: Unit
    end: int


def unit_at(text: str, position: int) -> FoundUnit | None:
    """Return the unit that stands at `position`, after at most a few spaces or a hyphen."""
    match = _PATTERN.match(text, position) if _WORTH_TRYING.match(text, position) else None
    if match is None or match.lastgroup is None:
        return None
    return FoundUnit(_UNITS[int(match.lastgroup[1:])][1], match.end())


def unit_named(name: str) -> Unit | None:
    """Return the unit that `name` is a spelling of; None for names that are no units of measure ("chairs")."""
    name = name.strip().replace("²", "^2").replace("³", "^3")
    found = unit_at(f"{name}\n", 0)
    return found.unit if found and found.end == len(name) else None


def convert(value: float, unit: Unit, asked: Unit) -> float:
    """Return `value` of `unit` in `asked`, to 12 significant digits, so that 7 cm are 0.07 m exactly."""
    return float(f"{value * unit.size / asked.size:.12g}")
