"""The options that say how to reach a model, how fast, and for how much. Every command that asks models has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from spatialeval.run.experiment import ModelEntry

C = TypeVar("C")

_POSITIVE = click.FloatRange(0, min_open=True)
_OPTIONS = (
    click.option(
        "--base-url",
        multiple=True,
        help="Root of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1. Repeatable.",
    ),
    click.option("--timeout", type=_POSITIVE, default=300.0, show_default=True, help="Seconds for one reply."),
    click.option(
        "-c",
        "--concurrency",
        type=click.IntRange(1),
        help="Most requests in flight.  [default: for servers, as many as make answers come faster]",
    ),
    click.option("--rpm", type=_POSITIVE, help="Most requests a minute."),
    click.option("--tpm", type=_POSITIVE, help="Most tokens a minute, of prompts and answers."),
    click.option(
        "--batch", is_flag=True, help="Ask through the provider's batch API: cheaper, within a day (openai:NAME)."
    ),
    click.option("--batch-size", type=click.IntRange(1), default=16, show_default=True, help="Of local models."),
    click.option(
        "-o",
        "--option",
        "extra",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of the model's backend. Repeatable.",
    ),
    click.option(
        "--price",
        metavar="in=2.50,out=10",
        help="USD per million tokens (cached=... too), or a FILE.yaml of prices.  [default: a table of hosted models]",
    ),
    click.option("--max-cost", type=_POSITIVE, metavar="USD", help="Stop before the runs of this command cost more."),
    click.option("--max-total-tokens", type=click.IntRange(1), help="Stop before they use more tokens altogether."),
)
_OF_ENTRY = ("timeout", "concurrency", "batch_size", "batch", "rpm", "tpm", "price")


def model_options(command: C) -> C:
    """Give a command the options."""
    for option in reversed(_OPTIONS):
        command = option(command)  # type: ignore[type-var]
    return command


def model_entry(spec: str, given: dict[str, Any]) -> ModelEntry:
    """Return the entry of a model that the options describe."""
    from spatialeval.cli.judge_options import key_value
    from spatialeval.run.experiment import ModelEntry

    extra = dict(map(key_value, given["extra"]))
    return ModelEntry(
        spec=spec, base_url=list(given["base_url"]), extra=extra, **{key: given[key] for key in _OF_ENTRY}
    )


def budget_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the runs of a command may spend together, as an experiment says it."""
    return {key: given[key] for key in ("max_cost", "max_total_tokens")}
