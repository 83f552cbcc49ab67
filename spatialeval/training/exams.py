"""Evaluations around training: each model of a recipe on each of its exams, with the scorers that paid the rewards.

OUT/<recipe>/seed-<n>/exams/<model>/...   ordinary run folders; <model> is `base` or the name of a stage
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import UsageError
from spatialeval.models import ModelOptions
from spatialeval.run.asking import parse_asking
from spatialeval.run.draws import draws_of
from spatialeval.run.execute import execute, prepare
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.prepare import RunSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spatialeval.run.draws import Worth
    from spatialeval.run.execute import Prepared
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Exam

_BATCH = 32


@dataclass(frozen=True)
class Drawn:
    """Several replies to each question.

    Attributes:
        k: replies per question.
        temperature: of the draws.
        pass_1: the share of right replies to each question.
        pass_k: whether one of k replies to it is right; a share where there are more than k.
        folder: the run.
    """

    k: int
    temperature: float
    pass_1: Worth
    pass_k: Worth
    folder: Path


@dataclass(frozen=True)
class Result:
    """One model on one exam.

    Attributes:
        exam: of the recipe.
        model: `base` or the name of a stage.
        seed: of the training; None for the base.
        folder: the greedy run, which comparisons are made with.
        drawn: pass@k, where the exam asks for it.
    """

    exam: Exam
    model: str
    seed: int | None
    folder: Path
    drawn: Drawn | None


def sit(
    found: RecipeFile,
    model: str,
    checkpoint: str,
    out: Path,
    *,
    seed: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Result]:
    """Evaluate a checkpoint on every exam of a recipe; what was answered before is not asked again.

    Args:
        found: the recipe.
        model: `base` or the name of a stage.
        checkpoint: folder or hub name.
        out: where the run folders go.
        seed: of the training.
        tell: hears what happens.

    Raises:
        UsageError: for several replies to a question by a strategy of several calls.
    """
    for exam in found.recipe.evaluate:
        _check(found, exam)
    for exam in found.recipe.evaluate:
        tell(f"{model}: {exam.task} ({exam.kind}), {exam.strategy}")
        greedy = _ask(found, exam, checkpoint, out, exam.strategy)
        drawn = None
        if exam.samples > 1:
            temperature = 1.0 if exam.temperature is None else exam.temperature
            of, plus, views = exam.strategy.partition("+")
            strategy = f"self-consistency(k={exam.samples}, of={of}, temperature={temperature}){plus}{views}"
            ready = _ask(found, exam, checkpoint, out, strategy)
            drawn = _draws(ready, exam.samples, temperature)
        yield Result(exam, model, seed, greedy.folder, drawn)


def _check(found: RecipeFile, exam: Exam) -> None:
    """Refuse draws that cannot be graded one by one before anything is asked."""
    if exam.samples > 1 and parse_asking(exam.strategy)[0].calls > 1:
        raise UsageError(
            f"{found.file}: {exam.task} is to be asked {exam.samples} times by {exam.strategy!r}, and Pass@k takes "
            "strategies of one call. Leave `samples` out, or choose another strategy."
        )


def _ask(found: RecipeFile, exam: Exam, checkpoint: str, out: Path, strategy: str) -> Prepared:
    name, _, revision = checkpoint.partition("@")
    spec = RunSpec(
        task=exam.task,
        model=f"hf:{name}",
        protocol=exam.protocol,
        strategy=strategy,
        options=ModelOptions(batch_size=_BATCH, extra={"revision": revision} if revision else {}),
        data=found.below(exam.data) if exam.data else None,
        media=found.below(exam.media) if exam.media else None,
        partial=exam.partial,
        limit=exam.limit,
        max_tokens=exam.max_tokens,
        out=out,
        command=("spatialeval", "loop", found.recipe.id),
    )
    ready = prepare(spec)
    asyncio.run(execute(spec, ready=ready))
    return ready


def _draws(ready: Prepared, k: int, temperature: float) -> Drawn:
    with Journal.open(ready.folder / FILE_NAME, readonly=True) as journal:
        draws = draws_of(ready, journal)
    if draws is None:
        raise ValueError(f"{ready.spec.strategy!r} draws no replies of one call")
    return Drawn(k, temperature, draws.shares(1), draws.shares(k), ready.folder)
