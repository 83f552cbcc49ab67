"""`spatialeval loop`: evaluate, train, evaluate again, and say what was gained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spatialeval.cli.train import opened, recipe_options, show


@click.command(name="loop")
@click.argument("recipe")
@click.option("--seed", "seeds", type=int, multiple=True, help="Instead of the recipe's seeds.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("results/training"), show_default=True, help="Kept here."
)
@recipe_options
@click.option("--fresh", is_flag=True, help="Train again; old folders are moved aside.")
@click.option("--dry-run", is_flag=True, help="Print what would be trained; train and ask nothing.")
def command(recipe: str, seeds: tuple[int, ...], out: Path, *, fresh: bool, dry_run: bool, **given: Any) -> None:
    """Evaluate the base of RECIPE, train its stages, and evaluate after each one: one table of what was gained.

    The same command resumes. Tables and the report are written to OUT/RECIPE.
    """
    from spatialeval.errors import UsageError
    from spatialeval.training import processes
    from spatialeval.training.loop import run_loop
    from spatialeval.training.page import write_page
    from spatialeval.training.telling import markdown, write

    found = opened(recipe, **given)
    if dry_run:
        show(found, seeds[0] if seeds else found.recipe.seeds[0])
        return
    if processes.count() > 1:
        raise UsageError(
            "a loop runs in one process. Train with several (accelerate launch -m spatialeval train RECIPE), then loop "
            "in one: what was trained is not trained again."
        )
    loop = run_loop(found, out, seeds, fresh=fresh, tell=click.echo)
    file = write(loop, out / found.recipe.id)
    page = write_page(loop, out / found.recipe.id, click.echo)
    click.echo(markdown(loop))
    click.echo(f"Kept in {file}; with curves and every answer: {page}")
