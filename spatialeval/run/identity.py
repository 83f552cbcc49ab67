"""The identity of a run: what can change an answer or its score; and the check that a resumed run is still the same.

Not part of it: how many samples are asked, how fast, where the results go, and which machine it is.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from spatialeval.data.fingerprint import fingerprint
from spatialeval.errors import RunChangedError
from spatialeval.foreign import blaming
from spatialeval.run.secrets import redact_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from spatialeval.models.base import Model
    from spatialeval.samples import Sample
    from spatialeval.strategies.base import Strategy
    from spatialeval.tasks import Task, TaskProtocol
    from spatialeval.views.base import View

RULES_VERSION = 2
"""Raised by hand whenever a reader, a scorer, a strategy or a template changes what it does under an unchanged name."""

_LONGEST_VALUE = 160
_ABSENT = "(absent)"


def run_identity(
    *,
    task: Task,
    protocol: TaskProtocol,
    strategy: Strategy,
    views: Sequence[View],
    model: Model,
    judge: Model | None = None,
    samples: Iterable[Sample],
) -> dict[str, Any]:
    """Return everything that decides what is asked and how it is scored, JSON-able and without secrets."""
    with blaming("strategy", strategy):
        asking = strategy.identity()
    identity = {
        "task": task.identity(),
        "protocol": protocol.identity(),
        "strategy": asking,
        "views": [_of_view(view) for view in views],
        "model": model.identity(),
        "data": fingerprint(samples),
        "rules": RULES_VERSION,
    }
    if judge is not None:
        identity["judge"] = judge.identity()
    # Through JSON, so that a fresh identity equals a stored one: tuples are lists and keys are strings in both.
    plain: dict[str, Any] = json.loads(json.dumps(redact_data(identity), default=str))
    return plain


def _of_view(view: View) -> dict[str, Any]:
    with blaming("view", view):
        return view.identity()


def check_same(old: Mapping[str, Any], new: Mapping[str, Any], folder: Path) -> None:
    """Raise RunChangedError, listing every changed key with its old and new value, unless both identities are equal."""
    before, after = flatten(old), flatten(new)
    changed = [key for key in sorted({*before, *after}) if before.get(key, _ABSENT) != after.get(key, _ABSENT)]
    if not changed:
        return
    lines = "\n".join(f"  {key}: {_change(before.get(key, _ABSENT), after.get(key, _ABSENT))}" for key in changed)
    raise RunChangedError(
        f"{folder} holds answers to other questions. Changed since it was started:\n{lines}\n"
        f"Undo the change to resume, add --fresh to start over (the old folder is moved aside to "
        f"{folder.name}.old-TIME, never deleted), or choose another place with --out."
    )


def flatten(data: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings and lists as one dict with dotted keys, such as `settings.stop.0`."""
    if isinstance(data, dict) and data:
        pairs: Iterable[tuple[Any, Any]] = data.items()
    elif isinstance(data, list) and data:
        pairs = enumerate(data)
    else:
        return {prefix: data}
    return {
        key: leaf
        for name, value in pairs
        for key, leaf in flatten(value, f"{prefix}.{name}" if prefix else str(name)).items()
    }


def _change(old: Any, new: Any) -> str:
    """Return `old -> new`; of long values only what is around the first difference."""
    texts = [value if value is _ABSENT else json.dumps(value, ensure_ascii=False) for value in (old, new)]
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(0, same - _LONGEST_VALUE // 4)
    return " -> ".join(_short(text, start) for text in texts)


def _short(text: str, start: int) -> str:
    if len(text) <= _LONGEST_VALUE:
        return text
    part = text[start : start + _LONGEST_VALUE]
    return f"{'...' if start else ''}{part}{'...' if start + len(part) < len(text) else ''} ({len(text)} characters)"
