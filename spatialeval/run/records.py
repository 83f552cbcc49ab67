"""The record of one asked item: all that results and reports need to know about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from spatialeval.messages import Response, Usage
from spatialeval.scores import Failure, Outcome, Reading, Score, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.errors import FailureKind
    from spatialeval.messages import Finish
    from spatialeval.samples import Answer, AnswerType, Sample
    from spatialeval.views.base import View


@dataclass(frozen=True, slots=True)
class Item:
    """One sample as it is asked.

    Attributes:
        sample: as the views show it.
        view: the keys under which they show it, joined by "+"; "" for the sample itself.
        origin: the sample that the views began with, where there are views.
        steps: (view, key, the sample before it) for each view, in order.
    """

    sample: Sample
    view: str = ""
    origin: Sample | None = None
    steps: tuple[tuple[View, str, Sample], ...] = ()

    @property
    def key(self) -> str:
        """Unique within a run and stable between runs."""
        return f"{self.sample.id}|{self.view}" if self.view else self.sample.id


def judged_key(key: str) -> str:
    """Return the name under which the journal keeps what a judge said about the item `key`."""
    return f"{key}||judge"


@dataclass(frozen=True, slots=True)
class Call:
    """One answered call: what was sent (media by hash) and what came back, both as JSON-able records."""

    request: dict[str, Any]
    response: dict[str, Any]
    latency: float
    """Seconds from sending the request that was answered to its reply."""
    attempts: int = 1
    """Requests sent for this call, the answered one included; 0 when its answer came from a cache."""


def spent_on(calls: Sequence[Call]) -> Usage:
    """Return the tokens over calls that were really asked: an answer from a cache of answers was paid for before."""
    return usage_of([call for call in calls if call.attempts])


def usage_of(calls: Sequence[Call]) -> Usage:
    """Return the tokens over calls; None where no call told."""
    told = [Usage(**call.response["usage"]) for call in calls]

    def total(name: str) -> int | None:
        counts = [getattr(usage, name) for usage in told if getattr(usage, name) is not None]
        return sum(counts) if counts else None

    return Usage(total("prompt_tokens"), total("completion_tokens"), total("cached_tokens"))


@dataclass(frozen=True, slots=True)
class Record:
    """One item after it was asked. `score` is None when the item failed or its protocol leaves it out.

    `calls` holds every answered call in order, `judged` those of the judge. What was read is the last call's reply, or
    `final` where a strategy made its answer from several replies (a vote); `finish` says how it ended. `work` is what
    the strategy made on the way to it. Records of before there were `finish` and `work` have None.
    """

    key: str
    sample_id: str
    view: str
    category: str
    group: str
    answer: AnswerType
    question: str
    target: Answer
    state: State
    score: float | None = None
    read: Answer | None = None
    rule: str | None = None
    failure: FailureKind | None = None
    message: str | None = None
    attempts: int = 1
    calls: list[Call] = field(default_factory=list)
    final: str | None = None
    judged: list[Call] = field(default_factory=list)
    finish: Finish | None = None
    work: dict[str, Any] | None = None

    @property
    def ended(self) -> Finish:
        """How the text that was read ended, also of records that do not say: a vote was not cut."""
        if self.finish is None and self.final is None and self.calls:
            last: Finish = self.calls[-1].response["finish"]
            return last
        return self.finish or "stop"

    @property
    def reply(self) -> str | None:
        """The text that was read, or None when there is none."""
        if self.state == "failed":
            return None
        if self.final is not None:
            return self.final
        return self.calls[-1].response["text"] if self.calls else None

    @property
    def usage(self) -> Usage:
        """Tokens over all calls; None where no call told."""
        return usage_of(self.calls)

    @property
    def outcome(self) -> Outcome:
        """The score or the failure, as the type it is."""
        if self.state == "failed":
            return Failure(self.failure or "model_error", self.message or "", self.attempts)
        return Score(self.score, Reading(self.read, self.rule or ""), self.state)

    @classmethod
    def of(
        cls,
        item: Item,
        outcome: Outcome,
        calls: list[Call],
        said: Response | str | None = None,
        judged: Sequence[Call] = (),
    ) -> Record:
        """Build the record of `item` from its outcome, the answered calls, what was read, the judge's calls."""
        sample = item.sample
        facts: dict[str, Any] = {
            "key": item.key,
            "sample_id": sample.id,
            "view": item.view,
            "category": sample.category,
            "group": sample.group,
            "answer": sample.answer,
            "question": sample.question,
            "target": sample.target,
            "state": outcome.state,
            "calls": calls,
            "judged": list(judged),
            "work": dict(said.work) if isinstance(said, Response) and said.work is not None else None,
        }
        if isinstance(outcome, Failure):
            return cls(**facts, failure=outcome.kind, message=outcome.message, attempts=outcome.attempts)
        attempts = sum(call.attempts for call in calls) if calls else 1
        reading = outcome.reading
        text, finish = (said.text, said.finish) if isinstance(said, Response) else (said, None)
        final = None if calls and calls[-1].response["text"] == text else text
        facts |= {"attempts": attempts, "final": final, "finish": finish}
        return cls(**facts, score=outcome.value, read=reading.value, rule=reading.rule)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Rebuild a record from `as_json()` (tuples come back as tuples)."""
        calls = {
            name: [call if isinstance(call, Call) else Call(**call) for call in data.get(name, [])]
            for name in ("calls", "judged")
        }
        answers = {name: _tuples(data[name]) for name in ("target", "read")}
        return cls(**{**data, **answers, **calls})


def _tuples(value: Any) -> Any:
    """Return JSON data with lists as tuples at every level, as answers are held."""
    if isinstance(value, list):
        return tuple(_tuples(each) for each in value)
    if isinstance(value, dict):
        return {key: _tuples(each) for key, each in value.items()}
    return value
