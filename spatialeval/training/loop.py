"""The whole loop: evaluate the base, train stage by stage, evaluate after each, and say what was gained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import UsageError
from spatialeval.training.costs import exam_costs, stage_cost
from spatialeval.training.exams import sit
from spatialeval.training.outcomes import lines_of
from spatialeval.training.schema import BASE
from spatialeval.training.stages import base_of, run_folder, run_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spatialeval.training.costs import ExamCost, StageCost
    from spatialeval.training.exams import Result
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.outcomes import Line
    from spatialeval.training.stages import Trained


@dataclass(frozen=True)
class Loop:
    """A finished loop.

    Attributes:
        found: the recipe that was followed.
        seeds: trained.
        models: `base` and the stages, in order.
        lines: exams outermost.
        trained: every stage under every seed.
        stage_costs: of these, in the same order.
        exam_costs: of the evaluations, per model.
        results: every evaluation, for reports.
    """

    found: RecipeFile
    seeds: list[int]
    models: list[str]
    lines: list[Line]
    trained: list[Trained]
    stage_costs: list[StageCost]
    exam_costs: list[ExamCost]
    results: list[Result]

    @property
    def seconds(self) -> dict[str, list[float]]:
        """Stage -> seconds of training under each seed."""
        names = dict.fromkeys(cost.stage for cost in self.stage_costs)
        return {name: [cost.seconds for cost in self.stage_costs if cost.stage == name] for name in names}


def run_loop(
    found: RecipeFile,
    out: Path,
    seeds: Sequence[int] = (),
    *,
    fresh: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Loop:
    """Evaluate, train, evaluate. The same call resumes: what was trained or answered is not done again.

    Args:
        found: the recipe.
        out: where results go.
        seeds: instead of the recipe's.
        fresh: train again; old folders are moved aside.
        tell: hears what happens.

    Raises:
        UsageError: when the recipe evaluates nothing.
    """
    if not found.recipe.evaluate:
        raise UsageError(f"{found.file} evaluates nothing: add `evaluate`, or train alone with `spatialeval train`.")
    chosen = list(seeds or found.recipe.seeds)
    results = list(sit(found, BASE, base_of(found), out / found.recipe.id / "exams" / BASE, tell=tell))
    stages: list[Trained] = []
    for seed in chosen:
        for trained in run_stages(found, out, seed, fresh=fresh, tell=tell):
            stages.append(trained)
            place = run_folder(found, out, seed) / "exams" / trained.stage
            results += sit(found, trained.stage, str(trained.model), place, seed=seed, tell=tell)
    return Loop(
        found=found,
        seeds=chosen,
        models=[BASE, *(stage.name for stage in found.recipe.stages)],
        lines=lines_of(found.recipe, results),
        trained=stages,
        stage_costs=[stage_cost(trained) for trained in stages],
        exam_costs=exam_costs(results),
        results=results,
    )
