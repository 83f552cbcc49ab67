"""`spatialeval show`: the tables of runs that are there, finished or not. Never asks a model."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spatialeval.cli.main import BAD_INPUT
from spatialeval.errors import StorageError


@click.command(name="show")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDER]...")
def command(folders: tuple[Path, ...]) -> None:
    """Print the tables of the runs in FOLDERs (all below results/ when left out)."""
    from spatialeval.report.table import print_overview, print_summary
    from spatialeval.run.manifest import FILE_NAME as MANIFEST
    from spatialeval.run.results import FILE_NAME as SUMMARY
    from spatialeval.run.results import read_summary

    places = folders or (Path("results"),)
    if missing := [str(place) for place in places if not place.is_dir()]:
        raise click.UsageError(f"there is no folder {missing[0]}; runs are written by `spatialeval run`.")
    names = {MANIFEST, SUMMARY}
    found = sorted({file.parent for place in places for name in names for file in place.rglob(name)})
    if not found:
        raise click.UsageError(f"no run is in {', '.join(map(str, places))}; `spatialeval run` writes them.")
    summaries, damaged = [], 0
    for folder in found:
        if told := _instead(folder):
            click.echo(f"{folder}: {told}")
        if told is not None:
            continue
        try:
            summaries.append(read_summary(folder))
        except StorageError as error:
            click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
            damaged += 1
            continue
        print_summary(summaries[-1], folder)
    if len(summaries) > 1:
        print_overview(summaries)
    if damaged:
        sys.exit(BAD_INPUT)


def _instead(folder: Path) -> str | None:
    """Return what to say of a folder that has no tables of its own, nothing of a merged shard; None of a run."""
    from spatialeval.run.finding import is_merged, shard_told, unfinished
    from spatialeval.run.judgecheck import FILE_NAME as CHECK
    from spatialeval.run.results import FILE_NAME as SUMMARY
    from spatialeval.run.shard import shard_of

    if (folder / CHECK).exists():
        return "left out, a check of a judge; `spatialeval judge-check` prints it again."
    if shard := shard_of(folder):
        return "" if is_merged(folder) else shard_told(folder, shard)
    return None if (folder / SUMMARY).exists() else unfinished(folder)
