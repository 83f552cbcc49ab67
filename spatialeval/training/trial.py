"""A recipe made small: each stage a few steps, each exam a few questions, to see that everything runs before hours do.

What it prints are no results; they go to a folder of their own, so that nothing takes them for some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spatialeval.training import processes

if TYPE_CHECKING:
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Exam, Source, Stage

STEPS = 2
QUESTIONS = 16


def made_small(found: RecipeFile) -> RecipeFile:
    """Return the recipe with one seed, `STEPS` steps a stage and `QUESTIONS` questions an exam, called NAME.trial.

    Batches, rewards, prompts and all other arguments stay, so that what does not fit or does not run shows itself;
    filters are left out.
    """
    recipe = found.recipe
    stages = [_stage(stage, recipe.trl, recipe.data) for stage in recipe.stages]
    changed = {
        "id": f"{recipe.id}.trial",
        "stages": stages,
        "evaluate": [_exam(exam) for exam in recipe.evaluate],
        "seeds": recipe.seeds[:1],
    }
    return found._replace(recipe=recipe.model_copy(update=changed))


def _stage(stage: Stage, shared: dict[str, Any], data: list[Source]) -> Stage:
    given = {**shared, **stage.trl}
    most = STEPS * _batch(given) * processes.count()
    sources = [source.model_copy(update={"limit": _less(source.limit, most)}) for source in stage.data or data]
    arguments = {**stage.trl, "max_steps": STEPS, "save_steps": STEPS, "logging_steps": 1, "warmup_steps": 0}
    # A base of two steps solves nothing, and a filter would leave no prompt.
    return stage.model_copy(update={"data": sources, "trl": arguments, "filter": None})


def _batch(given: dict[str, Any]) -> int:
    """Return what one process takes in for a step, or generates at once where that is more; TRL's defaults."""
    micro = given.get("gradient_accumulation_steps", 1)
    step = given.get("per_device_train_batch_size", 8) * max(micro, given.get("steps_per_generation") or micro)
    return max(int(step), int(given.get("generation_batch_size") or 0))


def _exam(exam: Exam) -> Exam:
    return exam.model_copy(update={"limit": _less(exam.limit, QUESTIONS)})


def _less(limit: int | None, most: int) -> int:
    return most if limit is None else min(limit, most)
