"""`spatialeval quickstart`: the whole tool on one CPU in two minutes, with the model that ships in the package."""

from __future__ import annotations

import sys
from pathlib import Path

import click

SCENES, MAZES = 150, 60
"""Samples per level of scenes, and of mazes: enough for intervals of a few points within the two minutes."""


@click.command(name="quickstart")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("results/quickstart"),
    show_default=True,
    help="Where results go.",
)
@click.option("--fresh", is_flag=True, help="Start over; results that are there are moved aside.")
def command(out: Path, fresh: bool) -> None:
    """Evaluate the embedded model on rendered scenes and mazes, under plain and cot: no key, no GPU, no download."""
    from spatialeval.cli.run import run_all
    from spatialeval.models import ModelOptions
    from spatialeval.run.execute import RunSpec

    # Rows are asked for by number, not by --limit, so that no more are drawn than are needed.
    tasks = [f"scenes:{level}(rows={SCENES})" for level in ("easy", "medium", "hard")] + [f"maze:small(rows={MAZES})"]
    specs = [
        RunSpec(
            task=task,
            model="embedded",
            strategy=strategy,
            options=ModelOptions(batch_size=32),
            out=out,
            fresh=fresh,
            command=tuple(sys.argv),
        )
        for task in tasks
        for strategy in ("plain", "cot")
    ]
    run_all(specs, tables=1, closing=f"Results: {out}. Every run by kind of question: spatialeval show {out}")
