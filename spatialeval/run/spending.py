"""What a run has spent, told from its journal: for its budget, its manifest and the message it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import UsageError
from spatialeval.models.prices import dollars
from spatialeval.run.budget import BudgetSpentError
from spatialeval.run.stopping import RunInterrupted

if TYPE_CHECKING:
    from spatialeval.messages import Usage
    from spatialeval.models.base import Model
    from spatialeval.run.budget import Budget
    from spatialeval.run.journal import Journal
    from spatialeval.run.prepare import Prepared
    from spatialeval.run.stopping import Stop


@dataclass(frozen=True)
class Spent:
    """What the calls of a run used in all its sessions. Answers from a cache of answers cost nothing.

    Attributes:
        tokens: of prompts and answers, those of a judge included.
        cost: USD at today's prices; None where a price is not known, or the server tells no tokens.
    """

    tokens: int
    cost: float | None


def spent(journal: Journal, model: Model, judge: Model | None) -> Spent:
    """Return what the calls in a journal used."""
    used = journal.usage()
    tokens = sum((usage.prompt_tokens or 0) + (usage.completion_tokens or 0) for usage in used.values())
    costs = [_cost(usage, judge if judged else model) for judged, usage in used.items()] or [_nothing(model)]
    known = [cost for cost in costs if cost is not None]
    return Spent(tokens, sum(known) if len(known) == len(costs) else None)


def prices(model: Model, judge: Model | None) -> dict[str, str]:
    """Return the prices that costs are told at, as far as they are known, and where they are from."""
    quotes = {"model": model.quote, "judge": judge.quote if judge else None}
    return {name: f"{quote.price} ({quote.source})" for name, quote in quotes.items() if quote}


def check_priced(budget: Budget | None, model: Model, judge: Model | None = None) -> None:
    """Raise UsageError when costs are limited and somebody's price is not known."""
    if budget is None or budget.max_cost is None:
        return
    for one, option in ((model, "--price "), (judge, "--judge-option price=")):
        if one is not None and one.quote is None:
            raise UsageError(
                f"--max-cost needs the price of {one.spec}, which is not in the table. Give it in USD per million "
                f"tokens, {option}in=2.50,out=10 ({option}in=0,out=0 for a server of your own), or limit "
                "tokens instead with --max-total-tokens."
            )


def interruption(ready: Prepared, journal: Journal, stop: Stop, models: tuple[Model, Model | None]) -> None:
    """Raise RunInterrupted where a run that was stopped left items without a record."""
    kept = journal.kept()
    left = sum(item.key not in kept for item in ready.items)
    if not stop.stopping or not left:
        return
    done, budget, model = len(ready.items) - left, ready.spec.budget, models[0]
    if budget is None or not budget.spent:
        raise RunInterrupted(
            f"Interrupted ({stop.reason}) with {done} of {len(ready.items)} samples answered. "
            f"All of them are kept in {ready.folder}: run the same command again to ask the other {left}. "
            f"{model.pending()}".rstrip()
        )
    so_far, rest = spent(journal, *models), ""
    if done:
        more = left / done
        costs = f" ({dollars(so_far.cost * more)})" if so_far.cost else ""
        rest = f", which at this rate take about {so_far.tokens * more:,.0f} tokens{costs}"
    raise BudgetSpentError(
        f"The budget is spent: {budget}. {done} of {len(ready.items)} samples are answered and kept in {ready.folder}. "
        f"Raise the limit in the same command to ask the other {left}{rest}."
    )


def _cost(usage: Usage, model: Model | None) -> float | None:
    told = usage.prompt_tokens is not None or usage.completion_tokens is not None
    return model.quote.price.of(usage) if model and model.quote and told else None


def _nothing(model: Model) -> float | None:
    return 0.0 if model.quote else None
