"""`spatialeval tasks list | show | preview | validate | schema`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from spatialeval.cli.main import BAD_INPUT
from spatialeval.errors import SpatialEvalError, TaskFileError


@click.group(name="tasks")
def command() -> None:
    """List, show, preview and validate tasks.

    TASK is a name from the list, such as vsr or vsr:random, or the path of a task file.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of a table.")
def list_tasks(as_json: bool) -> None:
    """List every task with its questions, abilities and protocols."""
    from spatialeval.cli.task_text import task_row
    from spatialeval.tasks.catalogue import task_files

    rows = []
    wrong: list[str] = []
    for file in task_files().values():
        try:
            rows.append(task_row(file))
        except TaskFileError as error:
            wrong.append(str(error))
    for message in wrong:
        click.echo(f"left out: {message}", err=True)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    width = max((len(row["id"]) for row in rows), default=0) + 2
    for row in rows if not as_json else ():
        count = "generated" if row["generated"] else f"{row['rows'] or '?'} rows"
        click.echo(f"{row['id']:<{width}}{row['title']}")
        click.echo(f"{'':<{width}}{count} · {', '.join(row['abilities'])} · protocols: {', '.join(row['protocols'])}")
        if row["variants"]:
            click.echo(f"{'':<{width}}variants: {', '.join(row['id'] + ':' + v for v in row['variants'])}")
    if wrong:
        sys.exit(BAD_INPUT)


@command.command()
@click.argument("task")
def show(task: str) -> None:
    """Show what TASK is: data, counts, protocols with their sources, published numbers."""
    from spatialeval.cli.task_text import describe
    from spatialeval.tasks import load_task

    click.echo(describe(load_task(task)))


@command.command()
@click.argument("task")
@click.option("-p", "--protocol", help="The task's default when left out.")
@click.option("-s", "--strategy", default="plain", show_default=True, help="And views: cot, plain+blind ...")
@click.option("--data", type=click.Path(path_type=Path), help="Local file or folder of rows.")
@click.option("--media", type=click.Path(path_type=Path), help="Folder of images or videos.")
@click.option("--id", "sample_id", help="The sample to show; the first when left out.")
@click.option("--example", is_flag=True, help="Use the made-up row in the task file: needs no data.")
@click.option("--partial", is_flag=True, help="Accept data with other counts than the task file expects.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, byte for byte what is sent.")
def preview(  # noqa: PLR0917 - click passes every option by name
    task: str,
    protocol: str | None,
    strategy: str,
    data: Path | None,
    media: Path | None,
    sample_id: str | None,
    example: bool,
    partial: bool,
    as_json: bool,
) -> None:
    """Print the exact messages for one question of TASK."""
    from spatialeval.cli.task_text import preview_json, preview_text
    from spatialeval.tasks import load_task

    loaded = load_task(task)
    if example:
        if not loaded.spec.examples:
            raise click.UsageError(f"{loaded.file} holds no examples.")
        sample = loaded.sample_of(loaded.spec.examples[0].row, Path())
    else:
        samples = loaded.samples(data, media, partial=partial)
        found = [s for s in samples if sample_id in {None, s.id}]
        if not found:
            raise click.UsageError(f"no sample of {task} has the id {sample_id!r}; the first is {samples[0].id!r}.")
        sample = found[0]
    click.echo((preview_json if as_json else preview_text)(loaded.protocol(protocol), strategy, sample))


@command.command()
@click.argument("names", nargs=-1, metavar="[TASK]...")
@click.option("--data", type=click.Path(path_type=Path), help="Check all rows of these local data, too (one task).")
@click.option("--media", type=click.Path(path_type=Path), help="Folder of images or videos.")
def validate(names: tuple[str, ...], data: Path | None, media: Path | None) -> None:
    """Check task files: schema, templates, prompts, canned replies, counts and published arithmetic. Offline."""
    from spatialeval.tasks.catalogue import task_files
    from spatialeval.tasks.validate import validate_task

    if data is not None and len(names) != 1:
        raise click.UsageError("--data belongs to one task: name it.")
    failed = 0
    for name in names or tuple(task_files()):
        try:
            report = validate_task(name, data, media)
        except TaskFileError as error:
            report = [(False, str(error))]
        except SpatialEvalError as error:
            report = [(False, f"{name}: {error}")]
        bad = [text for good, text in report if not good]
        failed += bool(bad)
        click.echo(f"{click.style('FAIL', fg='red') if bad else click.style('ok', fg='green')}  {name}")
        for good, text in report:
            click.echo(f"    {'·' if good else '✗'} {text}")
    if failed:
        click.echo(f"{failed} {'task has' if failed == 1 else 'tasks have'} errors; mend them as said above.", err=True)
        sys.exit(BAD_INPUT)


@command.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; standard output when left out.")
def schema(output: Path | None) -> None:
    """Print the JSON Schema of task files, for editors."""
    from spatialeval.tasks.json_schema import json_schema

    text = json_schema()
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written ({error.strerror}); name another file.") from error
