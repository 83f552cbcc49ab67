"""facts-solve: the model translates the story into facts, and a solver decides.

After the LLM+ASP pipeline of arXiv 2411.18564 (facts by the model, errors of the solver told to it up to three times,
the result read by program), whose prompts are not published, and azreasoners/LLM-ASP:stepGame/prompts/location.txt
(commit b93660e03f62f4ee192e7ab8bc4c109d017acf8b), from which the form of facts and the readings of clocks and compass
are; that one translates sentence by sentence, with twelve examples. The wording is ours.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.errors import UsageError
from spatialeval.messages import Message, Response, Text
from spatialeval.reasoning import offsets
from spatialeval.reasoning.asp import PROGRAM, check_clingo, solve_by_clingo
from spatialeval.reasoning.facts import Fact, Query, Reading, read_facts
from spatialeval.reasoning.outcomes import Solved, TimedOut
from spatialeval.reasoning.stepgame_text import read_question, read_story
from spatialeval.strategies import stories
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import roomy
from spatialeval.templates import render_prompt

if TYPE_CHECKING:
    from spatialeval.messages import Request
    from spatialeval.reasoning.outcomes import Outcome
    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks import TaskProtocol

_PROMPT, _REPAIR = "strategies/facts_solve.j2", "strategies/facts_solve_repair.j2"
_MAX_FAULTS = 5
"""Faults told to the model, and kept with a question that has no answer."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """What came of a text: the answer, or the reasons why there is none; and what was solved."""

    answer: str | None = None
    reasons: tuple[str, ...] = ()
    final: bool = False
    program: str | None = None
    relation: str | None = None

    @property
    def work(self) -> dict[str, Any]:
        """What is kept beside the answer: the program solved, what came of it, or why nothing did."""
        return {"program": self.program, "relation": self.relation, "reasons": list(self.reasons[:_MAX_FAULTS])}

    @property
    def text(self) -> str:
        """The reply that is graded. Reasons are a thought, so that no reader takes a word of them for the answer."""
        if self.answer is not None:
            return f"<answer>{self.answer}</answer>"
        return f"<think>no answer: {'; '.join(self.reasons[:_MAX_FAULTS]).replace('<', ' ')}</think>"


@STRATEGIES.register("facts-solve")
@dataclass(frozen=True)
class FactsSolve(Strategy):
    """Ask for facts, solve them, tell the model what was wrong with them and ask again.

    Attributes:
        facts: who reads the story: "model", or "rules", our reader of StepGame's sentences, which asks no model and so
            shows what the solver is worth alone.
        solver: "offsets" (a walk over the facts) or "clingo".
        repairs: how often, at most, faults are told to the model.
        max_tokens: the token cap of each reply, raised from the protocol's.
        seconds: time limit of one run of clingo.
    """

    facts: str = "model"
    solver: str = "offsets"
    repairs: int = 3
    max_tokens: int = 1024
    seconds: float = 20.0
    name: ClassVar[str] = "facts-solve"

    def __post_init__(self) -> None:
        """Raise UsageError for an option that cannot be."""
        for option, allowed in (("facts", ("model", "rules")), ("solver", ("offsets", "clingo"))):
            if getattr(self, option) not in allowed:
                raise UsageError(
                    f"facts-solve({option}={getattr(self, option)}): {option} is {' or '.join(allowed)}. Choose one."
                )
        if self.repairs < 0 or self.seconds <= 0:
            raise UsageError("facts-solve: repairs is 0 or more, and seconds more than 0. Change the option.")

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers: the answer is ours, in a tag."""
        return "strict"

    @property
    def calls(self) -> int:
        """The first call and the repairs; none where rules read the story."""
        return 0 if self.facts == "rules" else 1 + self.repairs

    def refuses(self, sample: Sample) -> str | None:
        """Return why a sample is no question about the nine relations, or not one of StepGame's for `facts=rules`.

        Raises:
            UsageError: when clingo is to solve and is not installed.
        """
        if self.solver == "clingo":
            check_clingo()
        if self.facts == "rules" and not (stories.sentences(sample) and read_question(sample.question)):
            return "is no StepGame story, which facts=rules reads"
        return stories.why_not(sample)

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask for facts until they are solved, at most 1 + repairs times."""
        if self.facts == "rules":
            decision = await self._decided(_by_template(sample), sample)
            return Response(decision.text, work=decision.work)
        settings = roomy(protocol, self)
        first = stories.request(sample, protocol, render_prompt(_PROMPT), settings)
        first = replace(first, form=partial(_as_facts, sample))
        reply = await ask(first)
        decision = await self._decided(_by_model(reply), sample)
        for _ in range(self.repairs):
            if decision.answer is not None or decision.final:
                break
            reply = await ask(_repair(first, reply, decision.reasons))
            decision = await self._decided(_by_model(reply), sample)
        return replace(reply, text=decision.text, work=decision.work)

    async def _decided(self, reading: Reading, sample: Sample) -> _Decision:
        if reading.faults or reading.query is None:
            return _Decision(reasons=reading.faults)
        outcome = await self._solved(reading.facts, reading.query)
        solved = _Decision(program="\n".join(map(str, (*reading.facts, reading.query))))
        if not isinstance(outcome, Solved):
            return replace(solved, reasons=(str(outcome),), final=isinstance(outcome, TimedOut))
        solved, answer = replace(solved, relation=outcome.relation), stories.relations(sample).get(outcome.relation)
        if answer is None:
            return replace(solved, reasons=(f"the facts say {outcome.relation!r}, which is not among the answers",))
        return replace(solved, answer=answer)

    async def _solved(self, facts: tuple[Fact, ...], query: Query) -> Outcome:
        if self.solver == "offsets":
            return offsets.solve(facts, query)
        return await asyncio.to_thread(solve_by_clingo, facts, query, self.seconds)

    def identity(self) -> dict[str, Any]:
        """Return options, wordings and the program."""
        return {
            **super().identity(),
            "instruction": render_prompt(_PROMPT),
            "repair": render_prompt(_REPAIR, faults=["..."]),
            "story": stories.wording(),
            "program": PROGRAM if self.solver == "clingo" else None,
        }


def _by_template(sample: Sample) -> Reading:
    facts, unknown = read_story(stories.sentences(sample))
    return Reading(tuple(facts), read_question(sample.question), tuple(f"{text!r} is no template" for text in unknown))


def _by_model(reply: Response) -> Reading:
    if reply.finish == "length":
        return Reading(faults=("the reply was cut off before its end",))
    return read_facts(reply.text.rpartition("</think>")[2])


def _repair(first: Request, reply: Response, reasons: tuple[str, ...]) -> Request:
    told = render_prompt(_REPAIR, faults=reasons[:_MAX_FAULTS])
    said = Message("assistant", (Text(reply.text.strip() or "(nothing)"),))
    return replace(first, messages=(*first.messages, said, Message("user", (Text(told),))))


def _as_facts(sample: Sample, answer: Answer) -> str:
    """Return facts from which the solver has `answer`: how a baseline answers in the form asked for."""
    relation = next((name for name, each in stories.relations(sample).items() if each == answer), "overlap")
    return f"{Fact(relation, 'a', 'b')}\n{Query('a', 'b')}"
