"""Making strangers' texts safe to store and to print."""

from __future__ import annotations

import re

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """Return `text` with halves of characters, which JSON can carry and UTF-8 cannot, marked as unreadable."""
    return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def printable(text: str, keep: str = "") -> str:
    """Return `text` without characters that could steer a terminal; those in `keep`, such as line ends, stay."""
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)
