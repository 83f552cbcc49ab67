"""How many questions show a difference: from what a design says, and from what finished runs tell about their task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spatialeval.errors import UsageError
from spatialeval.run.ablation import by_question
from spatialeval.run.stored import StoredScores, open_run
from spatialeval.stats.power import (
    Design,
    group_size,
    intra_group_correlation,
    power_of,
    questions_needed,
    smallest_difference,
)
from spatialeval.tasks.aggregate import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.run.units import Unit

POINTS = (0.01, 0.02, 0.03, 0.05, 0.1)
"""Differences that are told where none is asked about."""


@dataclass(frozen=True)
class Measured:
    """What finished runs say about their questions.

    Attributes:
        runs: their folders.
        questions: that all of them answered.
        clusters: groups of questions that share something.
        score: of the first run, on the mean of these questions.
        design: two ways of answering them, paired; with two runs, as often apart as these are.
        apart: the same for two models that answer different questions of this kind.
    """

    runs: tuple[str, ...]
    questions: int
    clusters: int
    score: float
    design: Design
    apart: Design


@dataclass(frozen=True)
class Needed:
    """What it takes to see one difference; a number is None where the difference cannot be.

    Attributes:
        difference: of the true scores, -1 to 1.
        paired: questions that both answer.
        unpaired: questions for each of the two.
        power: how often the questions at hand show it, paired; None where there are none at hand.
    """

    difference: float
    paired: int | None
    unpaired: int | None
    power: float | None = None


@dataclass(frozen=True)
class PowerPlan:
    """How many questions it takes, and what those at hand can show.

    Attributes:
        paired: the design of the paired numbers.
        unpaired: of the others.
        questions: at hand, if any.
        rows: one per difference.
        smallest: the smallest gain that the questions at hand show: paired, and unpaired.
        measured: where the designs come from; None where they were given.
    """

    paired: Design
    unpaired: Design
    questions: int | None
    rows: tuple[Needed, ...]
    smallest: tuple[float | None, float | None] = (None, None)
    measured: Measured | None = None


def plan_power(
    paired: Design,
    unpaired: Design,
    differences: Sequence[float] = (),
    questions: int | None = None,
    measured: Measured | None = None,
) -> PowerPlan:
    """Return the questions needed for each difference, and what `questions` of them show."""
    rows = [
        Needed(
            difference,
            _needed(difference, paired),
            _needed(difference, unpaired),
            _power(questions, difference, paired) if questions else None,
        )
        for difference in differences or POINTS
    ]
    smallest = (smallest_difference(questions, paired), smallest_difference(questions, unpaired)) if questions else None
    return PowerPlan(paired, unpaired, questions, tuple(rows), smallest or (None, None), measured)


def measure(runs: Sequence[str | Path], *, level: float = 0.05, power: float = 0.8) -> Measured:
    """Return the designs that one or two finished runs of a task suggest.

    From one run come the score, the groups and how alike the scores of a group are; how alike two models' answers are
    it cannot tell, so a correlation of 0.5 is taken. Two runs tell that too.

    Raises:
        UsageError: for no run or more than two, and for runs without a common question.
        StorageError: when a file of a run is damaged.
    """
    if len(runs) not in {1, 2}:
        raise UsageError(f"power measures one or two finished runs, not {len(runs)}. Name one or two run folders.")
    found = [open_run(Path(run)) for run in runs]
    held = [by_question(StoredScores(run, None, (), run.rules).units(EVERYTHING)) for run in found]
    common = [name for name in held[0] if all(name in other for other in held)]
    if not common:
        raise UsageError(f"{' and '.join(map(str, runs))} have no answered question in common. Name runs of one task.")
    first = [held[0][name] for name in common]
    groups = [unit.cluster for unit in first]
    values = [unit.value for unit in first]
    score = sum(values) / len(values)
    apart = Design(
        score, paired=False, icc=_icc(values, groups), group_size=group_size(groups), level=level, power=power
    )
    design = _paired_design(held, common, apart)
    return Measured(tuple(map(str, runs)), len(common), len(set(groups)), score, design, apart)


def _paired_design(held: Sequence[Mapping[str, Unit]], common: Sequence[str], apart: Design) -> Design:
    if len(held) == 1:
        return replace(apart, paired=True)
    first, second = ([one[name].value for name in common] for one in held)
    gaps = [b - a for a, b in zip(first, second, strict=True)]
    groups = [held[0][name].cluster for name in common]
    # For graded scores the mean square of the differences stands where the share of differing answers does.
    differ = sum(gap**2 for gap in gaps) / len(gaps)
    return replace(apart, paired=True, differ=differ, icc=_icc(gaps, groups))


def _icc(values: Sequence[float], groups: Sequence[object]) -> float:
    """Return how alike values of a group are; 0 where that cannot be told."""
    found = intra_group_correlation(values, groups)
    return 0.0 if found is None else max(-1.0, min(1.0, found))


def _needed(difference: float, design: Design) -> int | None:
    try:
        return questions_needed(difference, design)
    except ValueError:
        return None


def _power(questions: int, difference: float, design: Design) -> float | None:
    try:
        return power_of(questions, difference, design)
    except ValueError:
        return None
