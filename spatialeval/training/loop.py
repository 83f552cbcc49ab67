"""The whole loop: evaluate the base, train stage by stage, evaluate after each, and say what was gained.

Differences are paired by question. With several seeds, a question's worth under a stage is its mean over the seeds, so
that intervals cover the choice of questions; the scores of single seeds stand beside them for the spread of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from spatialeval.run.ablation import by_question
from spatialeval.run.stored import StoredScores, open_run
from spatialeval.stats.paired import Paired, holm, paired
from spatialeval.tasks.aggregate import EVERYTHING
from spatialeval.training.exams import Result, sit
from spatialeval.training.stages import base_of, run_folder, run_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Exam

BASE = "base"


@dataclass(frozen=True)
class Gain:
    """What one model is worth over another on an exam; p corrected by Holm over all gains of the loop."""

    over: str
    paired: Paired
    p: float


@dataclass(frozen=True)
class Line:
    """One model on one exam.

    Attributes:
        exam: of the recipe.
        model: `base` or the name of a stage.
        scores: of the greedy runs, one per seed: the mean over all questions.
        pass_1: of the drawn replies, one per seed; empty where the exam asks for none.
        pass_k: the same.
        unread: share of replies that could not be read or were cut, per seed.
        gains: over the base, and over the stage before.
    """

    exam: Exam
    model: str
    scores: list[float]
    pass_1: list[float]
    pass_k: list[float]
    unread: list[float]
    gains: list[Gain]


@dataclass(frozen=True)
class Loop:
    """A finished loop.

    Attributes:
        recipe: its name.
        seeds: trained.
        models: `base` and the stages, in order.
        lines: exams outermost.
        seconds: of training, per stage and seed.
        results: every evaluation, for reports.
    """

    recipe: str
    seeds: list[int]
    models: list[str]
    lines: list[Line]
    seconds: dict[str, list[float]]
    results: list[Result]


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
    """
    chosen = list(seeds or found.recipe.seeds)
    results = list(sit(found, BASE, base_of(found), out / found.recipe.id / "exams" / BASE, tell=tell))
    seconds: dict[str, list[float]] = {}
    for seed in chosen:
        for trained in run_stages(found, out, seed, fresh=fresh, tell=tell):
            seconds.setdefault(trained.stage, []).append(trained.told["seconds"])
            place = run_folder(found, out, seed) / "exams" / trained.stage
            results += sit(found, trained.stage, str(trained.model), place, seed=seed, tell=tell)
    models = [BASE, *(stage.name for stage in found.recipe.stages)]
    return Loop(found.recipe.id, chosen, models, _lines(found, models, results), seconds, results)


def _lines(found: RecipeFile, models: Sequence[str], results: Sequence[Result]) -> list[Line]:
    lines: list[Line] = []
    for exam in found.recipe.evaluate:
        worth: dict[str, dict[str, tuple[float, Hashable]]] = {}
        for place, model in enumerate(models):
            sat = [result for result in results if result.model == model and result.exam == exam]
            worth[model], scores, unread = _worth(sat)
            over = dict.fromkeys([models[0], models[place - 1]] if place else [])
            gains = [Gain(other, gain, gain.p) for other in over if (gain := _gain(worth[other], worth[model]))]
            drawn = [result.drawn for result in sat if result.drawn]
            first = [one.pass_1.mean for one in drawn if one.pass_1]
            any_of = [one.pass_k.mean for one in drawn if one.pass_k]
            lines.append(Line(exam, model, scores, first, any_of, unread, gains))
    corrected = iter(holm([gain.p for line in lines for gain in line.gains]))
    return [
        Line(
            line.exam, line.model, line.scores, line.pass_1, line.pass_k, line.unread,
            [Gain(gain.over, gain.paired, next(corrected)) for gain in line.gains],
        )
        for line in lines
    ]  # fmt: skip


def _worth(results: Sequence[Result]) -> tuple[dict[str, tuple[float, Hashable]], list[float], list[float]]:
    """Return question -> (mean worth over the seeds, cluster); the score and the unread share of each seed."""
    values: dict[str, list[float]] = {}
    clusters: dict[str, Hashable] = {}
    scores, unread = [], []
    for result in results:
        run = open_run(result.folder)
        units = by_question(StoredScores(run, None, (), run.rules).units(EVERYTHING))
        for name, unit in units.items():
            values.setdefault(name, []).append(unit.value)
            clusters[name] = unit.cluster
        if units:
            scores.append(fmean(unit.value for unit in units.values()))
            unread.append(fmean(not unit.read for unit in units.values()))
    whole = {name: told for name, told in values.items() if len(told) == len(results)}
    return {name: (fmean(told), clusters[name]) for name, told in whole.items()}, scores, unread


def _gain(first: dict[str, tuple[float, Hashable]], second: dict[str, tuple[float, Hashable]]) -> Paired | None:
    shared = [name for name in first if name in second]
    if not shared:
        return None
    before, after = ([side[name][0] for name in shared] for side in (first, second))
    return paired(before, after, [first[name][1] for name in shared])
