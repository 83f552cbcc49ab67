"""What commands that compare several runs share: their options, their displays, their files."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spatialeval.cli.model_options import answer_options, budget_options, model_entry, model_options
from spatialeval.cli.naming import check_reached
from spatialeval.cli.where import placed, ray_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from spatialeval.run.events import Event
    from spatialeval.run.prepare import Prepared, RunSpec
    from spatialeval.run.stopping import RunInterrupted

C = TypeVar("C", bound="Callable[..., Any] | click.Command")

_COMMA = re.compile(r",(?![^(]*\))")
"""A comma outside of parentheses."""

_OPTIONS = (
    click.option("-t", "--task", "tasks", multiple=True, required=True, help="A task or a suite. Repeatable."),
    click.option("-p", "--protocol", help="Of the task.  [default: the task's own]"),
    click.option("--data", type=click.Path(path_type=Path), help="Local file or folder of rows, instead of the hub."),
    click.option("--media", type=click.Path(path_type=Path), help="Folder of images or videos."),
    click.option("--partial", is_flag=True, help="Accept data with other counts than the task file expects."),
    click.option("-n", "--limit", type=click.IntRange(1), help="Most samples per task, the same in every run."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the choice that --limit makes."),
    click.option("--max-tokens", type=click.IntRange(1), help="Token cap of all runs, unless one needs more."),
    answer_options,
    model_options,
    click.option("--judge", help="The model that judges replies, for protocols that have replies judged."),
    click.option("--judge-option", "judge_extra", multiple=True, metavar="KEY=VALUE", help="How to reach the judge."),
    click.option("--fresh", is_flag=True, help="Move what the run folders hold aside and start over."),
    click.option("--yes", is_flag=True, help="Do not ask before many calls that cost money."),
    click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write everything here."),
    click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Also draw SVG and PNG here."),
)


def shared_options(command: C) -> C:
    """Give a command the options that say what is asked of whom."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return ray_options(command)


def names_in(*texts: str) -> list[str]:
    """Return the names that texts list, each with its options: `turn(degrees=90, pair=true)` is one."""
    return [name.strip() for text in texts for name in _COMMA.split(text) if name.strip()]


def specs_of(given: dict[str, Any]) -> list[RunSpec]:
    """Return one run per task, under the plain strategy."""
    from spatialeval.cli.judge_options import judge_entry
    from spatialeval.run.experiment import Experiment, TaskEntry

    if given["plots"]:
        from spatialeval.report.plots import check_matplotlib

        check_matplotlib()
    where = {key: given[key] for key in ("data", "media", "partial")}
    keys = ("limit", "seed", "max_tokens", "temperature", "out", "cache", "cache_sampled")
    shared = budget_options(given) | {key: given[key] for key in keys}
    experiment = Experiment(
        models=[model_entry(given["model"], given)],
        tasks=[TaskEntry(task=task, **where) for task in given["tasks"]],
        judge=judge_entry(given["judge"], given["judge_extra"]),
        protocols=[given["protocol"]] if given["protocol"] else None,
        **shared,
    )
    specs = experiment.specs(fresh=given["fresh"], command=tuple(sys.argv))
    if given["data"] and len(specs) > 1:
        raise click.UsageError("--data belongs to one task; name one task.")
    specs = [replace(spec, strategy="plain") for spec in placed(specs, given)]
    check_reached(specs)
    return specs


def displays_of(displays: ExitStack, model: str) -> Callable[[RunSpec, str], Callable[[Event], None]]:
    """Return what gives each run its progress display; the one before it ends."""
    from spatialeval.run.progress import progress

    def begin(spec: RunSpec, strategy: str) -> Callable[[Event], None]:
        displays.close()
        display = progress(f"{spec.task} {model} {strategy}")
        displays.enter_context(display)
        return display

    return begin


def agreement(spec: RunSpec, *, yes: bool) -> Callable[[Sequence[Prepared]], None]:
    """Return what says how much all runs of a comparison ask, and asks first where that is much and costs money."""
    from spatialeval.cli.confirm import announce_all
    from spatialeval.models import open_model

    model = open_model(spec.model, spec.options)
    return lambda runs: announce_all(runs, model, yes=yes)


def interruption() -> type[RunInterrupted]:
    """Return what a run raises when it is stopped; imported late."""
    from spatialeval.run.stopping import RunInterrupted

    return RunInterrupted


def write_file(file: Path, data: list[dict[str, Any]]) -> None:
    """Write JSON; raise StorageError when that cannot be done."""
    from spatialeval.errors import StorageError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}. Choose another place with --json.") from error
