"""Reading `log.jsonl` of a stage: one JSON line per step, as TRL logs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "log.jsonl"


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a stage's log; one that was cut off while it was written is left out."""
    file = folder / FILE_NAME
    if not file.is_file():
        return []
    return [told for line in file.read_text().splitlines() if (told := _read(line))]


def lines_until(folder: Path, step: int) -> list[dict[str, Any]]:
    """Return the lines up to and including a step."""
    return [line for line in read_log(folder) if line["step"] <= step]


def _read(line: str) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(line)
        int(told["step"])
    except (ValueError, KeyError, TypeError):
        return None
    return told
