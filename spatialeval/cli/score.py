"""`spatialeval score`: saved replies under any protocol, without a model."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spatialeval.cli.differing import check_differ, compare, differ_option
from spatialeval.cli.main import INCOMPLETE


@click.command(name="score")
@click.argument("task")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-p", "--protocol", "protocols", multiple=True, help="Repeatable.  [default: the task's own]")
@click.option("--model", help="Who gave the replies.  [default: the file's name]")
@click.option("--data", type=click.Path(path_type=Path), help="Local file or folder of rows, instead of the hub.")
@click.option("--media", type=click.Path(path_type=Path), help="Folder of images or videos (not read).")
@click.option("--partial", is_flag=True, help="Accept data with other counts than the task file expects.")
@click.option("--id", "id_column", help="Column of FILE that holds the sample id.  [default: id, sample_id or idx]")
@click.option(
    "--response", "response_column", help="Column that holds the reply.  [default: response, reply or prediction]"
)
@click.option(
    "--where", "where", multiple=True, metavar="COLUMN=VALUE", help="Use only these rows of FILE. Repeatable."
)
@click.option(
    "--matched",
    "matched_column",
    help="Column of the answers that a matcher read: used, and counted, only where the protocol's own rule reads none.",
)
@click.option("--ignore-unknown", is_flag=True, help="Ignore replies to samples that the task does not have.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the results into this folder, as a run does.")
@differ_option
def command(  # noqa: PLR0917 - click passes every option by name
    task: str,
    file: Path,
    protocols: tuple[str, ...],
    model: str | None,
    data: Path | None,
    media: Path | None,
    partial: bool,
    id_column: str | None,
    response_column: str | None,
    where: tuple[str, ...],
    matched_column: str | None,
    ignore_unknown: bool,
    out: Path | None,
    differ: Path | None,
) -> None:
    """Score the saved replies in FILE (JSONL, CSV, TSV, Parquet or JSON) as a protocol of TASK does.

    Under several protocols, the output ends with a row for each and how many replies they decide differently.
    """
    from spatialeval.api import score
    from spatialeval.report.table import print_summary

    pairs = [text.partition("=") for text in where]
    if bad := [text for text, pair in zip(where, pairs, strict=True) if not pair[1]]:
        raise click.UsageError(f"--where {bad[0]!r} is not of the form COLUMN=VALUE.")
    check_differ(differ, protocols)
    scored = score(
        task,
        file,
        protocol=protocols,
        model=model,
        data=data,
        media=media,
        partial=partial,
        id=id_column,
        response=response_column,
        where={key: value for key, _, value in pairs},
        matched=matched_column,
        ignore_unknown=ignore_unknown,
        out=out,
        command=sys.argv,
    )
    for name, rescored in scored.held.items():
        print_summary(rescored.summary, scored.folders.get(name))
    compare(scored.held, differ)
    if not scored.complete:
        sys.exit(INCOMPLETE)
