"""`spatialeval merge`: the shards of a run become one ordinary run. Never asks a model."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spatialeval.cli.main import INCOMPLETE


@click.command(name="merge")
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("--out", type=click.Path(path_type=Path), help="Where the runs go.  [default: beside their shards]")
@click.option("--partial", is_flag=True, help="Also where shards are missing or have not ended.")
@click.option("--data", type=click.Path(path_type=Path), help="Where the rows are now, if elsewhere.")
@click.option("--media", type=click.Path(path_type=Path), help="The same for images or videos (not read).")
def command(
    places: tuple[Path, ...], *, out: Path | None, partial: bool, data: Path | None, media: Path | None
) -> None:
    """Put the shards in the RESULTS folders together: each run becomes one folder, as if one process had asked it.

    RESULTS are results folders or folders of shards, several where machines have disks of their own. The same command
    may be run again, also after a kill; shards stay as they are.
    """
    from spatialeval.report.table import print_overview, print_summary, run_line
    from spatialeval.run.merge import find_wholes, merge

    wholes = find_wholes(places, out)
    if (data or media) and len(wholes) > 1:
        raise click.UsageError("--data and --media belong to one task; merge the runs one by one.")
    outcomes = []
    for whole in wholes:
        outcomes.append(merge(whole, partial=partial, data=data, media=media, command=tuple(sys.argv)))
        click.echo(f"{len(whole.parts)} of {whole.count} shards are in {whole.folder}. {whole.lacking}".rstrip())
    if len(outcomes) == 1:
        print_summary(outcomes[0].summary, outcomes[0].folder)
    else:
        for outcome in outcomes:
            click.echo(run_line(outcome.summary, outcome.folder))
        print_overview([outcome.summary for outcome in outcomes])
    if not all(outcome.complete for outcome in outcomes):
        sys.exit(INCOMPLETE)
