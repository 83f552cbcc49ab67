"""One run, put together: task, samples, strategy, model, folder, journal, results."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import StorageError, UsageError
from spatialeval.models.base import Model, ModelOptions, open_model
from spatialeval.run.asking import expand, parse_asking
from spatialeval.run.folder import locked, move_aside, recover_journal, run_folder
from spatialeval.run.identity import check_same, run_identity
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.manifest import FILE_NAME as MANIFEST
from spatialeval.run.manifest import Manifest, Session, totals
from spatialeval.run.plan import Plan, plan_items
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.runner import run_items
from spatialeval.run.selection import select
from spatialeval.run.stopping import RunInterrupted, Stop, stop_on_signals
from spatialeval.tasks import load_task
from spatialeval.tasks.task import with_protocol_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spatialeval.run.events import Event
    from spatialeval.run.records import Item
    from spatialeval.samples import Sample
    from spatialeval.scores import State
    from spatialeval.strategies import Strategy
    from spatialeval.tasks import Task, TaskProtocol
    from spatialeval.views import View


@dataclass(frozen=True)
class RunSpec:
    """One model on one task, asked in one way.

    Attributes:
        task: `vsr`, `vsr:random`, `maze(size=7)` or the path of a task file.
        model: such as `openai:gpt-4o`.
        protocol: None means the task's default.
        strategy: a strategy and any views, such as `cot(max_tokens=512)+blind`.
        options: how to reach the model.
        data: local data instead of the hub's.
        media: folder of media files.
        partial: accept fewer or more rows than the task file expects.
        limit: most samples; None means all. Not part of the run's identity: raising it asks only what is new.
        seed: of the choice that `limit` makes.
        max_tokens: replaces the protocol's own.
        temperature: replaces the protocol's own.
        out: where run folders go.
        fresh: move what the run folder holds aside and start over.
        recover: first save what is readable of a damaged journal.
        retry: how often a request is sent.
        command: the command line, for the manifest.
    """

    task: str
    model: str
    protocol: str | None = None
    strategy: str = "plain"
    options: ModelOptions = field(default_factory=ModelOptions)
    data: Path | None = None
    media: Path | None = None
    partial: bool = False
    limit: int | None = None
    seed: int = 0
    max_tokens: int | None = None
    temperature: float | None = None
    out: Path = Path("results")
    fresh: bool = False
    recover: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    command: Sequence[str] = ()


@dataclass(frozen=True)
class RunOutcome:
    """A run that came to its end.

    Attributes:
        folder: where its results are.
        summary: what `write_results` made of it.
        states: how many items are scored, unparsed, truncated, failed.
        moved: where `fresh` put what was there before.
        notes: what should be said besides, such as how much of a damaged journal was saved.
    """

    folder: Path
    summary: Any
    states: dict[State, int]
    moved: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every item was answered; a command exits with an error code otherwise."""
        complete: bool = self.summary.complete
        return complete


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

    def identity(self, model: Model) -> dict[str, Any]:
        """Return what decides the answers and scores of this run."""
        return run_identity(
            task=self.task,
            protocol=self.protocol,
            strategy=self.strategy,
            views=self.views,
            model=model,
            samples=self.samples,
        )


def prepare(spec: RunSpec) -> Prepared:
    """Look up every name in `spec` and load the samples; raise the error that says what is wrong with it."""
    if spec.limit is not None and spec.limit < 1:
        raise UsageError(f"limit is {spec.limit}; give a number of samples of at least 1, or leave it out for all.")
    strategy, views = parse_asking(spec.strategy)
    task = load_task(spec.task)
    protocol = with_protocol_settings(
        task.protocol(spec.protocol), max_tokens=spec.max_tokens, temperature=spec.temperature
    )
    samples = task.samples(spec.data, spec.media, partial=spec.partial)
    items = expand(select(samples, spec.limit, spec.seed), views)
    repeated = [key for key, count in Counter(item.key for item in items).items() if count > 1]
    if repeated:
        raise UsageError(f"{spec.strategy!r} makes several items of one name, first {repeated[0]!r}. Leave a view out.")
    folder = run_folder(spec.out, _name(task), spec.model, protocol.name, spec.strategy)
    return Prepared(spec, task, protocol, strategy, views, samples, items, folder)


def _name(task: Task) -> str:
    """Return the task's name for a folder: the same whether it was named by id or by file."""
    params = ",".join(f"{key}={value}" for key, value in sorted(task.params.items()))
    return f"{task.spec.id}{f':{task.variant}' if task.variant else ''}{f'({params})' if params else ''}"


async def estimate(spec: RunSpec) -> Plan:
    """Return what the run would ask, without starting or asking the model."""
    ready = prepare(spec)
    return await plan_items(ready.items, ready.folder, ready.strategy, ready.protocol)


async def execute(
    spec: RunSpec, *, events: Callable[[Event], None] = lambda _: None, model: Model | None = None
) -> RunOutcome:
    """Ask what is not answered yet, and write the results.

    Args:
        spec: the run.
        events: hears what happens, such as a display from `progress`.
        model: used instead of the one that `spec.model` names, which then is only a name.

    Raises:
        RunInterrupted: after SIGINT or SIGTERM; everything answered is kept.
        SpatialEvalError: whatever is wrong with the spec, the data, the folder or the model; answers are kept too.
    """
    model = model or open_model(spec.model, spec.options)
    ready = prepare(spec)
    if not model.sees_media:
        ready = replace(ready, items=[replace(item, sample=replace(item.sample, media=())) for item in ready.items])
    moved = move_aside(ready.folder) if spec.fresh else None
    with locked(ready.folder):
        identity = ready.identity(model)
        manifest = _manifest(ready.folder, identity)
        session = Session.begin(spec.command)
        manifest.with_session(session).write(ready.folder)  # before the journal, so that no journal is without one
        notes = (str(recover_journal(ready.folder)),) if spec.recover else ()
        with Journal.open(ready.folder / FILE_NAME) as journal:
            outcome = await _session(ready, model, journal, (manifest, session), events)
    return replace(outcome, moved=moved, notes=notes)


def _manifest(folder: Path, identity: dict[str, Any]) -> Manifest:
    """Return the folder's manifest after checking that it is of this run, or a new one."""
    manifest = Manifest.read(folder)
    if manifest:
        check_same(manifest.identity, identity, folder)
        return manifest
    if (folder / FILE_NAME).exists():
        raise StorageError(
            f"{folder} has a {FILE_NAME} but no {MANIFEST}, so nobody can tell what its answers answer. "
            "Put the manifest back, or add --fresh to start over (the old folder is moved aside)."
        )
    return Manifest(identity)


async def _session(
    ready: Prepared,
    model: Model,
    journal: Journal,
    book: tuple[Manifest, Session],
    events: Callable[[Event], None],
) -> RunOutcome:
    """Work on the run from the first question to the results; note in the manifest how it ended."""

    def close_book(status: str) -> Manifest:
        manifest, session = book
        counted = totals(journal.records([item.key for item in ready.items]))
        manifest = replace(manifest.with_session(session.end(status)), totals=counted)
        manifest.write(ready.folder)
        return manifest

    try:
        await _ask(ready, model, journal, events)
    except BaseException as error:
        with contextlib.suppress(StorageError):  # the error under way says more
            close_book("interrupted" if isinstance(error, RunInterrupted) else f"stopped: {type(error).__name__}")
        raise
    return _finish(ready, journal, close_book("finished"))


async def _ask(ready: Prepared, model: Model, journal: Journal, events: Callable[[Event], None]) -> None:
    """Start the model, ask every open item, close the model; raise RunInterrupted when a signal ended it early."""
    stop = Stop()
    task = asyncio.current_task()
    grader = ready.protocol.strict_grader if ready.strategy.reader == "strict" else ready.protocol.grader
    try:
        with stop_on_signals(stop, now=task.cancel if task else lambda: None):
            try:
                # All samples, not the chosen ones: what a baseline learns must not depend on the limit.
                model.prepare([item.sample for item in expand(ready.samples, ready.views)])
                await model.start()
                await run_items(
                    ready.items,
                    strategy=ready.strategy,
                    protocol=ready.protocol,
                    grader=grader,
                    model=model,
                    journal=journal,
                    retry=ready.spec.retry,
                    events=events,
                    stop=stop,
                )
            finally:
                await model.close()
    except asyncio.CancelledError:
        if not stop.stopping or task is None:
            raise
        task.uncancel()
    if stop.stopping and (left := _left(ready, journal)):
        raise RunInterrupted(
            f"Interrupted ({stop.reason}) with {len(ready.items) - left} of {len(ready.items)} samples answered. "
            f"All of them are kept in {ready.folder}: run the same command again to ask the other {left}."
        )


def _left(ready: Prepared, journal: Journal) -> int:
    kept = journal.kept()
    return sum(item.key not in kept for item in ready.items)


def _finish(ready: Prepared, journal: Journal, manifest: Manifest) -> RunOutcome:
    from spatialeval.run.results import write_results  # noqa: PLC0415 - loads pandas and pyarrow

    keys = [item.key for item in ready.items]
    records = journal.records(keys)
    summary = write_results(ready.folder, ready.task, ready.protocol, ready.items, records, manifest.as_json())
    kept = journal.kept()
    return RunOutcome(ready.folder, summary, dict(Counter(kept[key].state for key in keys)))
