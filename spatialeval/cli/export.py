"""`spatialeval export`: runs in the form that others take. Never asks a model."""

from __future__ import annotations

from pathlib import Path

import click

FORMATS = ("model-index", "latex", "markdown", "csv", "json", "parquet")


@click.command(name="export")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), default="markdown", show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here; else it is printed.")
@click.option("--model", help="Only the runs of this model.")
def command(results: tuple[Path, ...], format_: str, out: Path | None, model: str | None) -> None:
    """Write all runs in the RESULTS folders as a table, a model card's YAML, or a file of samples.

    model-index is YAML for the head of a Hugging Face model card; parquet has a row per asked item of all runs.
    """
    from spatialeval.api import export

    text = export(*results, format=format_, out=out, model=model)
    click.echo(text if text is not None else f"Written: {out}", nl=text is None)
