"""One run, put together: task, samples, strategy, model, folder, journal, outcome."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spatialeval.data.media import check_media
from spatialeval.errors import MissingDataError, StorageError
from spatialeval.models.base import Model, open_model
from spatialeval.models.judge_words import said_of_judge
from spatialeval.run.asking import expand
from spatialeval.run.cache import AnswerCache
from spatialeval.run.events import Noticed
from spatialeval.run.folder import locked, move_aside, recover_journal
from spatialeval.run.identity import check_same
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.manifest import FILE_NAME as MANIFEST
from spatialeval.run.manifest import Manifest, Session, totals
from spatialeval.run.outcome import RunOutcome, write_outcome
from spatialeval.run.plan import Plan, plan_items
from spatialeval.run.prepare import Prepared, RunSpec, prepare
from spatialeval.run.runner import run_items
from spatialeval.run.shard import asked, refuse_elsewhere
from spatialeval.run.spending import check_priced, interruption, known_cost, prices, spent
from spatialeval.run.stopping import RunInterrupted, Stop, stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spatialeval.run.events import Event
    from spatialeval.run.records import Item

_RESULTS = ("samples.parquet", "summary.json")

__all__ = ["Prepared", "RunOutcome", "RunSpec", "estimate", "execute", "prepare"]


async def estimate(spec: RunSpec, ready: Prepared | None = None) -> Plan:
    """Return what the run would ask, without starting or asking the model."""
    ready = ready or prepare(spec)
    plan = await plan_items(ready.items, ready.folder, ready.strategy, ready.protocol)
    judge = ready.protocol.spec.judge
    if judge is None or not spec.judge:
        return plan
    judged = sum(item.sample.answer in judge.answers for item in ready.items)
    return replace(plan, judge_calls=min(judged, plan.items - plan.answered))


async def execute(
    spec: RunSpec,
    *,
    events: Callable[[Event], None] = lambda _: None,
    model: Model | None = None,
    judge: Model | None = None,
    ready: Prepared | None = None,
) -> RunOutcome:
    """Ask what is not answered yet, and write the results.

    Args:
        spec: the run.
        events: hears what happens, such as a display from `progress`.
        model: used instead of the one that `spec.model` names, which then is only a name.
        judge: the same for `spec.judge`.
        ready: what `prepare(spec)` gave. Loading takes long and blocks the event loop; whoever wants Ctrl-C to work
            meanwhile calls it before there is a loop.

    Raises:
        RunInterrupted: after SIGINT or SIGTERM; everything answered is kept.
        SpatialEvalError: whatever is wrong with the spec, the data, the folder or the model; answers are kept too.
    """
    model = model or open_model(spec.model, spec.options)
    if judge is None and spec.judge:
        with said_of_judge():
            judge = open_model(spec.judge, spec.judge_options)
    check_priced(spec.budget, model, judge)
    ready = ready or prepare(spec)
    shown_to_judge = judge is not None and ready.protocol.spec.judge is not None and ready.protocol.spec.judge.media
    if not model.sees_media and not shown_to_judge:
        ready = replace(ready, items=[_unseen(item) for item in ready.items])
    check_installed(spec, ready.folder, model)
    if not spec.fresh:
        refuse_elsewhere(ready.folder, ready.items)
    moved = move_aside(ready.folder) if spec.fresh else None
    if moved:
        events(Noticed(f"What was there before is in {moved}."))
    with locked(ready.folder):
        identity = ready.identity(model, judge)
        part = {"index": spec.shard.index, "count": spec.shard.count, "asked": asked(spec)} if spec.shard else None
        manifest = replace(_manifest(ready.folder, identity), shard=part)
        session = Session.begin(spec.command)
        manifest.with_session(session).write(ready.folder)  # before the journal, so that no journal is without one
        notes = (str(recover_journal(ready.folder)),) if spec.recover else ()
        with Journal.open(ready.folder / FILE_NAME) as journal:
            async with _cache(spec, events) as cache:
                outcome = await _session(ready, (model, judge), journal, (manifest, session), events, cache)
                said = cache.said() if cache else ()
    return replace(outcome, moved=moved, notes=(*notes, *said))


def check_installed(spec: RunSpec, folder: Path, *models: Model | None) -> None:
    """Raise UsageError when a package is missing that a run without answers needs; an answered one loads nothing."""
    if spec.fresh or _nothing_answered(folder):
        for model in models:
            if model is not None:
                model.check_installed()


def _cache(
    spec: RunSpec, events: Callable[[Event], None]
) -> contextlib.AbstractAsyncContextManager[AnswerCache | None]:
    if spec.cache is None:
        return contextlib.nullcontext()
    return AnswerCache(spec.cache, sampled=spec.cache_sampled, tell=lambda text: events(Noticed(text)))


def _unseen(item: Item) -> Item:
    """Return the item without its media; the very item where it has none, since there may be very many."""
    return replace(item, sample=replace(item.sample, media=())) if item.sample.media else item


def _manifest(folder: Path, identity: dict[str, Any]) -> Manifest:
    """Return the folder's manifest after checking that it is of this run, or a new one."""
    manifest = Manifest.read(folder)
    if manifest:
        if _nothing_answered(folder):  # a first attempt that could not even begin must not bind the next one
            return replace(manifest, identity=identity)
        check_same(manifest.identity, identity, folder)
        return manifest
    if (folder / FILE_NAME).exists():
        raise StorageError(
            f"{folder} has a {FILE_NAME} but no {MANIFEST}, so nobody can tell what its answers answer. "
            "Put the manifest back, or add --fresh to start over (the old folder is moved aside)."
        )
    return Manifest(identity)


def _nothing_answered(folder: Path) -> bool:
    if any((folder / name).exists() for name in _RESULTS):
        return False
    if not (folder / FILE_NAME).exists():
        return True
    try:
        with Journal.open(folder / FILE_NAME, readonly=True) as journal:
            return not journal.answered
    except StorageError:  # whether it can be recovered is not decided here
        return False


async def _session(
    ready: Prepared,
    models: tuple[Model, Model | None],
    journal: Journal,
    book: tuple[Manifest, Session],
    events: Callable[[Event], None],
    cache: AnswerCache | None,
) -> RunOutcome:
    """Work on the run from the first question to the results; note in the manifest how it ended."""

    def close_book(status: str) -> Manifest:
        manifest, session = book
        counted = totals(journal.records([item.key for item in ready.items]), known_cost(journal, *models))
        manifest = replace(manifest.with_session(session.end(status)), totals=counted, prices=prices(*models))
        manifest.write(ready.folder)
        return manifest

    try:
        await _ask(ready, models, journal, events, cache)
    except BaseException as error:
        with contextlib.suppress(StorageError):  # the error under way says more
            close_book(error.status if isinstance(error, RunInterrupted) else f"stopped: {type(error).__name__}")
        raise
    return write_outcome(ready, journal, close_book("finished"))


async def _ask(
    ready: Prepared,
    models: tuple[Model, Model | None],
    journal: Journal,
    events: Callable[[Event], None],
    cache: AnswerCache | None,
) -> None:
    """Start the models, ask every open item, close them; raise RunInterrupted when a signal ended it early."""
    model, judge = models
    stop = Stop()
    if budget := ready.spec.budget:
        before = spent(journal, model, judge)
        budget.begin(ready.folder, before.tokens, before.cost)
    task = asyncio.current_task()
    grader = ready.protocol.strict_grader if ready.strategy.reader == "strict" else ready.protocol.grader
    try:
        with stop_on_signals(stop, now=task.cancel if task else lambda: None):
            try:
                # Where all is answered, the results are written again without a key, a server or a GPU.
                if open_items := _open(ready, journal):
                    if notice := _check_media_folder(ready, open_items):
                        events(Noticed(notice))
                    # All samples, not the chosen ones: what a baseline learns must not depend on the limit.
                    model.prepare([item.sample for item in expand(ready.samples, ready.views).items])
                    model.keep_in(ready.folder / "model", lambda text: events(Noticed(text)))
                    await model.start()
                    await model.check()
                    if judge is not None:
                        judge.keep_in(ready.folder / "judge", lambda text: events(Noticed(text)))
                        with said_of_judge():
                            await judge.start()
                            await judge.check()
                await run_items(
                    ready.items,
                    strategy=ready.strategy,
                    protocol=ready.protocol,
                    grader=grader,
                    model=model,
                    judge=judge,
                    journal=journal,
                    retry=ready.spec.retry,
                    events=events,
                    cache=cache,
                    budget=budget,
                    stop=stop,
                    grace=model.grace,
                )
            finally:
                await model.close()
                if judge is not None:
                    await judge.close()
    except asyncio.CancelledError:
        if not stop.stopping or task is None:
            raise
        task.uncancel()
    interruption(ready, journal, stop, models)
    if stop.stopping and budget and budget.spent:
        events(Noticed(f"The budget is spent: {budget}. Not all failed samples were asked again."))


def _open(ready: Prepared, journal: Journal) -> list[Item]:
    """Return the items that have no answer yet."""
    kept = journal.kept()
    return [item for item in ready.items if item.key not in kept or kept[item.key].state == "failed"]


def _check_media_folder(ready: Prepared, items: Sequence[Item]) -> str | None:
    """Return what to say when some of the media files are missing, None when none is.

    Raises:
        MissingDataError: when all are missing: then the folder is wrong, not a file or two.
    """
    missing = check_media(item.sample for item in items)
    if not missing.count:
        return None
    if missing.count < missing.total:
        kinds = {media.kind for item in items for media in item.sample.media}
        what = (f"{kinds.pop()}s" if len(kinds) == 1 else "images and videos") + (" are", " is")[missing.count == 1]
        return f"{missing.count:,} of {missing.total:,} {what} missing, first {missing.first[0]}"
    raise MissingDataError(
        f"none of the {missing.total:,} images or videos of {ready.task.name} is here; the first one would be "
        f"{missing.first[0]}. Pass the folder that holds them as --media, or ask without them: -s plain+blind. "
        f"{ready.task.spec.data.bring or ''}".rstrip()
    )
