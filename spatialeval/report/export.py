"""Runs in the form that others take: a model card, LaTeX, Markdown, CSV, JSON, and a Parquet file of all samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spatialeval.errors import UsageError, nearest
from spatialeval.report.html.files import as_csv, as_json, as_markdown
from spatialeval.report.html.making import make_board
from spatialeval.report.html.runs import find_runs, shown_once
from spatialeval.report.latex import as_latex
from spatialeval.report.modelcard import as_model_index
from spatialeval.run.files import write_atomically
from spatialeval.run.loading import NAMES
from spatialeval.run.results import read_samples
from spatialeval.run.samplefile import replacing
from spatialeval.run.storage import unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spatialeval.report.html.board import Board
    from spatialeval.report.html.runs import Found, Run

_TEXTS: dict[str, Callable[[Board], str]] = {
    "model-index": as_model_index,
    "latex": as_latex,
    "markdown": as_markdown,
    "csv": as_csv,
    "json": as_json,
}
FORMATS = (*_TEXTS, "parquet")


def export_results(places: Sequence[Path], form: str, out: Path | None = None, model: str | None = None) -> str | None:
    """Return all runs below `places` as text in a format, or write them to `out` and return None.

    Args:
        places: folders; runs are looked for in them and below.
        form: one of FORMATS.
        out: the file to write.
        model: only the runs of this model.

    Raises:
        UsageError: for an unknown format or model, a Parquet file without a name, or when there is no run.
        StorageError: when a file cannot be read or written.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}. {nearest(form, FORMATS)}Known: {', '.join(FORMATS)}.")
    found = _picked(find_runs(places), model)
    if form == "parquet":
        if out is None:
            raise UsageError("Parquet is no text to print: name a file with --out.")
        write_all_samples(found.runs, out)
        return None
    text = _TEXTS[form](make_board(shown_once(found)))
    if out is None:
        return text
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    write_atomically(out, text.encode())
    return None


def _picked(found: Found, model: str | None) -> Found:
    if model is None:
        return found
    runs = tuple(run for run in found.runs if run.summary.about.model == model)
    if not runs:
        known = sorted({run.summary.about.model for run in found.runs})
        raise UsageError(f"no run is of model {model!r}. {nearest(model, known)}There are: {', '.join(known)}.")
    return replace(found, runs=runs)


def write_all_samples(runs: Sequence[Run], out: Path) -> None:
    """Write a row per asked item of all runs: the names of its run, then the columns of samples.parquet.

    One run is held at a time, so that any number of runs fits.

    Raises:
        StorageError: when a file cannot be read or written.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only this needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    names = pa.dictionary(pa.int32(), pa.string())
    writer: Any = None
    with replacing(out) as fresh:
        try:
            for run in runs:
                table = read_samples(run.place)
                about = run.summary.about
                told = (run.name, about.task, about.protocol, about.strategy, about.model)
                for place, (name, value) in enumerate(zip(NAMES, told, strict=True)):
                    column = pa.array([value] * len(table), pa.string()).cast(names)
                    table = table.add_column(place, pa.field(name, names), column)
                if writer is None:
                    writer = pq.ParquetWriter(fresh, table.schema, compression="zstd")
                writer.write_table(table.select(writer.schema.names).cast(writer.schema))
        finally:
            if writer is not None:
                writer.close()
