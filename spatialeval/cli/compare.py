"""`spatialeval compare`: finished runs against each other, question by question. Never asks a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(name="compare")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "--flipped",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every question that runs score differently, with both replies, as JSONL.",
)
@click.option(
    "--why", is_flag=True, help="Split the gap into reader, scoring, aggregation and replies; needs the data."
)
@click.option("--anyway", is_flag=True, help="Compare runs of other data or other scoring on the questions they share.")
@click.option("-t", "--task", help="The task, where the name in the results is not found.")
@click.option("--data", type=click.Path(path_type=Path), help="Local file or folder of rows, instead of the hub.")
@click.option("--media", type=click.Path(path_type=Path), help="Folder of images or videos (not read).")
@click.option("--partial", is_flag=True, help="Accept data with other counts than the task file expects.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write everything here."
)
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Also draw SVG and PNG here.")
def command(folders: tuple[Path, ...], **given: Any) -> None:
    """Compare finished runs with the first of them, on the questions that both answered.

    Differences are paired, with 95 % intervals, and their p is corrected for the number of rows (Holm). Without --data
    there are no rows over facets or sets of questions, which results files do not hold.
    """
    from spatialeval.api import compare
    from spatialeval.report.table import make_console
    from spatialeval.run.files import write_json

    if len(folders) < 2:
        raise click.UsageError("name at least two runs: `spatialeval compare FOLDER FOLDER`.")
    if given["plots"]:
        from spatialeval.report.plots import check_matplotlib

        check_matplotlib()
    names = ("why", "anyway", "task", "data", "media", "partial")
    found = compare(*folders, **{name: given[name] for name in names})
    found.print_on(make_console())
    if given["flipped"]:
        found.comparison.write_flips(given["flipped"])
        click.echo(f"The questions that flipped are in {given['flipped']}.")
    if given["json_file"]:
        write_json(given["json_file"], found.as_json())
    if given["plots"]:
        from spatialeval.report.plots import plot_comparison

        plot_comparison(found.comparison, given["plots"])
