"""Which prompts teach: those that the base neither always nor never solves. Each is asked several times beforehand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spatialeval.errors import StorageError
from spatialeval.models import ModelOptions, open_model
from spatialeval.run.storage import unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spatialeval.models import Model
    from spatialeval.training.rows import Row
    from spatialeval.training.schema import Filter

FILE_NAME = "filter.jsonl"
"""In the folder of a stage: {"asked": digest, "row": key, "right": 3, "of": 4}, a line per prompt as it is answered."""

_BATCH = 32
_PAUSE = 0.5
"""Seconds between two looks at what another process has asked."""


def teaching(
    rule: Filter, rows: Sequence[Row], base: str, max_tokens: int, folder: Path, *, tell: Callable[[str], None] | None
) -> tuple[list[Row], dict[str, int]]:
    """Return the rows that the rule keeps, and how many it leaves out for which reason.

    Prompts that were asked before, and whose answers are in the folder, are not asked again.

    Args:
        rule: how often each prompt is asked, and what is kept.
        rows: candidates.
        base: folder or hub name of the model that is asked, with `@revision` where given.
        max_tokens: of one answer.
        folder: of the stage.
        tell: hears what happens; None where another process asks, whose answers are waited for.

    Raises:
        StorageError: when the answers cannot be kept.
        ModelError: when the base cannot answer.
    """
    asked = {row.key: _digest(rule, row, base, max_tokens) for row in rows}
    known = _read(folder / FILE_NAME)
    while tell is None and not known.keys() >= set(asked.values()):
        time.sleep(_PAUSE)  # a barrier of torch would give up after some minutes
        known = _read(folder / FILE_NAME)
    missing = [row for row in rows if asked[row.key] not in known]
    if missing and tell is not None:
        tell(f"filter: asking {base} {rule.samples} times each about {len(missing):,} prompts")
        asyncio.run(_ask(rule, missing, asked, base, max_tokens, folder / FILE_NAME))
        known = _read(folder / FILE_NAME)
    kept: list[Row] = []
    left_out = {"hopeless": 0, "solved": 0}
    for row in rows:
        share = known[asked[row.key]]
        if share <= rule.above:
            left_out["hopeless"] += 1
        elif share >= rule.below:
            left_out["solved"] += 1
        else:
            kept.append(row)
    return kept, left_out


def _digest(rule: Filter, row: Row, base: str, max_tokens: int) -> str:
    told = (rule.samples, rule.temperature, row.key, row.request.digest, base, max_tokens, row.prompt.reader)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


async def _ask(
    rule: Filter, rows: Sequence[Row], asked: dict[str, str], base: str, max_tokens: int, file: Path
) -> None:
    name, _, revision = base.partition("@")
    model = open_model(f"hf:{name}", ModelOptions(batch_size=_BATCH, extra={"revision": revision} if revision else {}))
    await model.start()
    try:
        with file.open("a") as stream:
            for start in range(0, len(rows), _BATCH):
                chunk = rows[start : start + _BATCH]
                rights = await asyncio.gather(*(_right(model, rule, row, asked[row.key], max_tokens) for row in chunk))
                for row, right in zip(chunk, rights, strict=True):
                    line = {"asked": asked[row.key], "row": row.key, "right": right, "of": rule.samples}
                    stream.write(json.dumps(line) + "\n")
                stream.flush()
    except OSError as error:
        raise unwritable(file, error) from error
    finally:
        await model.close()


async def _right(model: Model, rule: Filter, row: Row, digest: str, max_tokens: int) -> int:
    """Return how many of the replies are worth the full score. Seeds come from what is asked."""
    seed = int(digest[:7], 16)
    requests = [
        replace(
            row.request,
            settings=replace(
                row.request.settings, temperature=rule.temperature, seed=seed + number, max_tokens=max_tokens
            ),
        )
        for number in range(rule.samples)
    ]
    replies = await asyncio.gather(*(model.ask(request) for request in requests))
    return sum(row.grader.grade(row.sample, reply.text, reply.finish).value == 1.0 for reply in replies)


def _read(file: Path) -> dict[str, float]:
    """Return digest -> share of right answers; a line that was cut off is asked again."""
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"{file} cannot be read ({error}). Add --fresh to start over.") from error
    shares: dict[str, float] = {}
    for line in lines:
        try:
            told: dict[str, Any] = json.loads(line)
            shares[str(told["asked"])] = told["right"] / told["of"]
        except (ValueError, KeyError, TypeError):
            continue
    return shares
