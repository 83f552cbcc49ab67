"""Rows and pictures that lie elsewhere than a recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import UnknownNameError, UsageError
from spatialeval.tasks import load_task
from spatialeval.training.rows import refuse_test_split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Exam, Guarded, Source


@dataclass(frozen=True)
class Places:
    """Where rows and media of tasks are, by the tasks' names as the recipe writes them.

    Attributes:
        data: file or folder of rows.
        media: folder of pictures or videos.
        partial: accept other counts than the task files expect, for the tasks in `data`.
    """

    data: Mapping[str, Path] = field(default_factory=dict)
    media: Mapping[str, Path] = field(default_factory=dict)
    partial: bool = False

    def put_into(self, found: RecipeFile) -> RecipeFile:
        """Return the recipe that reads these tasks there, to train on, to evaluate and to guard.

        Raises:
            UnknownNameError: for a task that the recipe does not name.
            UsageError: for a test split to train on, which is one wherever it lies.
        """
        recipe = found.recipe
        named: list[Sequence[Source | Exam | Guarded]] = [recipe.data, recipe.evaluate, recipe.guard]
        named += [stage.data or [] for stage in recipe.stages]
        known = list(dict.fromkeys(one.task for listed in named for one in listed))
        for task in (*self.data, *self.media):
            if task not in known:
                raise UnknownNameError("task of the recipe", task, known)
        for source in (*recipe.data, *(source for stage in recipe.stages for source in stage.data or [])):
            if source.task in self.data and source.data is None and source.split is None:
                rows = load_task(source.task).spec.data
                refuse_test_split(source.task, rows.split if rows.source.startswith("hf:") else None)
        changed = {
            "data": self._moved(recipe.data),
            "evaluate": self._moved(recipe.evaluate),
            "guard": self._moved(recipe.guard),
            "stages": [
                stage.model_copy(update={"data": self._moved(stage.data)}) if stage.data else stage
                for stage in recipe.stages
            ],
        }
        return found._replace(recipe=recipe.model_copy(update=changed))

    def _moved(self, listed: Sequence[Source | Exam | Guarded]) -> list[Source | Exam | Guarded]:
        return [one.model_copy(update=self._changes(one)) for one in listed]

    def _changes(self, one: Source | Exam | Guarded) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if path := self.data.get(one.task):
            changes |= {"data": str(path.absolute()), "partial": one.partial or self.partial}
        if path := self.media.get(one.task):
            changes["media"] = str(path.absolute())
        return changes


def pairs(given: Sequence[str], option: str) -> dict[str, Path]:
    """Return task -> path of texts such as `sat:train=rows/SAT_train.parquet`; raise UsageError for another form."""
    found = {}
    for text in given:
        task, is_pair, path = text.partition("=")
        if not (task and is_pair and path):
            raise UsageError(f"{option} {text}: write TASK=PATH, the task as the recipe names it.")
        found[task] = Path(path).expanduser()
    return found
