"""What a loop cost, out of what its stages and evaluations wrote down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from spatialeval.run.manifest import Manifest
from spatialeval.training.steps import read_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spatialeval.training.exams import Result
    from spatialeval.training.stages import Trained


@dataclass(frozen=True)
class StageCost:
    """One stage under one seed.

    Attributes:
        stage: its name.
        seed: of the run.
        seconds: of filter and training; of an interrupted attempt, unless the process was killed.
        steps: of the optimiser.
        completions: replies that were generated and rewarded; 0 in SFT.
        tokens: that went through the model, as TRL logs them; None where it logged none.
    """

    stage: str
    seed: int
    seconds: float
    steps: int
    completions: int
    tokens: int | None


@dataclass(frozen=True)
class ExamCost:
    """All evaluations of one model: replies asked for, tokens where the backend told, seconds from start to end."""

    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


def stage_cost(trained: Trained) -> StageCost:
    """Return what a stage cost."""
    folder = trained.model.parent
    lines = read_log(folder)
    return StageCost(
        stage=trained.stage,
        seed=trained.seed,
        seconds=trained.told["seconds"],
        steps=max((line["step"] for line in lines), default=0),
        completions=_completions(folder / "completions"),
        tokens=_tokens(lines),
    )


def exam_costs(results: Sequence[Result]) -> list[ExamCost]:
    """Return what the evaluations of each model cost, all seeds together."""
    folders: dict[str, dict[Path, None]] = {}
    for result in results:
        held = folders.setdefault(result.model, {})
        held[result.folder] = None
        if result.drawn:
            held[result.drawn.folder] = None
    return [_exam_cost(model, list(held)) for model, held in folders.items()]


def _exam_cost(model: str, folders: Sequence[Path]) -> ExamCost:
    manifests = [manifest for folder in folders if (manifest := Manifest.read(folder))]
    calls, prompt, completion = (
        int(sum(one.totals.get(name, 0) for one in manifests))
        for name in ("calls", "prompt_tokens", "completion_tokens")
    )
    seconds = sum(_seconds(session.started, session.ended) for one in manifests for session in one.sessions)
    return ExamCost(model, calls, prompt, completion, seconds)


def _seconds(started: str, ended: str | None) -> float:
    if ended is None:  # killed: nobody knows when
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def _completions(folder: Path) -> int:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return 0
    import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import

    return sum(pq.read_metadata(file).num_rows for file in files)


def _tokens(lines: Sequence[dict[str, Any]]) -> int | None:
    """Return the tokens counted; a trainer that counts anew after it was resumed logs fewer than in the line before."""
    counts = [line["num_tokens"] for line in lines if "num_tokens" in line]
    if not counts:
        return None
    ends = [one for one, after in pairwise(counts) if after < one]
    return int(sum(ends) + counts[-1])
