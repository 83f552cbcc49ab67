"""Baselines: what is had without looking. `random`, `majority`, `constant:X`, and `oracle`, which checks the scoring.

They answer from the samples themselves, in the form that the protocol asks for (its `gold`), else as bare as can be.
"""

from __future__ import annotations

import json
import random
import re
from abc import abstractmethod
from collections import Counter, defaultdict
from statistics import median_low
from typing import TYPE_CHECKING, Any, ClassVar

from spatialeval.errors import UsageError
from spatialeval.messages import Response
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, option
from spatialeval.scorers.points import bright_point
from spatialeval.written import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.messages import Request
    from spatialeval.samples import Answer, AnswerType, Sample

MOVES = ("up", "down", "left", "right")

_MOVE = re.compile(rf"\b({'|'.join(MOVES)})\b")
_Pool = tuple[str, "AnswerType"]
"""Category and answer type: golds are counted apart for each."""


class Baseline(Model):
    """A model that answers a sample without asking anything."""

    sees_media: ClassVar[bool] = False
    free = True

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
        return self.replied(request, self.answer(request.sample))

    @staticmethod
    def replied(request: Request, answer: Answer) -> Response:
        """Return an answer in the form that a request asks for."""
        bare = written(answer, request.sample.answer) if request.sample else str(answer)
        return Response(request.form(answer) if request.form else bare)

    @abstractmethod
    def answer(self, sample: Sample) -> Answer:
        """Return the answer to `sample`."""

    def seen(self, sample: Sample) -> list[Answer]:
        """Return the gold answers of the category of `sample`; raise UsageError when `prepare` saw none."""
        golds = self.golds.get((sample.category, sample.answer))
        if not golds:
            raise UsageError(f"{self.spec} saw no sample of category {sample.category!r}: call prepare(samples) first.")
        return golds


class RandomBaseline(Baseline):
    """Draws every answer, seeded by the sample's id, its view and what is shown: the order of asking changes nothing.

    Options, yes/no and labels are drawn evenly, and so are sets (none of them empty), one point of the picture, and the
    corners of one box. A number, a text or JSON is drawn from the gold values of its category; a path has the length of
    a gold path of its category and moves drawn evenly, an order likewise.
    """

    def __init__(self, spec: str, seed: int) -> None:
        super().__init__(spec)
        self.seed = seed

    def identity(self) -> dict[str, Any]:
        """Return the seed."""
        return {"spec": self.spec, "seed": self.seed}

    async def ask_as(self, name: str, request: Request) -> Response:
        """Answer for the sample of the request, in the form that the name of the call tells: "ID|view|step"."""
        if request.sample is None:
            return await self.ask(request)
        item = name.rpartition("|")[0]
        view = item.removeprefix(request.sample.id).removeprefix("|") if item.startswith(request.sample.id) else ""
        return self.replied(request, self.answer(request.sample, view))

    def answer(self, sample: Sample, view: str = "") -> Answer:
        """Draw; each view of a sample by itself, also where only its pictures differ."""
        seed = f"{self.seed}|{sample.id}|{_shown(sample)}" + (f"|{view}" if view else "")
        dice = random.Random(seed)  # noqa: S311 - no secret depends on it
        if sample.answer in {"choice", "yesno", "label"}:
            return dice.choice(closed_answers(sample))
        return self._draw(sample, dice)

    def _draw(self, sample: Sample, dice: random.Random) -> Answer:
        if sample.answer == "set":
            listed = closed_answers(sample)
            chosen = dice.randrange(1, 2 ** len(listed))
            return tuple(sorted(each for place, each in enumerate(listed) if chosen >> place & 1))
        if sample.answer == "points":
            return ((round(dice.random(), 3), round(dice.random(), 3)),)
        if sample.answer == "boxes":
            (left, right), (top, bottom) = (sorted(round(dice.random(), 3) for _ in "12") for _ in "xy")
            return ((left, top, right, bottom),)
        gold = dice.choice(self.seen(sample))
        if sample.answer == "path":
            return tuple(dice.choice(MOVES) for _ in moves_of(gold))
        if sample.answer == "order":
            listed = closed_answers(sample)
            length = len(gold) if isinstance(gold, tuple) else len(listed)
            return tuple(dice.sample(listed, min(length, len(listed))))
        return gold


class MajorityBaseline(Baseline):
    """Gives the most frequent gold answer of the category, ties broken by order.

    A choice is the most frequent letter among those that the sample has, a set or an order the most frequent one of
    what it has. Numbers that never repeat have no most frequent one: their (lower) median is given. Points are the
    middle of the picture, boxes all of it, where no gold answer repeats.
    """

    def __init__(self, spec: str) -> None:
        super().__init__(spec)
        self._ranked: dict[_Pool, list[Answer]] = {}

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Rank the gold answers of every category."""
        super().prepare(samples)
        self._ranked = {pool: _ranked(pool, golds) for pool, golds in self.golds.items()}

    def answer(self, sample: Sample) -> Answer:
        """Look the answer up."""
        self.seen(sample)
        ranked = self._ranked[sample.category, sample.answer]
        if sample.answer not in {"choice", "yesno", "label", "set", "order"}:
            return ranked[0]
        allowed = closed_answers(sample)
        if sample.answer in {"set", "order"}:
            fitting = (gold for gold in ranked if isinstance(gold, tuple) and set(gold) <= set(allowed))
            return next(fitting, allowed[:1])
        return next((str(gold) for gold in ranked if gold in allowed), allowed[0])


class ConstantBaseline(Baseline):
    """Gives the same reply to everything."""

    def __init__(self, spec: str, reply: str) -> None:
        super().__init__(spec)
        self.reply = reply

    async def ask(self, request: Request) -> Response:  # noqa: ARG002 - that is the point
        """Return the reply, as it was given."""
        return Response(self.reply)

    def answer(self, sample: Sample) -> Answer:  # noqa: ARG002
        """Return the reply."""
        return self.reply


class OracleBaseline(Baseline):
    """Gives the gold answer. A task on which it does not get everything right is scored wrongly."""

    def answer(self, sample: Sample) -> Answer:
        """Return the gold answer; where only a mask says what is right, its brightest pixel."""
        place = bright_point(sample) if sample.answer == "points" and not sample.target else None
        return sample.target if place is None else (place,)


def _shown(sample: Sample) -> str:
    """Return what tells apart the forms in which a sample is asked, so that each is guessed by itself."""
    names = [media.name for media in sample.media]
    shown = [sample.question, sample.choices, names, sorted(sample.meta.items(), key=lambda pair: pair[0])]
    return json.dumps(shown, ensure_ascii=False, default=str)


def closed_answers(sample: Sample) -> tuple[str, ...]:
    """Return every answer that `sample` could have; raise UsageError when its answer type has no closed list."""
    if sample.answer == "yesno":
        return ("yes", "no")
    listed = sample.letters or sample.labels
    answers = {"choice": sample.letters, "label": sample.labels, "set": listed, "order": listed}.get(sample.answer)
    if not answers:
        raise UsageError(f"sample {sample.id!r} has answer type {sample.answer!r} and no closed list of answers.")
    return answers


def moves_of(answer: Answer) -> tuple[str, ...]:
    """Return the moves of a path, written as text or held as a tuple."""
    return answer if isinstance(answer, tuple) else tuple(_MOVE.findall(str(answer)))


def _ranked(pool: _Pool, golds: Sequence[Answer]) -> list[Answer]:
    """Return the different answers, the most frequent first; of numbers that never repeat the lower median."""
    by_key = {_order(gold): gold for gold in golds}
    counts = Counter(map(_order, golds))
    if max(counts.values()) == 1 and len(golds) > 1:
        if pool[1] == "number":
            return [median_low(float(gold) for gold in golds if isinstance(gold, int | float | str))]
        if pool[1] in _PLAIN:
            return [_PLAIN[pool[1]]]
    return [by_key[key] for key in sorted(counts, key=lambda key: (-counts[key], key))]


_PLAIN: Mapping[str, Answer] = {"points": ((0.5, 0.5),), "boxes": ((0.0, 0.0, 1.0, 1.0),)}


def _order(answer: Answer) -> tuple[float, str]:
    """A total order, equal for equal answers: numbers by value, everything else by its text."""
    if isinstance(answer, int | float):
        return (float(answer), "")
    return (0.0, answer if isinstance(answer, str) else json.dumps(answer, sort_keys=True, ensure_ascii=False))


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
