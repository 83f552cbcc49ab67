"""Baselines: what is had without looking. `random`, `majority`, `constant:X`, and `oracle`, which checks the scoring.

They answer from the samples themselves, in forms that strict and published readers alike can read: a letter alone, a
bare number, yes or no, a label's text. Paths are move tokens after an empty thought, `<think></think><|up|><|left|>`,
because AlphaMaze's published reader looks behind `</think>` only.
"""

from __future__ import annotations

import random
import re
from abc import abstractmethod
from collections import Counter, defaultdict
from decimal import Decimal
from statistics import median_low
from typing import TYPE_CHECKING, Any, ClassVar

from spatialeval.errors import UsageError
from spatialeval.messages import Response
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.messages import Request
    from spatialeval.samples import Answer, AnswerType, Sample

MOVES = ("up", "down", "left", "right")

_MOVE = re.compile(rf"\b({'|'.join(MOVES)})\b")
_Pool = tuple[str, "AnswerType"]
"""Category and answer type: golds are counted apart for each."""


class Baseline(Model):
    """A model that answers a sample without asking anything."""

    sees_media: ClassVar[bool] = False

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.golds: dict[_Pool, list[Answer]] = {}
        """In a fixed order, so that what is drawn or counted does not depend on the order of the data."""

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Collect the gold answers of every category, sorted once: a task may have 100,000 of one."""
        golds: defaultdict[_Pool, list[Answer]] = defaultdict(list)
        for sample in samples:
            golds[sample.category, sample.answer].append(sample.target)
        self.golds = {pool: sorted(answers, key=_order) for pool, answers in golds.items()}

    async def ask(self, request: Request) -> Response:
        """Answer for the sample that the request is about."""
        if request.sample is None:
            raise UsageError(f"{self.spec} answers from samples, and this request has none. Set Request.sample.")
        return Response(self.answer(request.sample))

    @abstractmethod
    def answer(self, sample: Sample) -> str:
        """Return the reply to `sample`."""

    def seen(self, sample: Sample) -> list[Answer]:
        """Return the gold answers of the category of `sample`; raise UsageError when `prepare` saw none."""
        golds = self.golds.get((sample.category, sample.answer))
        if not golds:
            raise UsageError(f"{self.spec} saw no sample of category {sample.category!r}: call prepare(samples) first.")
        return golds


class RandomBaseline(Baseline):
    """Draws every answer, seeded by the sample's id: the order of asking changes nothing.

    Options, yes/no and labels are drawn evenly. A number is drawn from the gold values of its category; a path has the
    length of a gold path of its category and moves drawn evenly.
    """

    def __init__(self, spec: str, seed: int) -> None:
        super().__init__(spec)
        self.seed = seed

    def identity(self) -> dict[str, Any]:
        """Return the seed."""
        return {"spec": self.spec, "seed": self.seed}

    def answer(self, sample: Sample) -> str:
        """Draw."""
        dice = random.Random(f"{self.seed}|{sample.id}")  # noqa: S311 - no secret depends on it
        if sample.answer == "number":
            return written(dice.choice(self.seen(sample)), sample.answer)
        if sample.answer == "path":
            gold = dice.choice(self.seen(sample))
            return written(tuple(dice.choice(MOVES) for _ in moves_of(gold)), sample.answer)
        return dice.choice(closed_answers(sample))


class MajorityBaseline(Baseline):
    """Gives the most frequent gold answer of the category, ties broken by order.

    A choice is the most frequent letter among those that the sample has. Numbers that never repeat have no most
    frequent one: their (lower) median is given.
    """

    def __init__(self, spec: str) -> None:
        super().__init__(spec)
        self._ranked: dict[_Pool, list[Answer]] = {}

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Rank the gold answers of every category."""
        super().prepare(samples)
        self._ranked = {pool: _ranked(pool, golds) for pool, golds in self.golds.items()}

    def answer(self, sample: Sample) -> str:
        """Look the answer up."""
        self.seen(sample)
        ranked = self._ranked[sample.category, sample.answer]
        if sample.answer in {"number", "path"}:
            return written(ranked[0], sample.answer)
        allowed = closed_answers(sample)
        return next((str(gold) for gold in ranked if gold in allowed), allowed[0])


class ConstantBaseline(Baseline):
    """Gives the same reply to everything."""

    def __init__(self, spec: str, reply: str) -> None:
        super().__init__(spec)
        self.reply = reply

    def answer(self, sample: Sample) -> str:  # noqa: ARG002 - that is the point
        """Return the reply."""
        return self.reply


class OracleBaseline(Baseline):
    """Gives the gold answer. A task on which it does not get everything right is scored wrongly."""

    def answer(self, sample: Sample) -> str:
        """Return the gold answer."""
        return written(sample.target, sample.answer)


def written(answer: Answer, kind: AnswerType) -> str:
    """Return `answer`, of type `kind`, as a reply: numbers without exponent or needless decimals, moves as tokens."""
    if kind == "path":
        text = "".join(f"<|{move}|>" for move in answer) if isinstance(answer, tuple) else str(answer)
        return f"<think></think>{text}"
    if kind != "number":
        return str(answer)
    if isinstance(answer, tuple):
        raise UsageError(f"a number cannot be {answer!r}: correct the target of the task.")
    text = format(Decimal(repr(float(answer))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def closed_answers(sample: Sample) -> tuple[str, ...]:
    """Return every answer that `sample` could have; raise UsageError when its answer type has no closed list."""
    if sample.answer == "yesno":
        return ("yes", "no")
    answers = sample.letters if sample.answer == "choice" else sample.labels
    if not answers:
        raise UsageError(f"sample {sample.id!r} has answer type {sample.answer!r} and no closed list of answers.")
    return answers


def moves_of(answer: Answer) -> tuple[str, ...]:
    """Return the moves of a path, written as text or held as a tuple."""
    return answer if isinstance(answer, tuple) else tuple(_MOVE.findall(str(answer)))


def _ranked(pool: _Pool, golds: Sequence[Answer]) -> list[Answer]:
    """Return the different answers, the most frequent first; of numbers that never repeat the lower median."""
    counts = Counter(golds)
    if pool[1] == "number" and len(golds) > 1 and max(counts.values()) == 1:
        return [median_low(float(gold) for gold in golds if not isinstance(gold, tuple))]
    return sorted(counts, key=lambda gold: (-counts[gold], _order(gold)))


def _order(answer: Answer) -> tuple[float, str]:
    """A total order: numbers by value, everything else by its text."""
    return (float(answer), "") if isinstance(answer, int | float) else (0.0, str(answer))


@MODELS.register("random")
def open_random(name: str, options: ModelOptions) -> RandomBaseline:
    """Return the random baseline; the option `seed` (default 0) changes what it draws."""
    _refuse_name("random", name)
    check_keys("random", options, ("seed",))
    return RandomBaseline("random", option("random", options, "seed", 0, int))


@MODELS.register("majority")
def open_majority(name: str, options: ModelOptions) -> MajorityBaseline:
    """Return the majority baseline."""
    _refuse_name("majority", name)
    check_keys("majority", options, ())
    return MajorityBaseline("majority")


@MODELS.register("constant")
def open_constant(name: str, options: ModelOptions) -> ConstantBaseline:
    """Return the baseline that always replies `name`."""
    if not name:
        raise UsageError("constant needs a reply: write constant:B, or constant:2.")
    check_keys("constant", options, ())
    return ConstantBaseline(f"constant:{name}", name)


@MODELS.register("oracle")
def open_oracle(name: str, options: ModelOptions) -> OracleBaseline:
    """Return the baseline that knows the answers."""
    _refuse_name("oracle", name)
    check_keys("oracle", options, ())
    return OracleBaseline("oracle")


def _refuse_name(model: str, name: str) -> None:
    if name:
        raise UsageError(f"{model} takes no name, and got {name!r}: write {model}.")
