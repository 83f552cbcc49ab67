"""spatialeval: how well do vision-language models reason about space?

    import spatialeval as se

    runs = se.run("scenes:easy(rows=40)", "embedded", strategy=["plain", "cot"])
    se.compare(*runs)
    se.load_results("results").runs

`run`, `score`, `compare`, `ablate`, `robust`, `power`, `report` and `export` do what the commands of these names do,
and take their options by name. Names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from spatialeval._version import __version__

if TYPE_CHECKING:
    from spatialeval.api import ablate, compare, export, power, report, robust, run, score
    from spatialeval.errors import ModelError, SpatialEvalError
    from spatialeval.grading import Grader
    from spatialeval.media import Media
    from spatialeval.messages import Image, Message, Request, Response, Text
    from spatialeval.models import FunctionModel, Model, ModelOptions, open_model
    from spatialeval.run.loading import load_results
    from spatialeval.samples import Sample
    from spatialeval.scores import Failure, Reading, Score
    from spatialeval.strategies import Strategy
    from spatialeval.tasks import Task, TaskProtocol, load_task, task_names
    from spatialeval.views import View

_HOMES = {
    "Failure": "scores",
    "FunctionModel": "models",
    "Grader": "grading",
    "Image": "messages",
    "Media": "media",
    "Message": "messages",
    "Model": "models",
    "ModelError": "errors",
    "ModelOptions": "models",
    "Reading": "scores",
    "Request": "messages",
    "Response": "messages",
    "Sample": "samples",
    "Score": "scores",
    "SpatialEvalError": "errors",
    "Strategy": "strategies",
    "Task": "tasks",
    "TaskProtocol": "tasks",
    "Text": "messages",
    "View": "views",
    "ablate": "api",
    "compare": "api",
    "export": "api",
    "load_results": "run.loading",
    "load_task": "tasks",
    "open_model": "models",
    "power": "api",
    "report": "api",
    "robust": "api",
    "run": "api",
    "score": "api",
    "task_names": "tasks",
}

__all__ = [
    "Failure", "FunctionModel", "Grader", "Image", "Media", "Message", "Model", "ModelError", "ModelOptions", "Reading",
    "Request", "Response", "Sample", "Score", "SpatialEvalError", "Strategy", "Task", "TaskProtocol", "Text", "View",
    "__version__", "ablate", "compare", "export", "load_results", "load_task", "open_model", "power", "report",
    "robust", "run", "score", "task_names",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'spatialeval' has no attribute {name!r}")
    return getattr(importlib.import_module(f"spatialeval.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Verb(ModuleType):
    """A subpackage with the name of a function of the interface, such as `spatialeval.run`: calling it calls that."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _function_of(self)(*args, **kwargs)

    @property
    def __signature__(self) -> Any:
        import inspect  # noqa: PLC0415 - only where somebody asks

        return inspect.signature(_function_of(self))


def _function_of(module: ModuleType) -> Any:
    return getattr(importlib.import_module("spatialeval.api"), module.__name__.rpartition(".")[2])


class _Package(ModuleType):
    """This package. Python sets an imported subpackage as an attribute, in the place of the function of its name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if _HOMES.get(name) == "api" and isinstance(value, ModuleType):
            value.__class__ = _Verb
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
