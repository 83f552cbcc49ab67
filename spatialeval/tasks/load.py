"""From a file to a checked TaskSpec: variants merged, every error with file, line, key and the nearest valid key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import jinja2

from spatialeval.errors import TaskFileError, UnknownNameError, nearest
from spatialeval.tasks.schema import TaskSpec
from spatialeval.templates import prompts_folder, sandbox
from spatialeval.yamlfile import KeyPath, Lines, checked, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def load_spec(file: Path, variant: str | None = None) -> tuple[TaskSpec, Lines]:
    """Return the checked spec of `file`, with the changes of `variant` merged in, and the lines of its keys.

    Raises:
        TaskFileError: naming file, line and key; its further problems follow on their own lines.
        UnknownNameError: when there is no such variant.
    """
    raw, lines = read_yaml(file)
    spec = checked(TaskSpec, raw, file, lines)
    if variant is not None:
        if variant not in spec.variants:
            raise UnknownNameError(f"variant of task {spec.id!r}", variant, spec.variants)
        spec = checked(TaskSpec, merge_variant(raw, variant), file, lines, ("variants", variant))
    _check_names(spec, file, lines)
    return spec, lines


def merge_variant(raw: dict[str, Any], variant: str) -> dict[str, Any]:
    """Return the raw task with one variant's changes in place. Counts and references of the base do not carry over."""
    change = raw["variants"][variant]
    data = {**raw["data"], **change.get("data", {})}
    if "expect" not in change.get("data", {}):
        data.pop("expect", None)
    merged = {**raw, "data": data, "sample": {**raw["sample"], **change.get("sample", {})}}
    merged["aggregate"] = change.get("aggregate", raw.get("aggregate", []))
    merged["reference"] = change.get("reference", [])
    return merged


def _check_names(spec: TaskSpec, file: Path, lines: Lines) -> None:
    """Check what the types cannot: names that refer to each other, and the syntax of every template."""

    def fail(message: str, *place: str | int) -> NoReturn:
        raise TaskFileError(message, file=file, line=lines.of(place), key=".".join(map(str, place)))

    if spec.default_protocol not in spec.protocols:
        fail(
            f"no protocol is named {spec.default_protocol!r}. {nearest(spec.default_protocol, spec.protocols)}",
            "default_protocol",
        )
    if spec.data.source.startswith("hf:") and not spec.data.revision:
        fail("is required for hub data: 40 hex digits, or `floating` when no revision is known.", "data", "revision")
    environment = sandbox(file.parent / "prompts", prompts_folder())
    for place, source in _templates(spec):
        try:
            environment.parse(source)
        except jinja2.TemplateSyntaxError as error:
            fail(f"is not a valid template: {error.message}.", *place)
    _check_aggregates(spec, fail)


def _check_aggregates(spec: TaskSpec, fail: Callable[..., NoReturn]) -> None:
    groups: list[tuple[KeyPath, Any]] = [(("aggregate",), spec.aggregate)]
    groups += [(("protocols", n, "aggregate"), p.aggregate or []) for n, p in spec.protocols.items()]
    for place, rules in groups:
        known = set(spec.data.expect.categories)
        for i, rule in enumerate(rules):
            if rule.micro == (rule.mean_of is not None):
                fail("needs either `mean_of` or `micro: true`.", *place, i)
            for member in rule.mean_of if isinstance(rule.mean_of, list) else ():
                if spec.data.expect.categories and member not in known:
                    fail(
                        f"{member!r} is neither a category of data.expect nor a part above. {nearest(member, known)}",
                        *place,
                        i,
                        "mean_of",
                    )
            known.add(rule.name)


def _templates(spec: TaskSpec) -> Iterator[tuple[KeyPath, str]]:
    """Yield every template text with its place in the file."""

    def walk(value: Any, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(inner, (*place, key))
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                yield from walk(inner, (*place, i))

    yield from walk(spec.sample.model_dump(), ("sample",))
    if spec.data.where:
        yield ("data", "where"), spec.data.where
    for name, protocol in spec.protocols.items():
        for key in ("question", "instruction", "system"):
            yield from walk(getattr(protocol, key), ("protocols", name, key))
