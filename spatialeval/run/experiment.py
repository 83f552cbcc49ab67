"""An experiment: models x tasks x strategies x protocols in one YAML file, run, resumed and re-run by one command."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spatialeval.models import ModelOptions
from spatialeval.run.execute import RunSpec
from spatialeval.yamlfile import checked, read_yaml


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelEntry(_Section):
    """A model and how to reach it. `extra` goes to the backend as it is."""

    spec: str
    base_url: str | None = None
    timeout: float = Field(300.0, gt=0)
    concurrency: int | None = Field(None, ge=1)
    batch_size: int = Field(16, ge=1)
    extra: dict[str, Any] = {}

    def options(self) -> ModelOptions:
        """Return the options as models take them."""
        return ModelOptions(self.base_url, self.timeout, self.concurrency, self.batch_size, self.extra)


class TaskEntry(_Section):
    """A task, its local data, and the protocols to ask it under (the experiment's when left out)."""

    task: str
    data: Path | None = None
    media: Path | None = None
    partial: bool = False
    protocols: list[str] | None = None


class Experiment(_Section):
    """What `spatialeval run FILE` runs: every combination, one run folder each.

    Attributes:
        protocols: None means each task's default.
        limit: most samples per task, the same for every model (a seeded choice).
        out: where run folders go; relative to the working directory.
    """

    models: list[str | ModelEntry] = Field(min_length=1)
    tasks: list[str | TaskEntry] = Field(min_length=1)
    strategies: list[str] = Field(["plain"], min_length=1)
    protocols: list[str] | None = None
    limit: int | None = Field(None, ge=1)
    seed: int = 0
    max_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0)
    out: Path = Path("results")

    def specs(self, *, fresh: bool = False, recover: bool = False, command: tuple[str, ...] = ()) -> list[RunSpec]:
        """Return one RunSpec per combination, models outermost; the arguments go into each as they are."""
        specs = []
        for model, task, strategy in product(self.models, self.tasks, self.strategies):
            how = ModelEntry(spec=model) if isinstance(model, str) else model
            what = TaskEntry(task=task) if isinstance(task, str) else task
            specs += [
                RunSpec(
                    task=what.task,
                    protocol=protocol,
                    strategy=strategy,
                    model=how.spec,
                    options=how.options(),
                    data=what.data,
                    media=what.media,
                    partial=what.partial,
                    limit=self.limit,
                    seed=self.seed,
                    max_tokens=self.max_tokens,
                    temperature=self.temperature,
                    out=self.out,
                    fresh=fresh,
                    recover=recover,
                    command=command,
                )
                for protocol in what.protocols or self.protocols or (None,)
            ]
        return specs


def read_experiment(file: Path) -> Experiment:
    """Return the experiment in a YAML file; raise TaskFileError naming file, line and key when it is wrong."""
    raw, lines = read_yaml(file)
    return checked(Experiment, raw, file, lines)
