"""Finding and reading recipes: by name from the shipped folder, or by the path of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.errors import TaskFileError, UnknownNameError, UsageError
from spatialeval.rewards.sets import load_set
from spatialeval.rewards.terms import bind
from spatialeval.templates import shipped
from spatialeval.training.schema import Recipe
from spatialeval.yamlfile import checked, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.terms import BoundTerm, Term
    from spatialeval.training.schema import Stage
    from spatialeval.yamlfile import Lines

_ENDINGS = (".yaml", ".yml")


class RecipeFile(NamedTuple):
    """A checked recipe and the file it stands in."""

    recipe: Recipe
    file: Path
    lines: Lines

    def below(self, path: str) -> Path:
        """Return a path of the recipe, relative to the recipe's file."""
        return self.file.parent / Path(path).expanduser()


def recipe_names() -> list[str]:
    """Return the names of all shipped recipes."""
    return sorted(file.stem for file in shipped("recipes").glob("*.yaml"))


def load_recipe(name: str | Path) -> RecipeFile:
    """Return the recipe called `name`, or the one in a file.

    Raises:
        UnknownNameError: when there is no shipped recipe of that name.
        UsageError: when there is no such file.
        TaskFileError: naming file, line and key of what is wrong.
    """
    if isinstance(name, Path) or str(name).endswith(_ENDINGS):
        file = Path(name)
        if not file.is_file():
            raise UsageError(f"there is no recipe file {file}. Check the path.")
    else:
        file = shipped("recipes") / f"{name}.yaml"
        if not file.is_file():
            raise UnknownNameError("recipe", name, recipe_names(), "Or give the path of a recipe file.")
    raw, lines = read_yaml(file)
    found = RecipeFile(checked(Recipe, raw, file, lines), file, lines)
    for place, stage in enumerate(found.recipe.stages):
        _check_rewards(found, place, stage)
    return found


def terms_of(recipe: Recipe, stage: Stage) -> tuple[BoundTerm, ...]:
    """Return the rewards of a stage, ready to use."""
    return bind(_terms(stage.rewards or recipe.rewards))


def _terms(rewards: Sequence[Term] | str) -> Sequence[Term]:
    return load_set(rewards).rewards if isinstance(rewards, str) else rewards


def _check_rewards(found: RecipeFile, place: int, stage: Stage) -> None:
    try:
        terms_of(found.recipe, stage)
    except UsageError as error:
        key: tuple[str | int, ...] = ("stages", place, "rewards") if stage.rewards else ("rewards",)
        dotted = ".".join(map(str, key))
        raise TaskFileError(str(error), file=found.file, line=found.lines.of(key), key=dotted) from error
