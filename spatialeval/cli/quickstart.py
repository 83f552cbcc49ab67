"""`spatialeval quickstart`: the whole tool on one CPU in two minutes, with the model that ships in the package."""

from __future__ import annotations

import shlex
import shutil
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
    this, place = shlex.join(_command()), shlex.quote(str(out))
    closing = (
        f"Results: {out}. Go on with them:\n"
        f"  {this} show {place}    every run by kind of question\n"
        f"  {this} report {place} --samples -o report    leaderboards and every answer as one HTML page\n"
        f"  {this} view report    the same in a browser"
    )
    run_all(specs, tables=1, closing=closing)


def _command() -> list[str]:
    """Return what this shell calls the command that runs now: its name where that is on the path, else its path."""
    program, name = Path(sys.argv[0]).absolute(), "spatialeval"
    if program.name != name:
        return [sys.executable, "-m", name]
    if (found := shutil.which(name)) and Path(found).resolve() == program.resolve():
        return [name]
    return [str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)]
