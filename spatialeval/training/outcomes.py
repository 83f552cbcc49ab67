"""What each model of a loop is worth on each exam, and over which other model it gains how much.

Everything is paired by question. With several seeds, a question's worth under a stage is its mean over the seeds, so
that intervals cover the choice of questions; the values of single seeds stand beside them for the spread of training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from spatialeval.run.ablation import by_question
from spatialeval.run.stored import StoredScores, open_run
from spatialeval.stats.estimate import Estimate, estimate
from spatialeval.stats.paired import Paired, holm, paired
from spatialeval.tasks.aggregate import EVERYTHING
from spatialeval.training.schema import BASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spatialeval.run.draws import Worth
    from spatialeval.training.exams import Result
    from spatialeval.training.schema import Exam, Recipe

MEASURES = ("score", "pass_1", "pass_k")
"""The greedy replies' score; the share of right replies among those drawn; whether one of k drawn is right."""


@dataclass(frozen=True)
class Gain:
    """What one model is worth over another on an exam; p corrected by Holm over all gains of the loop."""

    over: str
    measure: str
    paired: Paired
    p: float


@dataclass(frozen=True)
class Line:
    """One model on one exam.

    Attributes:
        exam: of the recipe.
        model: `base` or the name of a stage.
        before: the model that the stage starts from; `base` for the base itself.
        scores: of the greedy runs, one per seed: the mean over all questions.
        pass_1: of the drawn replies, one per seed; empty where the exam asks for none.
        pass_k: the same.
        unread: share of replies that could not be read or were cut, per seed.
        estimates: measure -> mean over the questions with its interval.
        gains: over the base, over the stage that it starts from, and over the one listed before it.
        folders: of the greedy runs, then of the drawn ones.
    """

    exam: Exam
    model: str
    before: str
    scores: list[float]
    pass_1: list[float]
    pass_k: list[float]
    unread: list[float]
    estimates: dict[str, Estimate]
    gains: list[Gain]
    folders: list[Path]

    def gain(self, measure: str, over: str) -> Gain | None:
        """Return what the model gains over another one."""
        return next((gain for gain in self.gains if (gain.measure, gain.over) == (measure, over)), None)


def lines_of(recipe: Recipe, results: Sequence[Result]) -> list[Line]:
    """Return a line per exam and model, exams outermost."""
    starts = {BASE: BASE, **{stage.name: recipe.start_of(stage) for stage in recipe.stages}}
    models = list(starts)
    lines: list[Line] = []
    for exam in recipe.evaluate:
        known: dict[str, dict[str, Worth]] = {}
        for place, model in enumerate(models):
            sat = [result for result in results if result.model == model and result.exam == exam]
            single, unread = _single(sat)
            known[model] = {measure: _mean_of(seeds) for measure, seeds in single.items()}
            others = dict.fromkeys([BASE, starts[model], models[place - 1]] if place else [])
            folders = [result.folder for result in sat] + [result.drawn.folder for result in sat if result.drawn]
            means = {measure: [mean for seed in seeds if (mean := _mean(seed))] for measure, seeds in single.items()}
            lines.append(
                Line(
                    exam=exam,
                    model=model,
                    before=starts[model],
                    scores=[mean.mean for mean in means["score"]],
                    pass_1=[mean.mean for mean in means["pass_1"]],
                    pass_k=[mean.mean for mean in means["pass_k"]],
                    unread=unread,
                    estimates={name: mean for name, worth in known[model].items() if (mean := _mean(worth))},
                    gains=[
                        Gain(over, measure, gain, gain.p)
                        for over in others
                        for measure in MEASURES
                        if (gain := _gain(known[over][measure], known[model][measure]))
                    ],
                    folders=folders,
                )
            )
    corrected = iter(holm([gain.p for line in lines for gain in line.gains]))
    return [replace(line, gains=[replace(gain, p=next(corrected)) for gain in line.gains]) for line in lines]


def _single(results: Sequence[Result]) -> tuple[dict[str, list[Worth]], list[float]]:
    """Return measure -> what the questions are worth under each seed; and the unread share of each seed."""
    found: dict[str, list[Worth]] = {measure: [] for measure in MEASURES}
    unread = []
    for result in results:
        run = open_run(result.folder)
        units = by_question(StoredScores(run, None, (), run.rules).units(EVERYTHING))
        found["score"].append({name: (unit.value, unit.cluster) for name, unit in units.items()})
        if units:
            unread.append(fmean(not unit.read for unit in units.values()))
        if result.drawn:
            found["pass_1"].append(result.drawn.pass_1)
            found["pass_k"].append(result.drawn.pass_k)
    return found, unread


def _mean_of(seeds: Sequence[Worth]) -> Worth:
    """Return the mean over the seeds, of the questions that all of them have."""
    shared = [name for name in seeds[0] if all(name in seed for seed in seeds)] if seeds else []
    return {name: (fmean(seed[name][0] for seed in seeds), seeds[0][name][1]) for name in shared}


def _mean(worth: Worth) -> Estimate | None:
    return estimate([value for value, _ in worth.values()], [cluster for _, cluster in worth.values()])


def _gain(first: Worth, second: Worth) -> Paired | None:
    shared = [name for name in first if name in second]
    before, after = ([side[name][0] for name in shared] for side in (first, second))
    return paired(before, after, [first[name][1] for name in shared])
