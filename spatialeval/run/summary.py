"""The content of summary.json: what a run came to, as numbers. Scores are 0 to 1."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from spatialeval.stats import Estimate  # noqa: TC001 - pydantic reads the annotation


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Counts(_Frozen):
    """How items ended: the first four and `missing` add up to the items of the run.

    excluded: of the unparsed and truncated, those that the protocol leaves out of the mean.
    missing: items without a record, not asked yet.
    matched: of the scored, those whose answer comes from a saved match because the protocol's rule read none.
    """

    scored: int = 0
    unparsed: int = 0
    truncated: int = 0
    failed: int = 0
    missing: int = 0
    excluded: int = 0
    matched: int = 0


class Row(_Frozen):
    """One category, or one aggregate over categories.

    n: samples in its mean.
    score: None when nothing can be averaged.
    answered_only: the mean over samples whose answer was read (state scored) alone.
    chance / majority: what guessing and the best constant answer per category score on all its items.
    missing: categories that the rule names and the mean lacks; their weight is shared by the rest.
    """

    name: str
    headline: bool = False
    n: int
    counts: Counts
    score: Estimate | None
    answered_only: Estimate | None
    chance: float | None
    majority: float | None
    missing: tuple[str, ...] = ()


class About(_Frozen):
    """Which run it is, in names.

    verified: the protocol was checked against its source; `note` says what was not.
    floating: the task file pins no revision of its data.
    expected: samples that the whole task has, where its file says so.
    cap: the token cap the protocol was given.
    changed: generation settings that are not the protocol's own, as `max_tokens=64`.
    judge: the model that judged replies. judge_wanted: what the protocol would have judged, as "gpt-4o: unparsed".
    data: fingerprint of the samples, where it was taken.
    scores_version: raised by the task file when old and new numbers must not be compared.
    origin: where imported replies come from, and what their harness itself made of them.
    """

    task: str
    title: str
    variant: str | None = None
    protocol: str
    verified: bool = True
    note: str | None = None
    strategy: str
    model: str
    floating: bool = False
    expected: int | None = None
    cap: int
    changed: tuple[str, ...] = ()
    judge: str | None = None
    judge_wanted: str | None = None
    data: str | None = None
    scores_version: int = 1
    origin: str | None = None


class Tokens(_Frozen):
    """Token counts over all calls that were really asked; 0 where no backend told."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


class Drawn(_Frozen):
    """Several replies to each question, each graded by itself: the share of right ones, and whether one of k is."""

    k: int
    pass_1: Estimate
    pass_k: Estimate


class Summary(_Frozen):
    """What a run came to.

    total: items it is about; samples: different samples among them.
    failures: kind of failure -> items.
    messages: kind of failure -> what the first such item met.
    complete: every item has an answer.
    headline: name of the part that `score` belongs to.
    facets: the same by every value of every facet, as "difficulty=easy".
    parts: the protocol's aggregates, then macro and micro where they are not among them.
    skipped: "view: reason" -> samples that a view could not change safely; they are in no number here.
    drawn: Pass@1 and Pass@k of a run by self-consistency; None of others.
    judged: items about which a judge was asked; judge_tokens: of its calls.
    cached_answers: calls, also of a judge, answered from a cache of answers; their tokens are in no sum here.
    cost_usd: of all sessions, those calls included; None where a price is not known.
    prices: "model" and "judge": USD per million tokens, and where the price is from.
    missing_categories: categories that were asked or are named by the protocol and have no scored sample.
    cap_sent: the largest token cap that was really sent; None when no call is known.
    """

    format: Literal[1] = 1
    about: About
    total: int
    samples: int
    counts: Counts
    failures: dict[str, int]
    messages: dict[str, str]
    complete: bool
    headline: str | None
    score: Estimate | None
    categories: tuple[Row, ...]
    facets: tuple[Row, ...] = ()
    parts: tuple[Row, ...]
    skipped: dict[str, int] = {}
    missing_categories: tuple[str, ...]
    drawn: Drawn | None = None
    calls: int
    attempts: int
    tokens: Tokens
    judged: int = 0
    judge_tokens: Tokens = Tokens()
    cached_answers: int = 0
    cost_usd: float | None = None
    prices: dict[str, str] = {}
    cap_sent: int | None
    versions: dict[str, str]

    def row(self, name: str) -> Row:
        """Return the part called `name`, the category or the facet value; raise KeyError when there is none."""
        for row in (*self.parts, *self.categories, *self.facets):
            if row.name == name:
                return row
        raise KeyError(name)
