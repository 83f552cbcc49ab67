"""Small stand-ins for a task, for tests of the runner: questions whose right answer is a letter."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from spatialeval.errors import ModelError
from spatialeval.grading import Grader
from spatialeval.messages import Message, Request, Settings, Text
from spatialeval.models.base import FunctionModel
from spatialeval.run.journal import Journal
from spatialeval.run.records import Item
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.runner import run_items
from spatialeval.samples import Sample
from spatialeval.scores import Reading
from spatialeval.strategies import Strategy
from spatialeval.strategies.plain import Plain

if TYPE_CHECKING:
    from pathlib import Path

    from spatialeval.run.records import Record

LETTERS = "ABCD"


def read_letter(text, sample):
    """Read a reply that is one letter."""
    return Reading(text, "letter") if text in LETTERS else Reading(None, "no letter")


def exactly(answer, sample):
    """1 for the gold letter, else 0."""
    return float(answer == sample.target)


GRADER = Grader({"choice": read_letter}, {"choice": exactly})


@dataclass(frozen=True)
class FakeProtocol:
    """The part of a TaskProtocol that running needs."""

    name: str = "official"
    settings: Settings = field(default=Settings(max_tokens=16))
    grader: Grader = field(default=GRADER)
    strict_grader: Grader = field(default=GRADER)
    cap: int | None = None

    def request(self, sample, *, instruction=None, settings=None):
        text = Text(f"{sample.question}{instruction or ''}")
        return Request((Message("user", (text,)),), settings or self.settings, sample)


@dataclass(frozen=True)
class TwoSteps(Strategy):
    """Ask, show the reply, ask again: the second reply is the answer."""

    name: ClassVar[str] = "two_steps"
    calls: int = 2

    async def run(self, sample, protocol, ask):
        first = await ask(protocol.request(sample))
        return await ask(protocol.request(sample, instruction=f" You said {first.text!r}. Sure?"))


def letter(text: str) -> str:
    """A letter that looks random and is always the same for a text."""
    return LETTERS[hashlib.sha256(text.encode()).digest()[0] % len(LETTERS)]


def make_items(count: int, **facts) -> list[Item]:
    """Questions s0, s1, ... Each second one has the answer that `letter` gives to its question."""
    items = []
    for i in range(count):
        question = f"question {i}?"
        target = letter(question) if i % 2 else "A"
        items.append(Item(Sample(f"s{i}", "choice", question, target, choices=tuple("wxyz"), **facts)))
    return items


def answering(request: Request) -> str:
    """The reply that goes with `make_items`."""
    return letter(request.messages[0].text)


QUICK = RetryPolicy(attempts=3, base=0.001, cap=0.002)


async def no_sleep(seconds: float) -> None:
    """Give way, and wait for nothing."""
    await asyncio.sleep(0)


async def run(items, folder: Path, function=answering, **changes) -> list[Record]:
    """Run items in a folder with a function as the model; return their records in the order of the items."""
    with Journal.open(folder / "journal.sqlite") as journal:
        given = {
            "strategy": Plain(),
            "protocol": FakeProtocol(),
            "grader": GRADER,
            "model": FunctionModel(function, concurrency=4),
            "retry": QUICK,
            "events": lambda event: None,
            "sleep": no_sleep,
        }
        await run_items(items, journal=journal, **{**given, **changes})
        return list(journal.records([item.key for item in items]))


class Counting:
    """A model function that remembers what it was asked, and may fail as told."""

    def __init__(self, fail=None):
        self.asked, self.fail = Counter(), fail or (lambda sample_id, times: None)

    def __call__(self, request):
        sample_id = request.sample.id
        self.asked[sample_id] += 1
        error = self.fail(sample_id, self.asked[sample_id])
        if error:
            raise error
        return answering(request)


def timeout(**facts):
    """An error that can pass."""
    return ModelError("no reply in 1 s", kind="timeout", transient=True, **facts)
