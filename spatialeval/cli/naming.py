"""What an experiment file or a command names, looked up before anything is loaded: an error says where it is named."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spatialeval.errors import TaskFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spatialeval.run.experiment import Experiment
    from spatialeval.run.prepare import RunSpec


def check_names_in(file: Path, experiment: Experiment) -> None:
    """Raise TaskFileError, naming file, line and key, for a model, task or strategy that is not known."""
    from spatialeval.models import open_model
    from spatialeval.run.asking import parse_asking
    from spatialeval.tasks import load_task
    from spatialeval.tasks.catalogue import expand_suites
    from spatialeval.yamlfile import read_yaml

    _, lines = read_yaml(file)

    @contextmanager
    def named(*path: str | int) -> Iterator[None]:
        try:
            yield
        except UsageError as error:
            key = ".".join(map(str, path))
            raise TaskFileError(str(error), file=file, line=lines.of(path), key=key) from error

    for place, entry in enumerate(experiment.models):
        with named("models", place):
            options = entry.options()
            if entry.base_url and open_model(entry.spec, options).free:
                raise _unreached(entry.spec)
            open_model(entry.spec, options)
    if experiment.judge:
        with named("judge"):
            open_model(experiment.judge.spec, experiment.judge.options())
    for place, task in enumerate(experiment.tasks):
        with named("tasks", place):
            for name in expand_suites([task.task]):
                load_task(name)
    for place, strategy in enumerate(experiment.strategies):
        with named("strategies", place):
            parse_asking(strategy)


def check_reached(specs: Sequence[RunSpec]) -> None:
    """Raise UsageError when a base URL is given and no model of the command is behind one."""
    from spatialeval.models import open_model

    given: dict[str, Any] = {spec.model: spec.options for spec in specs if spec.options.base_url}
    if given and all(open_model(name, options).free for name, options in given.items()):
        raise _unreached(next(iter(given)))


def _unreached(model: str) -> UsageError:
    return UsageError(f"{model} runs here, behind no server: leave --base-url (base_url:) out, or ask openai:NAME.")
