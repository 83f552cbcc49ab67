"""`spatialeval run`: ask, resume, or only say what would be asked."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spatialeval.cli.judge_options import judge_entry
from spatialeval.cli.main import INCOMPLETE
from spatialeval.cli.model_options import answer_options, budget_options, model_entry, model_options
from spatialeval.cli.where import NAMES, placed, where_options

if TYPE_CHECKING:
    from spatialeval.run.execute import RunOutcome, RunSpec


@click.command(name="run")
@click.argument("experiment", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("-t", "--task", "tasks", multiple=True, help="vsr, vsr:random, maze(size=7), or a task file. Repeatable.")
@click.option("-m", "--model", "models", multiple=True, help="openai:NAME, hf:PATH, random, ... Repeatable.")
@click.option("-s", "--strategy", "strategies", multiple=True, help="plain, cot, plain+blind ...  [default: plain]")
@click.option("-p", "--protocol", "protocols", multiple=True, help="Of the task.  [default: the task's own]")
@click.option("--data", type=click.Path(path_type=Path), help="Local file or folder of rows, instead of the hub.")
@click.option("--media", type=click.Path(path_type=Path), help="Folder of images or videos.")
@click.option("--partial", is_flag=True, help="Accept data with other counts than the task file expects.")
@click.option("-n", "--limit", type=click.IntRange(1), help="Most samples per task; raising it asks only new ones.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice that --limit makes.")
@click.option("--max-tokens", type=click.IntRange(1), help="Instead of the protocol's token cap.")
@model_options
@click.option("--judge", help="The model that judges replies, for protocols that have replies judged.")
@click.option(
    "--judge-option",
    "judge_extra",
    multiple=True,
    metavar="KEY=VALUE",
    help="How to reach the judge: base_url, timeout, concurrency, batch_size, or a setting of its backend. Repeatable.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Where results go."
)
@answer_options
@where_options
@click.option("--fresh", is_flag=True, help="Move what the run folder holds aside and start over.")
@click.option("--recover", is_flag=True, help="First save what can be read of a damaged journal.")
@click.option("--tables", is_flag=True, help="Of several runs, print each one's own table too, not only the overview.")
@click.option("--yes", is_flag=True, help="Do not ask before many calls that cost money.")
@click.option("--dry-run", is_flag=True, help="Print what would be asked and how much it is; ask nothing.")
@click.pass_context
def command(ctx: click.Context, /, experiment: Path | None, **given: Any) -> None:
    """Ask models the questions of tasks. The same command resumes where it stopped.

    FILE is an experiment in YAML: models x tasks x strategies x protocols (see docs/running.md). Without a FILE, name
    tasks and models with -t and -m.
    """
    from spatialeval.cli.naming import check_names_in
    from spatialeval.run.experiment import read_experiment

    if experiment is not None:
        read = read_experiment(experiment)
        _refuse_mixing(ctx)
        check_names_in(experiment, read)
        specs = read.specs(fresh=given["fresh"], recover=given["recover"], command=tuple(sys.argv))
    else:
        specs = _specs(given)
    specs = placed(specs, given)
    if given["dry_run"]:
        _dry_run(specs)
    else:
        run_all(specs, tables=len(specs) if given["tables"] else None, yes=given["yes"])


def run_all(specs: list[RunSpec], *, tables: int | None = None, closing: str = "", yes: bool = False) -> None:
    """Run one after the other; exit with INCOMPLETE when an answer is missing, with INTERRUPTED when stopped.

    Args:
        specs: the runs.
        tables: how many of the runs' own tables are printed, a line standing for every other one; None means that of a
            single run, and none of several. The overview of several is printed in any case.
        closing: a last line.
        yes: do not ask before many calls that cost money.
    """
    from spatialeval.cli.naming import check_reached
    from spatialeval.report.table import print_overview

    check_reached(specs)
    if len(specs) > 1:
        _check_names(specs)
    if tables is None:
        tables = 1 if len(specs) == 1 else 0
    outcomes: list[RunOutcome] = []
    for spec in specs:
        outcomes.append(_run(spec, yes=yes))
        _print_result(outcomes[-1], table=len(outcomes) <= tables)
    if len(outcomes) > 1 and not specs[0].shard:
        print_overview([outcome.summary for outcome in outcomes])
    if closing:
        click.echo(closing)
    if not all(outcome.complete for outcome in outcomes):
        sys.exit(INCOMPLETE)


def _check_names(specs: list[RunSpec], *, installed: bool = True) -> None:
    """Raise for a name that the last of several runs would stumble over, before hours go into the others."""
    from spatialeval.cli.data_check import check_data
    from spatialeval.models import open_model
    from spatialeval.models.judge_words import said_of_judge
    from spatialeval.run.asking import parse_asking
    from spatialeval.run.execute import check_installed
    from spatialeval.run.prepare import folder_of
    from spatialeval.run.spending import check_priced
    from spatialeval.tasks import load_task

    tasks = {name: load_task(name) for name in dict.fromkeys(spec.task for spec in specs)}
    for spec in specs:
        tasks[spec.task].protocol(spec.protocol)
        parse_asking(spec.strategy)
        model, judge = open_model(spec.model, spec.options), None
        if spec.judge:
            with said_of_judge():
                judge = open_model(spec.judge, spec.judge_options)
        if installed:
            check_installed(spec, folder_of(spec, tasks[spec.task]), model, judge)
        check_priced(spec.budget, model, judge)
    check_data({spec.task: spec.data for spec in specs}, tasks)


def _run(spec: RunSpec, *, yes: bool) -> RunOutcome:
    from spatialeval.cli.confirm import announce
    from spatialeval.models import open_model
    from spatialeval.run.execute import check_installed, execute, prepare
    from spatialeval.run.prepare import folder_of
    from spatialeval.run.progress import progress
    from spatialeval.run.stopping import RunInterrupted
    from spatialeval.tasks import load_task

    model = open_model(spec.model, spec.options)
    check_installed(spec, folder_of(spec, load_task(spec.task)), model)  # before data are fetched for it
    ready = prepare(spec)  # before there is an event loop, so that Ctrl-C works while data are loaded
    announce(ready, model, yes=yes)
    try:
        with progress(f"{spec.task} {spec.model} {spec.strategy}") as events:
            return asyncio.run(execute(spec, events=events, model=model, ready=ready))
    except RunInterrupted as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(stopped.exit_code)


def _print_result(outcome: RunOutcome, *, table: bool) -> None:
    from spatialeval.report.table import print_summary, run_line
    from spatialeval.run.shard import shard_line

    for note in outcome.notes:
        click.echo(note)
    if outcome.summary is None:
        click.echo(shard_line(outcome.folder, outcome.states))
    elif table:
        print_summary(outcome.summary, outcome.folder)
    else:
        click.echo(run_line(outcome.summary, outcome.folder))


def _specs(given: dict[str, Any]) -> list[RunSpec]:
    """Return the runs that the options describe, by way of an experiment: both forms mean the same."""
    from spatialeval.run.experiment import Experiment, TaskEntry

    if not given["tasks"] or not given["models"]:
        raise click.UsageError("name at least one task with -t and one model with -m, or an experiment FILE.")
    shared = budget_options(given) | {
        key: given[key] for key in ("limit", "seed", "max_tokens", "temperature", "out", "cache", "cache_sampled")
    }
    judge = judge_entry(given["judge"], given["judge_extra"])
    where = {key: given[key] for key in ("data", "media", "partial")}
    if where["data"] and len(given["tasks"]) > 1:
        raise click.UsageError("--data belongs to one task; write an experiment FILE to give each task its own.")
    experiment = Experiment(
        models=[model_entry(spec, given) for spec in given["models"]],
        judge=judge,
        tasks=[TaskEntry(task=task, **where) for task in given["tasks"]],
        strategies=list(given["strategies"]) or ["plain"],
        protocols=list(given["protocols"]) or None,
        **shared,
    )
    return experiment.specs(fresh=given["fresh"], recover=given["recover"], command=tuple(sys.argv))


def _refuse_mixing(ctx: click.Context) -> None:
    """An experiment file says everything; an option beside it would be ignored, so it is refused."""
    allowed = {"experiment", "fresh", "recover", "dry_run", "tables", "yes", *NAMES}
    source = click.core.ParameterSource.COMMANDLINE
    mixed = [name for name in ctx.params if name not in allowed and ctx.get_parameter_source(name) is source]
    if mixed:
        keys = ", ".join(f"`{name}:`" for name in sorted(mixed))
        raise click.UsageError(f"an experiment FILE says everything itself; write {keys} there.")


def _dry_run(specs: list[RunSpec]) -> None:
    from spatialeval.models import open_model
    from spatialeval.models.prices import estimated
    from spatialeval.run.execute import estimate, prepare
    from spatialeval.text import counted

    _check_names(specs, installed=False)
    calls = prompt = completion = judged = 0
    for spec in specs:
        model = open_model(spec.model, spec.options)
        plan = asyncio.run(estimate(spec, prepare(spec)))
        judged += plan.judge_calls
        calls, prompt, completion = calls + plan.calls, prompt + plan.prompt_tokens, completion + plan.completion_tokens
        click.echo(
            f"{spec.task} · {spec.model} · {spec.strategy}: {plan.samples:,} samples"
            + (f" in {plan.items:,} forms" if plan.items > plan.samples else "")
            + f", {plan.answered:,} answered; {plan.calls:,} calls, about {plan.prompt_tokens:,} prompt tokens and at "
            f"most {plan.completion_tokens:,} answer tokens"
            + estimated(model.quote, plan.prompt_tokens, plan.completion_tokens)
            + (f"; at most {plan.judge_calls:,} calls of the judge" if plan.judge_calls else "")
        )
        click.echo(f"  would be kept in {plan.folder}")
        for message in plan.first.messages if plan.first else ():
            pictures = f" ({counted(len(message.images), 'image')})" if message.images else ""
            click.echo(f"  first [{message.role}]{pictures}: {message.text!r}")
    click.echo(
        f"In all {calls:,} calls, about {prompt:,} prompt tokens (a rough guess: letters / 4, and 800 for each image) "
        f"and at most {completion:,} answer tokens. "
        + (f"The judge gets at most {judged:,} calls besides. " if judged else "")
        + "Nothing was asked."
    )
