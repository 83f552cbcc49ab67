"""`spatialeval show`: the tables of runs that are there, finished or not. Never asks a model."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="show")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDER]...")
def command(folders: tuple[Path, ...]) -> None:
    """Print the tables of the runs in FOLDERs (all below results/ when left out).

    A run without results, because it was stopped or its files were damaged, gets them written from its journal.
    """
    from spatialeval.report.table import print_overview, print_summary  # noqa: PLC0415 - commands load what they use
    from spatialeval.run.reopen import find_runs, reopen  # noqa: PLC0415

    runs = find_runs(folders or (Path("results"),))
    summaries = [(reopen(folder), folder) for folder in runs]
    for summary, folder in summaries:
        print_summary(summary, folder)
    if len(summaries) > 1:
        print_overview([summary for summary, _ in summaries])
