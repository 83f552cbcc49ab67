"""What a run will ask, said before it asks; and a question first where that is much and costs money."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from spatialeval.models.prices import estimated
from spatialeval.run.plan import MANY_CALLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.models.base import Model
    from spatialeval.run.execute import Prepared
    from spatialeval.run.plan import Plan
    from spatialeval.run.records import Item


def announce(ready: Prepared, model: Model, *, yes: bool) -> None:
    """Say how many calls a run makes where that is not one per sample; ask first where they are many and cost money.

    Raises:
        click.UsageError: when nobody is there to ask, and `yes` was not given.
        click.Abort: when the answer is no.
    """
    from spatialeval.run.execute import estimate

    per_sample = len(ready.items) * ready.strategy.calls / max(1, len({_asked(item) for item in ready.items}))
    many = model.hosted and len(ready.items) * ready.strategy.calls > MANY_CALLS
    if per_sample <= 1 and not many and model.quote is None:
        return
    plan = asyncio.run(estimate(ready.spec, ready))
    if not plan.calls:
        return
    click.echo(f"{_said(ready, plan)}{estimated(model.quote, plan.prompt_tokens, plan.completion_tokens)}.", err=True)
    _ask(plan.calls, model, yes=yes)


def announce_all(runs: Sequence[Prepared], model: Model, *, yes: bool) -> None:
    """Say what several runs ask together; ask first where that is much and costs money.

    Raises:
        click.UsageError: when nobody is there to ask, and `yes` was not given.
        click.Abort: when the answer is no.
    """
    from spatialeval.run.execute import estimate

    plans = [asyncio.run(estimate(ready.spec, ready)) for ready in runs]
    calls, prompt, answer = (
        sum(getattr(plan, name) for plan in plans) for name in ("calls", "prompt_tokens", "completion_tokens")
    )
    if not calls:
        return
    click.echo(
        f"{len(runs)} runs: up to {calls:,} calls, about {prompt:,} prompt tokens and at most "
        f"{answer:,} answer tokens{estimated(model.quote, prompt, answer)}.",
        err=True,
    )
    _ask(calls, model, yes=yes)


def _ask(calls: int, model: Model, *, yes: bool) -> None:
    if calls <= MANY_CALLS or not model.hosted or yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"that is more than {MANY_CALLS:,} calls of {model.spec}, which cost money. Add --yes to make them."
        )
    click.confirm("Ask?", abort=True, err=True)


def _said(ready: Prepared, plan: Plan) -> str:
    samples = len({_asked(item) for item in ready.items})
    forms = f" in {len(ready.items):,} forms" if len(ready.items) > samples else ""
    each = f", up to {ready.strategy.calls} calls each" if ready.strategy.calls > 1 else ""
    return (
        f"{samples:,} samples{forms}{each}: up to {plan.calls:,} calls, about {plan.prompt_tokens:,} prompt tokens and "
        f"at most {plan.completion_tokens:,} answer tokens"
    )


def _asked(item: Item) -> str:
    return (item.origin or item.sample).id
