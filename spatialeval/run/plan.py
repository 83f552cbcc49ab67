"""What a run would ask, without asking: for --dry-run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spatialeval.foreign import blaming
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.strategies.turns import largest_cap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.messages import Request, Response
    from spatialeval.run.records import Item
    from spatialeval.strategies import Strategy
    from spatialeval.tasks import TaskProtocol

MANY_CALLS = 20_000
"""Calls of a model that somebody is paid for, above which a run asks first."""
_LETTERS_PER_TOKEN = 4
_TOKENS_PER_IMAGE = 800
_LOOKED_AT = 64
"""Items that are rendered for the estimate, spread evenly over all."""


@dataclass(frozen=True)
class Plan:
    """What a run would ask.

    Attributes:
        folder: where its results would be.
        samples: how many are asked about.
        items: the forms in which they are asked, in all: as many, but for views that show a sample several times.
        answered: how many of them have an answer already and would not be asked again.
        calls: most calls for the rest.
        prompt_tokens: of those calls; a rough guess, a quarter of the letters and 800 for each picture, and for further
            calls of a question an upper one, as if they held every reply before them at its longest.
        completion_tokens: most tokens that the answers may have, from the largest token cap of a call.
        first: the first request, as it would be sent; None where nothing is asked.
        judge_calls: most calls of a judge for the rest.
    """

    folder: Path
    samples: int
    items: int
    answered: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    first: Request | None
    judge_calls: int = 0


class _Seen(BaseException):  # strategies may catch Exception, and must not catch this
    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


async def first_request(item: Item, strategy: Strategy, protocol: TaskProtocol) -> Request | None:
    """Return the first request that the strategy makes about an item; None where it answers without asking."""

    async def look(request: Request) -> Response:
        raise _Seen(request)

    try:
        with blaming("strategy", strategy):
            await strategy.run(item.sample, protocol, look)
    except _Seen as seen:
        return seen.request
    return None


async def plan_items(items: Sequence[Item], folder: Path, strategy: Strategy, protocol: TaskProtocol) -> Plan:
    """Return the plan for items that go to `folder`."""
    answered = _answered(folder, {item.key for item in items})
    spread = items[:: max(1, len(items) // _LOOKED_AT)]
    looked = [await first_request(item, strategy, protocol) for item in spread]
    requests = [request for request in looked if request is not None]
    left = len(items) - answered if requests else 0
    caps = [largest_cap(protocol, strategy, request.settings) for request in requests]
    guesses = [
        strategy.prompt_tokens(rough_tokens(request), cap, _TOKENS_PER_IMAGE)
        for request, cap in zip(requests, caps, strict=True)
    ]
    each = max(1, len(requests))
    return Plan(
        folder=folder,
        samples=len({(item.origin or item.sample).id for item in items}),
        items=len(items),
        answered=answered,
        calls=left * strategy.calls,
        prompt_tokens=round(left * sum(guesses) / each),
        completion_tokens=round(left * strategy.calls * sum(caps) / each),
        first=requests[0] if requests else None,
    )


def rough_tokens(request: Request) -> int:
    """Return a rough number of prompt tokens, the same for every model."""
    letters = sum(len(message.text) for message in request.messages)
    images = sum(len(message.images) for message in request.messages)
    return _rough(letters, images)


def rough_tokens_of(record: Mapping[str, Any]) -> int:
    """Return the same for a request as the journal keeps it."""
    parts = [part for message in record["messages"] for part in message["parts"]]
    letters = sum(len(part["text"]) for part in parts if part["type"] == "text")
    return _rough(letters, sum(part["type"] == "image" for part in parts))


def _rough(letters: int, images: int) -> int:
    return letters // _LETTERS_PER_TOKEN + images * _TOKENS_PER_IMAGE


def _answered(folder: Path, keys: set[str]) -> int:
    path = folder / FILE_NAME
    if not path.exists():
        return 0
    with Journal.open(path, readonly=True) as journal:
        return sum(key in keys and kept.state != "failed" for key, kept in journal.kept().items())
