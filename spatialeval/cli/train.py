"""`spatialeval train`: the stages of a recipe, one after the other, resumed where they stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.training.load import RecipeFile
    from spatialeval.training.preview import Preview


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what a recipe leaves to the machine: where rows lie, and which overlaps are accepted."""
    options = [
        click.option("--allow", multiple=True, metavar="TASK", help="An evaluation that rows may overlap with."),
        click.option("--data", multiple=True, metavar="TASK=PATH", help="Rows of a task of the recipe, here."),
        click.option("--media", multiple=True, metavar="TASK=PATH", help="Pictures or videos of a task, here."),
        click.option("--partial", is_flag=True, help="Accept --data with other counts than the task files expect."),
        click.option("--trial", is_flag=True, help="A few steps a stage and questions an exam: does everything run?"),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(name="train")
@click.argument("recipe", required=False)
@click.option("--seed", "seeds", type=int, multiple=True, help="One of the recipe's seeds; all of them when left out.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("results/training"), show_default=True, help="Kept here."
)
@recipe_options
@click.option("--fresh", is_flag=True, help="Move what is there aside and start over.")
@click.option("--dry-run", is_flag=True, help="Print data, prompts, rewards, TRL's arguments and an estimate.")
@click.option(
    "--export", "engine", type=click.Choice(["verl", "easyr1", "ms-swift"]), help="Write files for another engine."
)
@click.option("-o", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Where --export writes.")
@click.option("--stage", help="What --export writes, where the recipe has several GRPO stages.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of recipes, for editors.")
def command(
    recipe: str | None,
    seeds: tuple[int, ...],
    out: Path,
    engine: str | None,
    folder: Path | None,
    stage: str | None,
    *,
    fresh: bool,
    dry_run: bool,
    schema: bool,
    **given: Any,
) -> None:
    """Train a model by RECIPE, a name or a file: SFT and GRPO with the scorers of the tasks as rewards.

    The same command resumes from the last checkpoint; a finished stage is not run again.
    """
    if schema:
        from spatialeval.training.json_schema import json_schema

        click.echo(json_schema(), nl=False)
        return
    if recipe is None:
        raise click.UsageError("name a recipe, or the file of one.")
    found = opened(recipe, **given)
    seed = seeds[0] if seeds else found.recipe.seeds[0]
    if engine is not None:
        _export(found, engine, stage, seed, folder)
    elif dry_run:
        show(found, seed)
    else:
        _train(found, seeds or tuple(found.recipe.seeds), out, fresh=fresh)


def _train(found: RecipeFile, seeds: tuple[int, ...], out: Path, *, fresh: bool) -> None:
    from spatialeval.training import processes
    from spatialeval.training.stages import run_stages

    for seed in seeds:
        for trained in run_stages(found, out, seed, fresh=fresh, tell=click.echo):
            if processes.is_main():
                click.echo(f"{trained.stage}, seed {seed}: {trained.model} ({trained.told['seconds']:,.0f} s)")


def _export(found: RecipeFile, engine: str, stage: str | None, seed: int, folder: Path | None) -> None:
    from spatialeval.training.export import export

    if folder is None:
        raise click.UsageError("--export needs -o FOLDER.")
    for file in export(found, engine, folder, stage=stage, seed=seed, tell=click.echo):
        click.echo(f"wrote {file}")


def opened(
    recipe: str, *, allow: tuple[str, ...], data: tuple[str, ...], media: tuple[str, ...], partial: bool, trial: bool
) -> RecipeFile:
    """Return the recipe with what `recipe_options` say."""
    from spatialeval.training.load import load_recipe
    from spatialeval.training.placing import Places, pairs
    from spatialeval.training.trial import made_small

    places = Places(pairs(data, "--data"), pairs(media, "--media"), partial)
    found = places.put_into(load_recipe(recipe))
    more = found.recipe.model_copy(update={"allow": [*found.recipe.allow, *allow]})
    found = found._replace(recipe=more)
    return made_small(found) if trial else found


def show(found: RecipeFile, seed: int) -> None:
    """Print what each stage would do."""
    from spatialeval.training.preview import previews
    from spatialeval.training.stages import base_of

    click.echo(f"{found.recipe.id}: {found.recipe.title} (base {found.recipe.base}, seed {seed})")
    if (base := base_of(found)).startswith(("./", "../", "/", "~")) and not Path(base).is_dir():
        click.echo(
            f"There is no folder {found.below(base)}: make the base (see the recipe's notes), or correct `base`."
        )
    for preview in previews(found, seed):
        _show_stage(preview)
    click.echo("Nothing was trained.")


def _show_stage(preview: Preview) -> None:
    stage, rows = preview.stage, preview.rows
    click.echo(f"\n{stage.name} ({stage.method}): {len(rows.rows):,} rows")
    for task, count in rows.counts.items():
        click.echo(f"  {count:,} from {task}")
    for reason, count in rows.left_out.items():
        click.echo(f"  {count:,} left out: {reason}")
    for note in preview.notes:
        click.echo(f"  {note}")
    for words, replies in preview.prompts:
        click.echo(f"  prompt: {words!r}")
        for reply in replies:
            paid = ", ".join(f"{name} {_number(value)}" for name, value in reply.values.items())
            click.echo(
                f"    {reply.name:>14}: {reply.text!r}" + (f" -> {_number(reply.total)} ({paid})" if paid else "")
            )
    click.echo("  TRL: " + ", ".join(f"{name}={value!r}" for name, value in preview.arguments.items()))
    steps = f"{preview.steps:,} steps" if preview.steps is not None else "steps known once TRL is installed"
    memory = (
        f"{preview.memory / 2**30:.2f} GiB besides activations" if preview.memory else "memory unknown: no weights here"
    )
    made = f", {preview.completions:,} completions" if preview.completions else ""
    spent = preview.operations
    time = f", {spent:.1e} operations: {_hours(spent / 1e14)} at 100 TFLOP/s" if spent else ""
    click.echo(f"  work: {steps}{made}, about {preview.tokens:,} tokens{time}; {memory} (float32, AdamW)")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h" if seconds >= 360 else f"{seconds:,.1f} s"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
