"""The leaderboard as data: what leaderboard.json holds, and what every other form of it is made from."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from spatialeval.run.summary import Counts, Tokens  # noqa: TC001 - pydantic reads the annotation
from spatialeval.stats import Estimate  # noqa: TC001 - pydantic reads the annotation

Kind = Literal["model", "changed", "blind", "baseline"]
BASELINES = ("random", "majority", "constant", "oracle")
"""Models that look at no question: their rows are references, and no rank counts them."""
BLIND = frozenset({"blind", "blank", "swap-image"})
"""Views under which a question is asked without its pictures, or with others."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rank(_Frozen):
    """Places that a run may have among `of` runs, from the better to the worse one.

    tied: the range meets that of another run.
    method: questions drawn again, the same for all; or the 95 % intervals, where runs do not share their questions.
    """

    best: int
    worst: int
    of: int
    tied: bool
    method: Literal["bootstrap", "intervals"]


class LeftOut(_Frozen):
    """How many samples a view cannot change safely; reason: of it, as "view: reason"."""

    reason: str
    samples: int


class BoardRun(_Frozen):
    """One run. Scores are 0 to 1.

    kind: blind runs see no picture, changed ones changed questions; baselines see no question. Only models have ranks.
    default: the protocol is the task's own.
    rank: None for runs that are incomplete, have no score, or are no models.
    chance / majority: what guessing and the best constant answer per category score, by the same rule.
    cost: of all calls in US dollars; None where no price is known.
    setting: what else sets the run apart: changed generation settings, a judge, where replies were imported from.
    complete: nothing that was to be asked lacks an answer. partial: less than the task was to be asked.
    skipped: samples that its views cannot change, by reason; nobody was to ask them.
    same: how many more runs, not shown, are the same in everything that can change an answer.
    """

    id: str
    folder: str
    task: str
    protocol: str
    default: bool
    strategy: str
    model: str
    setting: str
    kind: Kind
    headline: str | None
    score: Estimate | None
    rank: Rank | None
    complete: bool
    partial: bool
    skipped: tuple[LeftOut, ...] = ()
    same: int = 0
    verified: bool
    total: int
    samples: int
    counts: Counts
    chance: float | None
    majority: float | None
    tokens: Tokens
    cached_answers: int = 0
    cost: float | None
    data: str | None
    scores_version: int


class Published(_Frozen):
    """A row of results that the task file cites. Scores are 0 to 1; `note` says what is wrong with the source's own."""

    model: str
    role: Literal["model", "human", "chance", "baseline"]
    protocol: str | None
    source: str
    score: float | None
    part: str | None
    gives: float | None
    scores: dict[str, float]
    note: str | None


class BoardTask(_Frozen):
    """A task of the board; what its file says is empty where the file is not here."""

    name: str
    title: str
    abilities: tuple[str, ...]
    modalities: tuple[str, ...]
    suites: tuple[str, ...]
    human: float | None
    published: tuple[Published, ...]


class Board(_Frozen):
    """All of it."""

    format: Literal[1] = 1
    version: str
    tasks: tuple[BoardTask, ...]
    runs: tuple[BoardRun, ...]
    left_out: tuple[str, ...] = ()

    def of(self, task: str) -> list[BoardRun]:
        """Return the runs on one task, the best first; those without score, and of changed questions, come last."""
        runs = [run for run in self.runs if run.task == task]
        worth = {run.id: run.score.mean if run.score else -1.0 for run in runs}
        return sorted(runs, key=lambda run: (run.protocol, run.kind == "changed", -worth[run.id], run.model))


def schema() -> str:
    """Return the JSON Schema of leaderboard.json as text; docs/leaderboard.schema.json is a copy."""
    content: dict[str, Any] = Board.model_json_schema(mode="serialization")
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "spatialeval leaderboard"
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
