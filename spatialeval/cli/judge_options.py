"""Options of the form KEY=VALUE, and the entry of a judge that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import yaml
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.run.experiment import ModelEntry

_SHARED = {
    "base_url": "a text, the root of a server, or a list of them",
    "timeout": "a number above 0",
    "concurrency": "a whole number of at least 1",
    "batch_size": "a whole number of at least 1",
    "rpm": "a number above 0",
    "tpm": "a number above 0",
    "price": "a text, such as in=2.50,out=10",
}
"""The options that every model has, and what they must be."""


def judge_entry(spec: str | None, extra: Sequence[str]) -> ModelEntry | None:
    """Return the entry of the judge: options that every model has, and the rest for its backend."""
    from spatialeval.run.experiment import ModelEntry

    options = dict(key_value(text, "--judge-option") for text in extra)
    if spec is None:
        if options:
            raise click.UsageError("--judge-option says how to reach a judge; name the judge with --judge.")
        return None
    shared = {key: options.pop(key) for key in _SHARED if key in options}
    try:
        return ModelEntry(spec=spec, extra=options, **shared)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        told = f"must be {_SHARED.get(key, 'another value')}, but is {first['input']!r}."
        raise click.UsageError(f"--judge-option {key}: {told}") from None


def key_value(text: str, option: str = "--option") -> tuple[str, Any]:
    """Return the key and the value, read as YAML, of one KEY=VALUE that was given to `option`."""
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{option} {text!r} is not of the form KEY=VALUE.")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or error
        raise click.UsageError(f"the value of {option} {key}, {value!r}, is not valid YAML: {reason}.") from error
