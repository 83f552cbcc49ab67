"""The options that say how to reach a model, how fast, and for how much. Every command that asks models has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.run.experiment import ModelEntry

C = TypeVar("C", bound="Callable[..., Any] | click.Command")


class Temperature(click.FloatRange):
    """A number of at least 0, or `none`."""

    name = "number|none"

    def __init__(self) -> None:
        super().__init__(0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number or "none"."""
        return value if value == "none" else super().convert(value, param, ctx)


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
_ANSWERS = (
    click.option("--temperature", type=Temperature(), help="Instead of the protocol's; `none` sends none."),
    click.option(
        "--cache", type=click.Path(path_type=Path), help="Folder of answers kept across runs; asks none of them twice."
    ),
    click.option("--cache-sampled", is_flag=True, help="Keep answers with a temperature above 0 there too."),
)
_OF_ENTRY = ("timeout", "concurrency", "batch_size", "batch", "rpm", "tpm", "price")


def model_options(command: C) -> C:
    """Give a command the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def answer_options(command: C) -> C:
    """Give a command the options that say how answers are generated and kept across runs."""
    for option in reversed(_ANSWERS):
        command = option(command)
    return command


def model_entry(spec: str, given: dict[str, Any]) -> ModelEntry:
    """Return the entry of a model that the options describe."""
    from spatialeval.cli.judge_options import key_value
    from spatialeval.run.experiment import ModelEntry

    if given["cache_sampled"] and not given["cache"]:
        raise click.UsageError("--cache-sampled says what --cache keeps; add --cache FOLDER.")
    extra = dict(map(key_value, given["extra"]))
    return ModelEntry(
        spec=spec, base_url=list(given["base_url"]), extra=extra, **{key: given[key] for key in _OF_ENTRY}
    )


def budget_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the runs of a command may spend together, as an experiment says it."""
    return {key: given[key] for key in ("max_cost", "max_total_tokens")}
