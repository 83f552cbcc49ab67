"""Texts about tasks for the terminal: the row of a list, the description, and what a check found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from spatialeval.cli.wrapping import wrapped
from spatialeval.tasks.checks import Warned
from spatialeval.tasks.load import load_spec
from spatialeval.tasks.suites import expand, suites
from spatialeval.tasks.task import load_task
from spatialeval.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spatialeval.tasks import Task
    from spatialeval.tasks.checks import Finding
    from spatialeval.tasks.schema import TaskSpec

_INDENT = 13
"""Where the texts of a description begin."""


def task_row(file: Path) -> dict[str, Any]:
    """Return what a list shows of one task file."""
    spec, _lines = load_spec(file)
    return _told(spec, file)


def member_row(name: str) -> dict[str, Any]:
    """Return what a list shows of one member of a suite, which may be a variant or have parameters."""
    task = load_task(name)
    whole = task.variant is None and not task.params
    return _told(task.spec, task.file) | {"id": name} | ({} if whole else {"variants": []})


def _told(spec: TaskSpec, file: Path) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.about.title,
        "rows": spec.data.expect.rows,
        "generated": spec.data.source.startswith("generate:"),
        "abilities": list(spec.about.abilities),
        "protocols": list(spec.protocols),
        "variants": list(spec.variants),
        "file": str(file),
    }


def row_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the rows of a list of tasks for people."""
    width = max((len(row["id"]) for row in rows), default=0) + 2
    for row in rows:
        for line in _row(row, width):
            yield from wrapped(line, width)


def _row(row: dict[str, Any], width: int) -> Iterator[str]:
    known = f"{row['rows']} rows" if row["rows"] else "rows not known"
    count = "generated" if row["generated"] else known
    yield f"{row['id']:<{width}}{row['title']}"
    yield f"{'':<{width}}{count} · {', '.join(row['abilities'])} · protocols: {', '.join(row['protocols'])}"
    if row["variants"]:
        yield f"{'':<{width}}variants: {', '.join(row['id'] + ':' + v for v in row['variants'])}"


def suite_lines() -> Iterator[str]:
    """Yield the suites, a line each, after an empty line."""
    width = max(map(len, suites())) + 2
    yield ""
    yield "  suites, usable wherever a task is:"
    for name, suite in suites().items():
        yield from wrapped(f"  {name:<{width}}{counted(len(expand([name])), 'task')} · {suite.title}", width + 2)


def describe_suite(name: str) -> str:
    """Return what a suite holds, for people."""
    tasks = expand([name])
    head = wrapped(f"{name}: {suites()[name].title}", 2)
    return "\n".join([*head, *(f"  {task}" for task in tasks), counted(len(tasks), "task")])


def report_lines(name: str, report: Sequence[Finding], *, verbose: bool) -> Iterator[str]:
    """Yield the findings about one task file: one line when all is well; failures and warnings always."""
    bad = [finding for finding in report if not finding.good]
    warned = [finding for finding in report if isinstance(finding, Warned)]
    state = click.style("FAIL", fg="red") if bad else click.style("ok", fg="green")
    counts = f"{len(report)} checks" if not bad else f"{len(bad)} of {len(report)} checks failed"
    yield f"{state}  {name}  {counts}" + (f", {counted(len(warned), 'warning')}" if warned else "")
    for finding in report if verbose else (*bad, *warned):
        mark = "✗" if not finding.good else "!" if isinstance(finding, Warned) else "·"
        yield f"    {mark} {finding.text}"


def describe(task: Task) -> str:
    """Return a description of a task for people."""
    return "\n".join(line for text in _describe(task) for line in wrapped(text, _INDENT))


def _describe(task: Task) -> Iterator[str]:
    spec = task.spec
    yield f"{task.name}: {spec.about.title}"
    if task.variant:
        yield f"  variant    {spec.variants[task.variant].title}"
    for name in ("paper", "code", "license"):
        if getattr(spec.about, name):
            yield f"  {name:<10} {getattr(spec.about, name)}"
    yield f"  abilities  {', '.join(spec.about.abilities)}"
    data = spec.data
    hub = [str(data.config or ""), data.split, f"@ {data.revision}"] if data.source.startswith("hf:") else []
    yield f"  data       {' '.join(filter(None, [data.source, *hub]))}"
    if data.params or task.params:
        yield f"  parameters {', '.join(f'{k}={v}' for k, v in {**data.params, **task.params}.items())}"
    if data.bring:
        yield f"  to bring   {data.bring}"
    if data.expect.rows is not None:
        yield f"  rows       {data.expect.rows:,}"
    for category, count in data.expect.categories.items():
        yield f"             {count:>7,}  {category}"
    for name, variant in spec.variants.items() if task.variant is None else ():
        yield f"  variant    {spec.id}:{name} · {variant.title}"
    for note in spec.about.notes:
        yield f"  note       {note}"
    yield from _protocol_lines(task)
    yield f"  file       {task.file}"


def _protocol_lines(task: Task) -> Iterator[str]:
    spec = task.spec
    for name in task.protocols:
        protocol = spec.protocols[name]
        default = " (default)" if name == spec.default_protocol else ""
        yield f"  protocol   {name}{default}{'' if protocol.verified else ' [unverified]'} · {protocol.source}"
        if protocol.note:
            yield f"             {protocol.note}"
    for row in spec.reference:
        shown = "no headline" if row.headline is None else f"{row.headline * (100 / row.scale):.4g}"
        yield f"  published  {row.model}: {shown} ({row.protocol or spec.default_protocol}; {row.source})"
