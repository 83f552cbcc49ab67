"""What each way of asking is worth: several strategies on the same samples of one task, compared question by question.

All arms are read by the same reader and have the same token cap, unless said otherwise: else a difference between two
strategies may be one between two parsers, or between 16 and 1,024 tokens of room.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING, Literal, Protocol

from spatialeval.errors import UsageError
from spatialeval.run.execute import RunOutcome, RunSpec, execute
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.plan import first_request
from spatialeval.run.prepare import Prepared, prepare
from spatialeval.run.rereading import read_strictly
from spatialeval.run.tally import Tally
from spatialeval.stats.paired import Paired, holm, paired
from spatialeval.strategies.turns import largest_cap
from spatialeval.tasks.aggregate import Part, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from spatialeval.models.base import Model
    from spatialeval.run.events import Event
    from spatialeval.run.records import Record
    from spatialeval.run.units import Unit

Readers = Literal["same", "own"]


@dataclass(frozen=True)
class Effort:
    """What an arm cost and how its replies ended.

    Attributes:
        items: asked; a view may ask a sample several times.
        unparsed: answered, nothing could be read.
        truncated: cut by the token cap.
        failed: no answer was had, or not yet.
        calls: answered calls.
        prompt_tokens: over all calls; 0 where no backend told.
        completion_tokens: the same.
        seconds: from sending to reply, added up over calls.
    """

    items: int
    unparsed: int
    truncated: int
    failed: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True)
class Arm:
    """One strategy on one task, asked and graded.

    Attributes:
        strategy: as it was named.
        outcome: its run.
        tally: its graded questions.
        effort: what it cost.
    """

    strategy: str
    outcome: RunOutcome
    tally: Tally
    effort: Effort


@dataclass(frozen=True)
class Difference:
    """One arm against the first one, on one category or part.

    Attributes:
        name: the category or part.
        score: of the arm, on the questions that both answered.
        base: of the first arm on them.
        paired: the comparison; None for the first arm, or where no question is answered by both.
        p: corrected by Holm over the arms and rows of the table.
        readable: the comparison on the questions whose answer both arms gave readably.
    """

    name: str
    score: float | None
    base: float | None
    paired: Paired | None
    p: float | None = None
    readable: Paired | None = None


@dataclass(frozen=True)
class Ablation:
    """The comparison of all arms on one task.

    Attributes:
        task: its name.
        protocol: under which it was asked.
        reader: "strict" or "protocol", the readers of all arms; "own" where each arm kept its own.
        cap: the token cap of all arms; None where each arm kept its own.
        headline: the part that stands for the task.
        arms: in the order named; the first is compared with.
        rows: for each arm, the categories and then the parts.
    """

    task: str
    protocol: str
    reader: str
    cap: int | None
    headline: str
    arms: tuple[Arm, ...]
    rows: tuple[tuple[Difference, ...], ...]


def ablate(
    base: RunSpec,
    strategies: Sequence[str],
    *,
    readers: Readers = "same",
    caps: Readers = "same",
    model: Model | None = None,
    events: Callable[[str], Callable[[Event], None]] = lambda _: lambda _: None,
    agree: Callable[[Sequence[Prepared]], None] = lambda _: None,
) -> Ablation:
    """Ask one task in several ways and compare them. Resumes like any run.

    Args:
        base: task, model and everything else that the arms share; its strategy is replaced.
        strategies: how to ask; the first is what the others are compared with.
        readers: "own" lets each arm be read as its strategy says.
        caps: "own" lets each strategy keep its token cap; "same" raises all to the largest of them.
        model: used instead of the one that `base.model` names.
        events: given the strategy, returns what hears about its run.
        agree: given all that will be asked before anything is; raises to stop it.

    Raises:
        UsageError: for fewer than two strategies, or the same one twice.
        SpatialEvalError: whatever an arm's run raises.
    """
    if len(strategies) < 2 or len(set(strategies)) < len(strategies):
        raise UsageError("An ablation compares at least two different strategies: -s plain,cot.")
    specs = [replace(base, strategy=strategy) for strategy in strategies]
    first = prepare(specs[0])
    prepared = [first, *(prepare(spec, first) for spec in specs[1:])]
    cap = None
    if caps == "same":
        cap = max(asyncio.run(_cap(ready)) for ready in prepared)
        specs = [replace(spec, max_tokens=cap) for spec in specs]
        prepared = [prepare(spec, first) for spec in specs]
    agree(prepared)
    strict = readers == "same" and any(ready.strategy.reader == "strict" for ready in prepared)
    arms = []
    for spec, ready in zip(specs, prepared, strict=True):
        outcome = asyncio.run(execute(spec, events=events(spec.strategy), model=model, ready=ready))
        arms.append(asked_arm(spec.strategy, ready, outcome, strict=strict))
    reader = "own" if readers == "own" else "strict" if strict else "protocol"
    rows = compare_graded([arm.tally for arm in arms])
    headline = next(part.name for part in arms[0].tally.parts() if part.headline)
    return Ablation(prepared[0].task.name, prepared[0].protocol.name, reader, cap, headline, tuple(arms), rows)


async def _cap(ready: Prepared) -> int:
    """Return the largest cap of an arm: that of its first call, or what it gives a later one."""
    request = await first_request(ready.items[0], ready.strategy, ready.protocol)
    return largest_cap(ready.protocol, ready.strategy, request.settings if request else ready.protocol.settings)


def asked_arm(strategy: str, ready: Prepared, outcome: RunOutcome, *, strict: bool) -> Arm:
    """Return the graded arm; its replies are read once more where all arms share the strict readers."""
    tally = Tally(ready.task, ready.protocol, ready.items)
    regrade = strict and ready.strategy.reader != "strict"
    items = {item.key: item for item in ready.items}
    with Journal.open(outcome.folder / FILE_NAME, readonly=True) as journal:
        records = list(journal.records(items))
    if regrade:
        records = asyncio.run(read_strictly(records, items, ready))
    for record in records:
        tally.add(record)
    tally.close()
    return Arm(strategy, outcome, tally, _effort(records, len(ready.items)))


def _effort(records: Sequence[Record], items: int) -> Effort:
    states = [record.state for record in records]
    return Effort(
        items=items,
        unparsed=states.count("unparsed"),
        truncated=states.count("truncated"),
        failed=items - len(states) + states.count("failed"),
        calls=sum(len(record.calls) for record in records),
        prompt_tokens=sum(record.usage.prompt_tokens or 0 for record in records),
        completion_tokens=sum(record.usage.completion_tokens or 0 for record in records),
        seconds=sum(call.latency for record in records for call in record.calls),
    )


class Graded(Protocol):
    """Graded questions, as a Tally has them: what a comparison needs."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories asked, in the order of tables."""

    def parts(self) -> list[Part]:
        """Return the aggregates to compare."""

    def units(self, term: Term) -> list[Unit]:
        """Return the units that a term takes in."""


def compare_graded(graded: Sequence[Graded]) -> tuple[tuple[Difference, ...], ...]:
    """Return, for each, its difference to the first one on every category and part; p corrected over all."""
    first = graded[0]
    categories = [Part(name, {Term(name): 1.0}) for name in first.categories]
    parts = [*(categories if len(categories) > 1 else ()), *first.parts()]
    held = [cache(lambda term, one=one: by_question(one.units(term))) for one in graded]
    table = [[_difference(part, held[0], second, alone=second is held[0]) for part in parts] for second in held]
    tested = [cell for row in table for cell in row if cell.paired]
    corrected = iter(holm([cell.paired.p for cell in tested if cell.paired]))
    return tuple(tuple(replace(cell, p=next(corrected)) if cell.paired else cell for cell in row) for row in table)


def _difference(
    part: Part, first: Callable[[Term], dict[str, Unit]], second: Callable[[Term], dict[str, Unit]], *, alone: bool
) -> Difference:
    """Return the difference on a part, on the questions of each term that both answered.

    Where a view asks a question in several forms, their mean stands for it.
    """
    pairs = [
        (term, first(term)[name], unit)
        for term in part.terms
        for name, unit in second(term).items()
        if name in first(term)
    ]
    if not pairs:
        return Difference(part.name, None, None, None)
    means = [_mean(part, [(term, pair[place]) for term, *pair in pairs]) for place in (0, 1)]
    if alone:
        return Difference(part.name, means[1], means[0], None)
    both = _paired(part, pairs)
    readable = [(term, a, b) for term, a, b in pairs if a.read and b.read]
    whole = len(readable) == len(pairs)
    return Difference(part.name, means[1], means[0], both, readable=both if whole else _paired(part, readable))


def by_question(units: Iterable[Unit]) -> dict[str, Unit]:
    """Return sample id -> what it is worth; where a view asks it in several forms, their mean."""
    found: dict[str, list[Unit]] = {}
    for unit in units:
        found.setdefault(unit.question or unit.key, []).append(unit)
    return {name: same[0] if len(same) == 1 else _mean_form(same) for name, same in found.items()}


def _mean_form(same: Sequence[Unit]) -> Unit:
    return replace(same[0], value=fmean(unit.value for unit in same), read=all(unit.read for unit in same))


def _paired(part: Part, pairs: Sequence[tuple[Term, Unit, Unit]]) -> Paired | None:
    names = {term: str(place) for place, term in enumerate(part.terms)}
    weights = {names[term]: weight for term, weight in part.terms.items()}
    return paired(
        [a.value for _, a, _ in pairs],
        [b.value for _, _, b in pairs],
        [a.cluster for _, a, _ in pairs],
        [names[term] for term, _, _ in pairs],
        weights if len(weights) > 1 else None,
    )


def _mean(part: Part, units: Sequence[tuple[Term, Unit]]) -> float | None:
    """Return the weighted mean of the terms; None where one has no unit."""
    means = []
    for term, weight in part.terms.items():
        values = [unit.value for one, unit in units if one == term]
        if not values:
            return None
        means.append(weight * fmean(values))
    return sum(means)
