"""Making strangers' texts safe to store and to print, and JSON fast where there is much of it."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import orjson

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """Return `text` with halves of characters, which JSON can carry and UTF-8 cannot, marked as unreadable."""
    return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def printable(text: str, keep: str = "") -> str:
    """Return `text` without characters that could steer a terminal; those in `keep`, such as line ends, stay."""
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)


def counted(number: int, thing: str) -> str:
    """Return `1 task`, `2 tasks`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def to_json(value: Any) -> bytes:
    """Return JSON in UTF-8, dataclasses included; halves of characters and huge numbers are as `json` writes them."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, default=_plain).encode()


def from_json(text: str | bytes) -> Any:
    """Return what JSON text holds, also the NaN, halves of characters and huge numbers that only `json` writes.

    Raises:
        ValueError: when it is no JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _plain(value: Any) -> Any:
    return {field.name: getattr(value, field.name) for field in fields(value)}
