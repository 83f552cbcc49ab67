"""An experiment: models x tasks x strategies x protocols in one YAML file, run, resumed and re-run by one command."""

from __future__ import annotations

import shlex
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from spatialeval.errors import UsageError
from spatialeval.models import ModelOptions
from spatialeval.run.budget import Budget
from spatialeval.run.execute import RunSpec
from spatialeval.tasks.catalogue import base_name, expand_suites, is_file_name, other_ending, task_files
from spatialeval.tasks.suites import suites
from spatialeval.yamlfile import checked, read_yaml


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ModelEntry(_Section):
    """A model and how to reach it. `extra` goes to the backend as it is; `batch` asks by way of its batch API."""

    spec: str
    base_url: str | list[str] | None = None
    timeout: float = Field(300.0, gt=0)
    concurrency: int | None = Field(None, ge=1)
    batch_size: int = Field(16, ge=1)
    batch: bool = False
    rpm: float | None = Field(None, gt=0)
    tpm: float | None = Field(None, gt=0)
    price: str | None = None
    extra: dict[str, Any] = {}

    def options(self) -> ModelOptions:
        """Return the options as models take them."""
        extra = {"batch": True, **self.extra} if self.batch else self.extra
        urls = [self.base_url] if isinstance(self.base_url, str) else self.base_url or []
        return ModelOptions(
            base_url=urls[0] if urls else None,
            more_urls=tuple(urls[1:]),
            timeout=self.timeout,
            concurrency=self.concurrency,
            batch_size=self.batch_size,
            rpm=self.rpm,
            tpm=self.tpm,
            price=self.price,
            extra=extra,
        )


class TaskEntry(_Section):
    """A task, its local data, and the protocols to ask it under (the experiment's when left out)."""

    task: str
    data: Path | None = None
    media: Path | None = None
    partial: bool = False
    protocols: list[str] | None = Field(None, min_length=1)

    def below(self, folder: Path) -> TaskEntry:
        """Return the entry with its paths, and the task when it is a file, taken relative to `folder`."""
        paths = {key: folder / path.expanduser() for key in ("data", "media") if (path := getattr(self, key))}
        is_file = is_file_name(base_name(self.task))
        return self.model_copy(update=paths | ({"task": str(folder / self.task)} if is_file else {}))


def _entry(key: str) -> BeforeValidator:
    """Return the rule that a text alone stands for an entry with that text under `key`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class Experiment(_Section):
    """What `spatialeval run FILE` runs: every combination, one run folder each.

    Attributes:
        judge: the model that judges replies, for protocols that have replies judged.
        protocols: None means each task's default.
        limit: most samples per task, the same for every model (a seeded choice).
        out: where run folders go; relative to the working directory, as on the command line.
        cache: folder of answers kept across runs; relative likewise.
        cache_sampled: keep sampled answers there too.
        max_cost: USD that all runs together may cost, earlier sessions included.
        max_total_tokens: the same in tokens.
    """

    models: list[Annotated[ModelEntry, _entry("spec")]] = Field(min_length=1)
    judge: Annotated[ModelEntry, _entry("spec")] | None = None
    tasks: list[Annotated[TaskEntry, _entry("task")]] = Field(min_length=1)
    strategies: list[str] = Field(["plain"], min_length=1)
    protocols: list[str] | None = Field(None, min_length=1)
    limit: int | None = Field(None, ge=1)
    seed: int = 0
    max_tokens: int | None = Field(None, ge=1)
    temperature: Annotated[float, Field(ge=0)] | Literal["none"] | None = None
    out: Path = Path("results")
    cache: Path | None = None
    cache_sampled: bool = False
    max_cost: float | None = Field(None, gt=0)
    max_total_tokens: int | None = Field(None, ge=1)

    def specs(self, *, fresh: bool = False, recover: bool = False, command: tuple[str, ...] = ()) -> list[RunSpec]:
        """Return one RunSpec per combination, models outermost; the arguments go into each as they are."""
        limited = self.max_cost is not None or self.max_total_tokens is not None
        budget = Budget(self.max_cost, self.max_total_tokens) if limited else None
        return [
            RunSpec(
                task=what.task,
                protocol=protocol,
                strategy=strategy,
                model=how.spec,
                options=how.options(),
                judge=self.judge.spec if self.judge else None,
                judge_options=self.judge.options() if self.judge else ModelOptions(),
                data=what.data,
                media=what.media,
                partial=what.partial,
                limit=self.limit,
                seed=self.seed,
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                out=self.out,
                cache=self.cache.expanduser() if self.cache else None,
                cache_sampled=self.cache_sampled,
                fresh=fresh,
                recover=recover,
                budget=budget,
                command=command,
            )
            for how, what, strategy in product(self.models, self._expanded(), self.strategies)
            for protocol in what.protocols or self.protocols or (None,)
        ]

    def _expanded(self) -> list[TaskEntry]:
        """Return the tasks with every suite replaced by its tasks, each once.

        Raises:
            UsageError: when data are given for a suite of several tasks, or a suite is also a task.
        """
        entries: list[TaskEntry] = []
        for entry in self.tasks:
            names = expand_suites([entry.task])
            if entry.data is not None and len(names) > 1:
                raise UsageError(
                    f"data belong to one task, and {entry.task!r} is a suite of {len(names)}: name each task with its "
                    "data in an experiment FILE."
                )
            new = [entry.model_copy(update={"task": name}) for name in names]
            entries += [one for one in new if one not in entries]
        return entries


def read_experiment(file: Path) -> Experiment:
    """Return the experiment in a YAML file, with `data`, `media` and task files relative to the folder of that file.

    Raises:
        TaskFileError: naming file, line and key of what is wrong.
    """
    if not file.is_file():
        if base_name(str(file)) in {*task_files(), *suites()}:
            told = shlex.quote(str(file))
            raise UsageError(f"{file} is a task, and no experiment file: spatialeval run -t {told} -m MODEL")
        raise UsageError(f"there is no experiment file {file}. {other_ending(file) or 'Check the path.'}")
    raw, lines = read_yaml(file)
    if {"about", "sample", "protocols"} <= set(raw):
        raise UsageError(f"{file}: this is a task file: spatialeval run -t {file} -m MODEL")
    experiment = checked(Experiment, raw, file, lines)
    tasks = [entry.below(file.parent) for entry in experiment.tasks]
    return experiment.model_copy(update={"tasks": tasks})
