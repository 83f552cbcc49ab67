"""`spatialeval report`: leaderboards and one self-contained page from runs that are there. Never asks a model."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="report")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("report"), show_default=True, help="Folder to write."
)
@click.option("--samples", is_flag=True, help="Also put every question and answer into the page.")
@click.option("--media", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Folder of the pictures.")
@click.option(
    "--media-limit", type=click.IntRange(0), default=20, show_default=True, help="Megabytes of small pictures at most."
)
@click.option(
    "--plots", type=click.Path(path_type=Path, file_okay=False), help="Also draw plots as SVG and PNG into this folder."
)
def command(
    results: tuple[Path, ...], out: Path, samples: bool, media: Path | None, media_limit: int, plots: Path | None
) -> None:
    """Write leaderboard.md, .csv, .json and report.html of all runs in the RESULTS folders.

    report.html is complete in itself: it opens from disk, loads nothing and sends nothing.
    """
    from spatialeval.api import report
    from spatialeval.report.plots import check_matplotlib
    from spatialeval.text import counted, printable

    if media and not samples:
        raise click.UsageError("--media gives the pictures of --samples; add that.")
    if plots:
        check_matplotlib()
    made = report(*results, out=out, samples=samples, media=media, media_limit=media_limit, plots=plots)
    board = made.board
    for text in board.left_out:
        click.echo(f"Left out: {printable(text)}", err=True)
    runs, tasks = counted(len(board.runs), "run"), counted(len(board.tasks), "task")
    click.echo(f"{runs} on {tasks}: {out / 'report.html'}")
    if made.plots:
        click.echo(f"{counted(len(made.plots), 'plot')}: {plots}")
