"""Evaluations around training: each model of a recipe on each of its exams, with the scorers that paid the rewards.

OUT/<recipe>/seed-<n>/exams/<model>/...   ordinary run folders; <model> is `base` or the name of a stage
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.models import ModelOptions
from spatialeval.run.execute import execute, prepare
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.prepare import RunSpec
from spatialeval.stats.passk import mean_pass_at_k

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from spatialeval.grading import Grader
    from spatialeval.run.execute import Prepared
    from spatialeval.run.records import Record
    from spatialeval.samples import Sample
    from spatialeval.stats.estimate import Estimate
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.schema import Exam

_BATCH = 32


@dataclass(frozen=True)
class Drawn:
    """Several replies to each question.

    Attributes:
        k: replies per question.
        temperature: of the draws.
        pass_1: share of right replies; `pass_k`: share of questions with a right one among k.
        pass_k: see `pass_1`.
        folder: the run.
    """

    k: int
    temperature: float
    pass_1: Estimate | None
    pass_k: Estimate | None
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
    """
    for exam in found.recipe.evaluate:
        tell(f"{model}: {exam.task} ({exam.kind}), {exam.strategy}")
        greedy = _ask(found, exam, checkpoint, out, exam.strategy)
        drawn = None
        if exam.samples > 1:
            temperature = 1.0 if exam.temperature is None else exam.temperature
            strategy = f"self-consistency(k={exam.samples}, of={exam.strategy}, temperature={temperature})"
            ready = _ask(found, exam, checkpoint, out, strategy)
            drawn = _draws(ready, exam.samples, temperature)
        yield Result(exam, model, seed, greedy.folder, drawn)


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
    grader = ready.protocol.strict_grader if ready.strategy.reader == "strict" else ready.protocol.grader
    samples = {item.key: item.sample for item in ready.items}
    with Journal.open(ready.folder / FILE_NAME, readonly=True) as journal:
        counted = list(right_of(journal.records(samples), samples, grader))
    groups = [samples[key].group or key for key, _, _ in counted]
    replies = [(n, right) for _, n, right in counted]
    enough = [(pair, group) for pair, group in zip(replies, groups, strict=True) if pair[0] >= k]
    pairs, clusters = [pair for pair, _ in enough], [group for _, group in enough]
    first, any_of = (mean_pass_at_k(pairs, many, clusters) for many in (1, k))
    return Drawn(k, temperature, first, any_of, ready.folder)


def right_of(
    records: Iterable[Record], samples: Mapping[str, Sample], grader: Grader
) -> Iterator[tuple[str, int, int]]:
    """Yield key, replies and right replies of each answered item; a reply is right when its score is 1.

    Args:
        records: of a self-consistency run of a strategy with one call, their calls included.
        samples: by the items' keys.
        grader: reads the replies.
    """
    for record in records:
        if record.state == "failed":
            continue
        told = [(str(call.response["text"]), call.response["finish"]) for call in record.calls]
        scores = [grader.grade(samples[record.key], text, finish) for text, finish in told]
        yield record.key, len(scores), sum(score.value == 1.0 for score in scores)
