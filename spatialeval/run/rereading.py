"""Stored replies read once more by the strict readers, for comparisons in which all arms share one reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval.messages import Response
from spatialeval.run.records import Record
from spatialeval.scores import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spatialeval.messages import Request
    from spatialeval.run.prepare import Prepared
    from spatialeval.run.records import Item
    from spatialeval.strategies.base import Ask


async def read_strictly(records: Iterable[Record], items: Mapping[str, Item], ready: Prepared) -> list[Record]:
    """Return the records as the strict readers have them; nothing is asked.

    Failures and what a judge decided stay. A strategy that reads replies itself, to vote on them, runs again on the
    replies it had, so that the votes are read by the same reader.
    """
    return [await _read(record, items[record.key], ready) for record in records]


async def _read(record: Record, item: Item, ready: Prepared) -> Record:
    if isinstance(record.outcome, Failure) or record.judged or record.reply is None:
        return record
    said = Response(record.reply, record.ended, work=record.work)
    strict = ready.strategy.strictly()
    if strict is not ready.strategy:
        said = await strict.run(item.sample, ready.protocol, _told(record))
    return Record.of(item, ready.protocol.strict_grader.grade(item.sample, said.text, said.finish), record.calls, said)


def _told(record: Record) -> Ask:
    """Return an `ask` that gives the replies that a record holds, in the order of its calls."""
    replies = iter([Response.from_record(call.response) for call in record.calls])

    async def ask(request: Request) -> Response:  # noqa: ARG001 - a strategy asks the same again
        return next(replies)

    return ask
