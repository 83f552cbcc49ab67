"""Asks every item, each once, with bounded concurrency; stops without losing what was answered."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spatialeval.errors import MediaError, ModelError, RunChangedError, StorageError
from spatialeval.foreign import blaming
from spatialeval.run.asker import Asker, Line
from spatialeval.run.breaker import Breaker
from spatialeval.run.budget import Account
from spatialeval.run.events import Event, Finished, Started, Stopping
from spatialeval.run.judge import JudgeStep
from spatialeval.run.pace import Pace
from spatialeval.run.records import Call, Item, Record
from spatialeval.run.secrets import redact
from spatialeval.run.stopping import GRACE, Halt, Stop
from spatialeval.scores import Failure, Outcome
from spatialeval.text import storable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from spatialeval.grading import Grader
    from spatialeval.messages import Finish
    from spatialeval.models.base import Model
    from spatialeval.run.budget import Budget
    from spatialeval.run.cache import AnswerCache
    from spatialeval.run.journal import Journal, Kept
    from spatialeval.run.retry import RetryPolicy
    from spatialeval.samples import Sample
    from spatialeval.strategies.base import Strategy
    from spatialeval.tasks import TaskProtocol

_LONG_REPLY = 20_000
"""Characters; strict readers take about a second for twice as many."""


async def run_items(
    items: Sequence[Item],
    *,
    strategy: Strategy,
    protocol: TaskProtocol,
    grader: Grader,
    model: Model,
    judge: Model | None = None,
    journal: Journal,
    retry: RetryPolicy,
    events: Callable[[Event], None],
    cache: AnswerCache | None = None,
    budget: Budget | None = None,
    stop: Stop | None = None,
    grace: float = GRACE,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Ask every item that has no answer in the journal yet; when it returns and `stop` is not set, all have a record.

    Args:
        items: what to ask. Those that failed before are asked again, their answered steps taken from the journal.
        strategy: how to ask.
        protocol: words the requests.
        grader: reads and scores the replies.
        judge: a started model that judges, where the protocol has replies judged.
        model: a started model; at most `model.concurrency` requests are in flight, unless it is adaptive.
        journal: open for writing.
        retry: how often a request is sent.
        events: hears what happens.
        cache: an open cache of answers across runs.
        budget: what may be spent.
        stop: set it to end early; requests in flight then have `grace` seconds to finish.
        grace: seconds.
        sleep: waits between two attempts.

    Raises:
        ModelError: nothing works any more (see `breaker`).
        RunChangedError: media of answered items hold something else now.
        StorageError: the journal cannot be written.
        UsageError: for whatever a strategy raised by mistake. In all these cases, everything answered is kept.
    """
    stop = stop or Stop()

    def line_to(one: Model) -> Line:
        pace, held = Pace.of(one, retry), cache.of(one) if cache else None
        stop.tell(pace.open)
        return Line(one, journal, retry, events, stop, sleep, pace, held, Account.of(one, budget))

    line = line_to(model)
    kept = journal.kept()
    check_media(items, kept)
    answered = {item.key for item in items if item.key in kept and kept[item.key].state != "failed"}
    del kept  # one entry a sample
    events(Started(len(items), len(answered)))
    for record in journal.records((item.key for item in items if item.key in answered), calls=False):
        events(Finished(record, kept=True))
    todo = in_groups(item for item in items if item.key not in answered)
    step = None
    if judge is not None and protocol.judging is not None:
        step = JudgeStep(protocol.judging, line_to(judge))
    await _Pool(line, strategy, protocol, grader, step, most=len(todo)).work(iter(todo), grace)


def in_groups(items: Iterable[Item]) -> list[Item]:
    """Return the items with those on the same media next to each other, in the order in which media first appear.

    Requests over the same media then meet in an engine's prefix cache, and a video's frames are still held. Items
    whose rows hold no files stand by their group.
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(_beside(item.sample), []).append(item)
    return [item for group in groups.values() for item in group]


def _beside(sample: Sample) -> str:
    media = sample.media[0] if sample.media else None
    if media is not None and not media.in_row:  # bytes are called by their column
        return f"media {media.name}"
    if sample.group and sample.group != sample.id:  # a task without groups makes each sample its own
        return f"group {sample.group}"
    return f"media {media.name}" if media else f"sample {sample.id}"


def check_media(items: Iterable[Item], kept: dict[str, Kept]) -> None:
    """Raise RunChangedError when media of answered items changed; media that came or went since do not count."""
    changed = []
    for item in items:
        held = kept.get(item.key)
        if held is None or held.state == "failed":
            continue
        pairs = zip(held.media, fingerprints(item), strict=False)
        if any(old != new and not {old, new} & {_absent(old), _absent(new)} for old, new in pairs):
            changed.append(item.key)
    if changed:
        raise RunChangedError(
            f"Images or videos of {len(changed)} answered samples hold something else now, first {changed[0]!r}. "
            "Put the old files back to resume, or add --fresh to start over (the old folder is moved aside)."
        )


def fingerprints(item: Item) -> list[str]:
    """Return the cheap identities of an item's media."""
    return [media.fingerprint for media in item.sample.media]


def _absent(fingerprint: str) -> str:
    return f"{fingerprint.rpartition(':')[0]}:absent"


def _presentable(error: Exception) -> str:
    """Return the message as it may be stored: without keys, which a backend's own error may repeat."""
    return redact(storable(str(error)))


@dataclass
class _Pool:
    """The workers of one run. They share one iterator, so 100,000 items never become 100,000 tasks."""

    line: Line
    strategy: Strategy
    protocol: TaskProtocol
    grader: Grader
    judge: JudgeStep | None = None
    most: int = sys.maxsize
    """Workers that can have anything to do."""
    breaker: Breaker = field(default_factory=Breaker)
    error: BaseException | None = None
    _workers: list[asyncio.Task[None]] = field(default_factory=list)
    _active: int = 0
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _exhausted: bool = False

    async def work(self, todo: Iterator[Item], grace: float) -> None:
        """Work through `todo`; raise the first error that ended the run."""
        self._staff(todo)
        if not self._active:
            return
        try:
            await self._drain(grace)
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
        if self.error:
            raise self.error

    def _staff(self, todo: Iterator[Item]) -> None:
        """Start as many workers as requests may be in flight.

        No more: what was asked and is not on disk yet is at most that, and is all that a killed run asks again.
        """
        while not self._exhausted and self._active < min(self.line.pace.width.limit, self.most):
            self._active += 1
            self._workers.append(asyncio.create_task(self._work(todo)))

    async def _drain(self, grace: float) -> None:
        """Wait for the workers; once the run is stopping, no longer than `grace` seconds."""
        ended, stopping = (asyncio.create_task(event.wait()) for event in (self._ended, self.line.stop))
        try:
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self.line.stop.stopping:
                self.line.events(Stopping(self.line.stop.reason or "", self._active))
            # A journal that cannot be written makes waiting for replies pointless.
            if self._active and not isinstance(self.error, StorageError):
                await asyncio.wait({ended}, timeout=grace)
        finally:
            ended.cancel()
            stopping.cancel()

    async def _work(self, todo: Iterator[Item]) -> None:
        try:
            await self._work_through(todo)
        finally:
            self._active -= 1
            if not self._active:
                self._ended.set()

    async def _work_through(self, todo: Iterator[Item]) -> None:
        for item in todo:
            if self.line.stop.stopping:
                return
            try:
                await self._item(item)
            except Halt:
                return
            # A strategy is foreign code, and an error of the run itself must end it too: either way the workers stop
            # together, and `work` raises the first error.
            except Exception as error:  # noqa: BLE001
                self._fail(error)
                return
            self._staff(todo)
        self._exhausted = True

    def _fail(self, error: BaseException) -> None:
        self.error = self.error or error
        self.line.stop.set("an error")  # whoever raised the error says which

    async def _grade(self, item: Item, text: str, finish: Finish) -> Outcome:
        """Grade a reply; in a thread when it is so long that reading it would hold up the other requests."""
        if len(text) <= _LONG_REPLY:
            return self.grader.grade(item.sample, text, finish)
        return await asyncio.to_thread(self.grader.grade, item.sample, text, finish)

    async def _item(self, item: Item) -> None:
        asker = Asker(self.line, item.key)
        response, judged = None, list[Call]()
        try:
            if any(media.kind == "video" for media in item.sample.media):
                # frames by time are known only once a video was opened: beside the loop, and kept for the request
                await asyncio.to_thread(self.protocol.pictures, item.sample)
            with blaming("strategy", self.strategy):
                response = await self.strategy.run(item.sample, self.protocol, asker)
            text, finish = response.text, response.finish
            if self.judge and self.judge.judging.wants(item.sample, text, finish, self.grader):
                outcome, judged = await self.judge.outcome(item, text, self.grader)
            else:
                outcome = await self._grade(item, text, finish)
        except ModelError as error:
            outcome = Failure(error.kind, _presentable(error))
        except MediaError as error:
            outcome = Failure("media", _presentable(error))
        finally:
            await asker.settle()
        if isinstance(outcome, Failure) and not judged:
            outcome = replace(outcome, attempts=asker.sent)
        record = Record.of(item, outcome, [asker.calls[step] for step in asker.steps], response, judged)
        await self.line.journal.put_record(record, asker.steps, fingerprints(item))
        self.line.events(Finished(record))
        if broken := self.breaker.note(outcome):
            self._fail(broken)
