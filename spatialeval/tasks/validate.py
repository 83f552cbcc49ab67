"""Checks of a task file beyond its schema. All of them really run: rows, prompts, replies, counts, arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval.data.media import check_media
from spatialeval.errors import DataError, SpatialEvalError
from spatialeval.tasks import checks
from spatialeval.tasks.checks import Finding, Warned
from spatialeval.tasks.task import Task, load_task
from spatialeval.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def validate_task(name: str, data: Path | None = None, media: Path | None = None) -> list[Finding]:
    """Return the findings for one task file and its variants, on `data` too when they are given.

    Raises:
        TaskFileError: when the file cannot be loaded at all.
    """
    task = load_task(name)
    findings = [Finding(True, f"schema and templates; protocols: {', '.join(task.protocols)}")]
    findings += checks.offline(task)
    for variant in task.spec.variants if task.variant is None else ():
        findings += _variant(load_task(f"{name}:{variant}"))
    if data is not None or task.spec.data.source.startswith("generate:"):
        findings += list(_all_rows(task, data, media))
    return findings


def _variant(task: Task) -> Iterator[Finding]:
    yield Finding(True, f"variant {task.name}")
    yield from checks.counts(task)
    for reference in task.spec.reference:
        yield checks.published(task, reference)


def _all_rows(task: Task, data: Path | None, media: Path | None) -> Iterator[Finding]:
    """Load every row, render it under every protocol, and see that its gold answer can be read."""
    try:
        samples = task.samples(data, media)
    except SpatialEvalError as error:
        yield Finding(False, str(error))
        return
    yield Finding(True, f"{len(samples):,} rows loaded; {len({s.group for s in samples}):,} groups")
    for name in task.protocols:
        protocol = task.protocol(name)
        try:
            for sample in samples:
                protocol.request(sample)
        except DataError as error:
            yield Finding(False, str(error))
        else:
            yield Finding(True, f"{len(samples):,} prompts of {name} rendered")
    yield from checks.gold_is_readable(task, samples)
    yield from checks.options_and_gold(task, samples)
    yield from checks.categories_are_known(task, samples)
    missing = check_media(samples)
    if missing.count:
        be = "is" if missing.count == 1 else "are"
        yield Warned(True, f"{counted(missing.count, 'media file')} {be} not here, such as {missing.first[0]}")


__all__ = ["Finding", "Warned", "validate_task"]
