"""From the arguments of a call or the options of a command to runs: one meaning for both."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from spatialeval.api.functions import Function
from spatialeval.errors import UsageError
from spatialeval.messages import Request
from spatialeval.models.base import Model
from spatialeval.run.experiment import Experiment, ModelEntry, TaskEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.run.prepare import RunSpec

Answering: TypeAlias = str | Model | Callable[[Request], Any]
"""A model: its name, an opened one, or a function from a request to a text or a Response (also `async`)."""


def specs_of(given: Mapping[str, Any], command: Sequence[str] = ()) -> list[RunSpec]:
    """Return the runs that options describe, by way of an experiment: a command line, a call and a file mean the same.

    Args:
        given: by the names of the options: task, model, strategy and protocol (a text or several), where data are, and
            any key of an experiment or of a model in one; None means that nothing was said.
        command: what the user wrote, for the manifest.

    Raises:
        UsageError: for a key that no experiment has, or no task or model.
    """
    tasks, models = listed(given["task"]), listed(given["model"])
    if not tasks or not models:
        raise UsageError("name at least one task and one model.")
    if given.get("data") is not None and len(tasks) > 1:
        raise UsageError("data belong to one task; write an experiment file to give each task its own.")
    known = {*ModelEntry.model_fields, *TaskEntry.model_fields, *Experiment.model_fields}
    apart = {"task", "model", "strategy", "protocol", "option", "judge", "judge_option", "fresh", "recover"}
    if unknown := [name for name in given if name not in known | apart]:
        raise UsageError(f"there is no option {unknown[0]!r} of a run. See docs/running.md for those there are.")
    extra = dict(given.get("option") or {})
    try:
        experiment = Experiment(
            models=[ModelEntry(spec=name, extra=extra, **_of(ModelEntry, given)) for name in models],
            judge=judge_of(given.get("judge"), given.get("judge_option") or {}),
            tasks=[TaskEntry(task=str(task), **_of(TaskEntry, given)) for task in tasks],
            strategies=listed(given.get("strategy")) or ["plain"],
            protocols=listed(given.get("protocol")) or None,
            **_of(Experiment, given),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
        raise UsageError(f"{where} is {first['input']!r}: {first['msg']}. Give another value.") from None
    return experiment.specs(
        fresh=given.get("fresh", False), recover=given.get("recover", False), command=tuple(command)
    )


def judge_of(judge: str | None, options: Mapping[str, Any]) -> ModelEntry | None:
    """Return the entry of a judge: the options that every model has, and the rest for its backend."""
    if judge is None:
        return None
    shared = {key: value for key, value in options.items() if key in ModelEntry.model_fields and key != "extra"}
    return ModelEntry(spec=judge, extra={key: value for key, value in options.items() if key not in shared}, **shared)


_NAMED = frozenset({"spec", "extra", "task", "protocols", "models", "judge", "tasks", "strategies"})


def _of(section: type[ModelEntry | TaskEntry | Experiment], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that belong to a section of an experiment and were given."""
    fields = section.model_fields.keys() - _NAMED
    return {name: given[name] for name in fields if given.get(name) is not None}


def listed(value: Any) -> list[Any]:
    """Return one or several things as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def named_model(model: Answering) -> tuple[str, Model | None]:
    """Return the name of a model, and the model where it is more than a name."""
    if isinstance(model, str):
        return model, None
    if isinstance(model, Model):
        return model.spec, model
    if not callable(model):
        raise UsageError(f"{model!r} is no model. Give its name, a Model or a function from a request to a text.")
    named = model.func if isinstance(model, partial) else model
    name = getattr(named, "__name__", type(named).__name__)
    name = "function" if name == "<lambda>" else name
    return name, Function(model, name)


def command_of(function: Callable[..., Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a call of this interface as a command line, for the manifest."""
    usual = {name: each.default for name, each in inspect.signature(function).parameters.items()}
    told = [f"{name}={_told(value)}" for name, value in given.items() if name not in usual or value != usual[name]]
    return "python", "-c", f"import spatialeval; spatialeval.{function.__name__}({', '.join(told)})"


def _told(value: Any) -> str:
    if isinstance(value, (str, Path)):
        return repr(str(value))
    if callable(value) or isinstance(value, Model):
        return named_model(value)[0]
    return f"[{', '.join(map(_told, value))}]" if isinstance(value, (list, tuple)) else repr(value)
