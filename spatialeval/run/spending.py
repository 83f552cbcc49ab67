"""What a run has spent, told from its journal: for its budget, its manifest and the message it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import UsageError
from spatialeval.models.prices import dollars, known_price
from spatialeval.run.budget import BudgetSpentError, answer_tokens
from spatialeval.run.plan import rough_tokens_of
from spatialeval.run.stopping import RunInterrupted

if TYPE_CHECKING:
    from spatialeval.messages import Usage
    from spatialeval.models.base import Model
    from spatialeval.run.budget import Budget
    from spatialeval.run.journal import Journal
    from spatialeval.run.prepare import Prepared
    from spatialeval.run.stopping import Stop


_COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens")


@dataclass(frozen=True)
class Spent:
    """What the calls of a run used in all its sessions. Answers from a cache of answers cost nothing.

    Attributes:
        tokens: of prompts and answers, those of a judge included; guessed where the server tells none.
        cost: USD at today's prices, of those tokens; 0 where there is no price.
    """

    tokens: float
    cost: float


def spent(journal: Journal, model: Model, judge: Model | None) -> Spent:
    """Return what the calls in a journal count for in a budget."""
    used = {
        judged: {name: float(getattr(usage, name) or 0) for name in _COUNTS}
        for judged, usage in journal.usage().items()
    }
    for judged, call in journal.untold():
        told = call.response["usage"]
        if told["prompt_tokens"] is None:
            used[judged]["prompt_tokens"] += rough_tokens_of(call.request)
        if told["completion_tokens"] is None:
            used[judged]["completion_tokens"] += answer_tokens(call.response["text"], call.response.get("thoughts"))
    tokens = sum(counts["prompt_tokens"] + counts["completion_tokens"] for counts in used.values())
    payers = {judged: judge if judged else model for judged in used}
    costs = (
        payer.quote.price.cost(*(used[judged][name] for name in _COUNTS))
        for judged, payer in payers.items()
        if payer and payer.quote
    )
    return Spent(tokens, sum(costs))


def known_cost(journal: Journal, model: Model, judge: Model | None) -> float | None:
    """Return the USD that the calls in a journal cost; None where a price is not known, or a server tells no tokens."""
    if not model.quote and not (judge and judge.quote):
        return None  # nobody is paid, or nobody knows what
    used = journal.usage()
    costs = [_cost(usage, judge if judged else model) for judged, usage in used.items()] or [_nothing(model)]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def prices(model: Model, judge: Model | None) -> dict[str, str]:
    """Return the prices that costs are told at, as far as they are known, and where they are from."""
    quotes = {"model": model.quote, "judge": judge.quote if judge else None}
    return {name: f"{quote.price} ({quote.source})" for name, quote in quotes.items() if quote}


def check_priced(budget: Budget | None, model: Model, judge: Model | None = None) -> None:
    """Raise UsageError when costs are limited and somebody's price is not known."""
    if budget is None or budget.max_cost is None:
        return
    for one, option in ((model, "--price "), (judge, "--judge-option price=")):
        if one is not None and one.quote is None and not one.free:
            why = "which is not in the table"
            if not one.hosted and known_price(one.spec.partition(":")[2]):
                why = "and the price in the table is that of the hosted API, not of the server at its base URL"
            raise UsageError(
                f"--max-cost needs the price of {one.spec}, {why}. Give it in USD per million "
                f"tokens, {option}in=2.50,out=10 ({option}in=0,out=0 for a server of your own), or limit "
                "tokens instead with --max-total-tokens."
            )


def interruption(ready: Prepared, journal: Journal, stop: Stop, models: tuple[Model, Model | None]) -> None:
    """Raise RunInterrupted where a run that was stopped left items without a record."""
    kept = journal.kept()
    if not stop.stopping or all(item.key in kept for item in ready.items):
        return
    failed = sum(item.key in kept and kept[item.key].state == "failed" for item in ready.items)
    left = failed + sum(item.key not in kept for item in ready.items)
    done, budget, model = len(ready.items) - left, ready.spec.budget, models[0]
    besides = f", {failed} failed" if failed else ""
    if budget is None or not budget.spent:
        raise RunInterrupted(
            f"Interrupted ({stop.reason}) with {done} of {len(ready.items)} samples answered{besides}. "
            f"All answers are kept in {ready.folder}: run the same command again to ask the other {left}. "
            f"{model.pending()}".rstrip()
        )
    so_far, rest = spent(journal, *models), ""
    if done:
        more = left / done
        costs = f" ({dollars(so_far.cost * more)})" if so_far.cost else ""
        rest = f", which at this rate take about {so_far.tokens * more:,.0f} tokens{costs}"
    raise BudgetSpentError(
        f"The budget is spent: {budget}. {done} of {len(ready.items)} samples are answered and kept in "
        f"{ready.folder}{besides}. "
        f"Raise the limit in the same command to ask the other {left}{rest}."
    )


def _cost(usage: Usage, model: Model | None) -> float | None:
    if model and model.free:
        return 0.0
    told = usage.prompt_tokens is not None or usage.completion_tokens is not None
    return model.quote.price.of(usage) if model and model.quote and told else None


def _nothing(model: Model) -> float | None:
    return 0.0 if model.quote else None
