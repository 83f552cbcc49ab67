"""What a run is, as somebody asks for it, and the same with every name looked up and the samples loaded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spatialeval.errors import UsageError
from spatialeval.foreign import blaming
from spatialeval.models.base import ModelOptions
from spatialeval.models.extra import choices_of
from spatialeval.run.asking import bound_views, expand, parse_asking, reduction, without_refused
from spatialeval.run.folder import run_folder
from spatialeval.run.identity import run_identity
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.selection import select
from spatialeval.tasks import load_task
from spatialeval.tasks.task import with_protocol_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.models.base import Model
    from spatialeval.run.budget import Budget
    from spatialeval.run.records import Item
    from spatialeval.run.shard import Shard
    from spatialeval.samples import AnswerType, Sample
    from spatialeval.strategies import Strategy
    from spatialeval.tasks import Task, TaskProtocol
    from spatialeval.views import View


class NothingToAskError(UsageError):
    """The views of a run can change none of the samples.

    Args:
        asking: strategy and views.
        task: its name.
        reasons: why, with counts.
    """

    def __init__(self, asking: str, task: str, reasons: str) -> None:
        super().__init__(f"{asking!r} can ask none of the samples of {task!r}: {reasons}. Leave the view out.")
        self.reasons = reasons


@dataclass(frozen=True)
class RunSpec:
    """One model on one task, asked in one way.

    Attributes:
        task: `vsr`, `vsr:random`, `maze(size=7)` or the path of a task file.
        model: such as `openai:gpt-4o`.
        protocol: None means the task's default.
        strategy: a strategy and any views, such as `cot(max_tokens=512)+blind`.
        options: how to reach the model.
        judge: the model that judges replies, for protocols that have replies judged.
        judge_options: how to reach it.
        data: local data instead of the hub's.
        media: folder of media files.
        partial: accept fewer or more rows than the task file expects.
        limit: most samples; None means all. Not part of the run's identity: raising it asks only what is new.
        seed: of the choice that `limit` makes.
        max_tokens: replaces the protocol's own.
        temperature: replaces the protocol's own; "none" sends no temperature, which some models demand.
        shard: ask this part only; `merge` puts the parts together.
        out: where run folders go.
        fresh: move what the run folder holds aside and start over.
        recover: first save what is readable of a damaged journal.
        retry: how often a request is sent.
        cache: folder of answers kept across runs; None keeps none.
        cache_sampled: keep sampled answers there too.
        budget: what may be spent; shared by the runs of one command. Not part of what a run is.
        command: the command line, for the manifest.
    """

    task: str
    model: str
    protocol: str | None = None
    strategy: str = "plain"
    options: ModelOptions = field(default_factory=ModelOptions)
    judge: str | None = None
    judge_options: ModelOptions = field(default_factory=ModelOptions)
    data: Path | None = None
    media: Path | None = None
    partial: bool = False
    limit: int | None = None
    seed: int = 0
    max_tokens: int | None = None
    temperature: float | Literal["none"] | None = None
    shard: Shard | None = None
    out: Path = Path("results")
    fresh: bool = False
    recover: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    cache: Path | None = None
    cache_sampled: bool = False
    budget: Budget | None = field(default=None, compare=False)
    command: Sequence[str] = ()


@dataclass(frozen=True)
class Prepared:
    """A RunSpec with every name in it looked up and its samples loaded."""

    spec: RunSpec
    task: Task
    protocol: TaskProtocol
    strategy: Strategy
    views: tuple[View, ...]
    samples: list[Sample]
    """All samples of the task, whatever the limit."""
    items: list[Item] = field(repr=False)
    """What this run asks, in the order of the data."""
    folder: Path
    skipped: dict[tuple[str, str], list[str]] = field(default_factory=dict, repr=False)
    """(view, reason) -> ids of samples that a view cannot change safely."""

    def identity(self, model: Model, judge: Model | None = None) -> dict[str, Any]:
        """Return what decides the answers and scores of this run."""
        return run_identity(
            task=self.task,
            protocol=self.protocol,
            strategy=self.strategy,
            views=self.views,
            model=model,
            judge=judge,
            samples=self.samples,
        )


def prepare(spec: RunSpec, like: Prepared | None = None) -> Prepared:
    """Look up every name in `spec` and load the samples; raise the error that says what is wrong with it.

    Args:
        spec: the run.
        like: another run's, whose samples are taken where both are about the same data: several arms load once.
    """
    if spec.limit is not None and spec.limit < 1:
        raise UsageError(f"limit is {spec.limit}; give a number of samples of at least 1, or leave it out for all.")
    strategy, views = parse_asking(spec.strategy)
    loaded = like if like is not None and _data_of(like.spec) == _data_of(spec) else None
    task = loaded.task if loaded else load_task(spec.task)
    protocol = with_protocol_settings(
        task.protocol(spec.protocol), max_tokens=spec.max_tokens, temperature=spec.temperature
    )
    samples = loaded.samples if loaded else task.samples(spec.data, spec.media, partial=spec.partial)
    _check_judge(spec, task, protocol, {sample.answer for sample in samples})
    with blaming("strategy", strategy):
        strategy = strategy.bound(task, samples)
    _check_strategy(spec, task, strategy, samples)
    views = bound_views(views, task, samples, protocol)
    reduction(views)
    shown = expand(select(samples, spec.limit, spec.seed), views)
    items, skipped = without_refused(shown, strategy, views, names=strategy.keeps_names)
    if not items:
        raise NothingToAskError(spec.strategy, task.name, _reasons(skipped))
    repeated = [key for key, count in Counter(item.key for item in items).items() if count > 1]
    if repeated:
        raise UsageError(f"{spec.strategy!r} makes several items of one name, first {repeated[0]!r}. Leave a view out.")
    if spec.shard:
        items = spec.shard.of(items, samples)
    folder = folder_of(spec, task)
    return Prepared(spec, task, protocol, strategy, views, samples, items, folder, skipped)


def folder_of(spec: RunSpec, task: Task) -> Path:
    """Return where a run of a task is kept."""
    protocol = task.protocol(spec.protocol).name
    asked = f"{protocol}+choices" if choices_of(spec.options.extra) else protocol
    folder = run_folder(spec.out, task_folder(task), spec.model, asked, spec.strategy)
    return spec.shard.folder(folder) if spec.shard else folder


def _reasons(skipped: Mapping[tuple[str, str], Sequence[str]]) -> str:
    return "; ".join(f"{view}: {reason} ({len(ids):,})" for (view, reason), ids in skipped.items())


def _data_of(spec: RunSpec) -> tuple[object, ...]:
    return spec.task, spec.data, spec.media, spec.partial


def _check_strategy(spec: RunSpec, task: Task, strategy: Strategy, samples: Sequence[Sample]) -> None:
    """Raise UsageError when the strategy cannot ask some of the samples."""
    with blaming("strategy", strategy):
        reasons = Counter(reason for sample in samples if (reason := strategy.refuses(sample)))
    if reasons:
        told = "; ".join(f"{reason} ({count:,} of {len(samples):,})" for reason, count in reasons.most_common(3))
        raise UsageError(f"strategy {spec.strategy!r} cannot ask {task.name!r}: {told}. Choose another one.")


def _check_judge(spec: RunSpec, task: Task, protocol: TaskProtocol, answers: set[AnswerType]) -> None:
    """Raise UsageError when a judge is needed and none is named, or the other way round."""
    judge = protocol.spec.judge
    if spec.judge and (judge is None or not answers & set(judge.answers)):
        raise UsageError(
            f"protocol {protocol.name!r} of {task.name!r} has nothing to judge, and --judge names {spec.judge}. "
            f"Leave --judge out, or choose a protocol with a judge: -p NAME{_with_judge(task)}."
        )
    if judge and judge.when == "always" and not spec.judge and answers & set(judge.answers):
        published = f" (the published protocol uses {judge.model})" if judge.model else ""
        raise UsageError(
            f"protocol {protocol.name!r} of {task.name!r} has replies judged by a model{published}. Name one, such as "
            "--judge openai:gpt-4o, or openai:NAME with --judge-option base_url=http://127.0.0.1:8000/v1."
        )


def _with_judge(task: Task) -> str:
    names = [name for name in task.protocols if task.protocol(name).spec.judge]
    return f" ({', '.join(names)})" if names else ""


def task_folder(task: Task) -> str:
    """Return the task's name for a folder: the same whether it was named by id or by file."""
    params = ",".join(f"{key}={value}" for key, value in sorted(task.params.items()))
    return f"{task.spec.id}{f':{task.variant}' if task.variant else ''}{f'({params})' if params else ''}"
