"""tot: Tree-of-Thoughts in two levels, plans and answers, each chosen by votes.

The form that VSI-Bench used (arXiv 2412.14171, appendix B.3): 3 plans; in new dialogues the model votes 3 times for the
most promising one; 3 answers that follow it; 3 votes for the most confident one. Whether one call writes all plans is
not said: here each is a call of its own, as in the "Creative Writing" of Tree-of-Thoughts that it follows. The words of
a vote are that one's, princeton-nlp/tree-of-thought-llm:src/tot/prompts/text.py @ ab40034, and the replies in
VSI-Bench's figure 18 end as they ask. The words that ask for a plan and for an answer are ours; top-k 40 is not sent.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import prompt, roomy, sources
from spatialeval.strategies.votes import answer_of, draws

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from spatialeval.messages import Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_TEXTS = ("tot-plan.txt", "tot-vote.j2", "tot-answer.j2")
_BEST = re.compile(r"best choice is\D{0,20}(\d{1,3})", re.IGNORECASE)


@STRATEGIES.register("tot")
@dataclass(frozen=True)
class TreeOfThoughts(Strategy):
    """Draw plans, vote, draw answers to the winner, vote. Of a tie, and without a vote that can be read, the first.

    A vote for one of several answers that say the same is a vote for all of them.

    Attributes:
        plans: how many plans, and how many answers.
        votes: how often each choice is voted on.
        temperature: of every call; each has a seed of its own.
        max_tokens: the token cap of each call, as in `cot`.
    """

    plans: int = 3
    votes: int = 3
    temperature: float = 0.7
    max_tokens: int = 1024
    name: ClassVar[str] = "tot"

    def __post_init__(self) -> None:
        """Refuse numbers that leave nothing to choose."""
        if self.plans < 2 or self.votes < 1:
            raise ValueError("plans is at least 2, and votes at least 1")
        if self.temperature <= 0:
            raise ValueError("temperature is above 0, or all plans are the same")

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers."""
        return "strict"

    @property
    def calls(self) -> int:
        """Plans, votes, answers, votes."""
        return 2 * (self.plans + self.votes)

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Choose a plan, then an answer."""

        def request(name: str, **values: object) -> Request:
            settings = roomy(protocol, self)
            return protocol.request(sample, instruction=prompt(name, **values), settings=settings)

        async def drawn(stage: str, asked: Request, count: int) -> list[Response]:
            return await draws(ask, asked, self.temperature, count, sample.id, stage)

        plans = [reply.text.strip() for reply in await drawn("plan", request(_TEXTS[0]), self.plans)]
        votes = await drawn("plan vote", request(_TEXTS[1], choices=plans), self.votes)
        plan = plans[_winner(votes, range(self.plans))]
        answers = await drawn("answer", request(_TEXTS[2], plan=plan), self.plans)
        said = [reply.text.strip() for reply in answers]
        votes = await drawn("answer vote", request(_TEXTS[1], choices=said), self.votes)
        read = [answer_of(reply, sample, protocol.strict_grader) for reply in answers]
        alike = [place if answer is None else repr(answer) for place, answer in enumerate(read)]
        return answers[_winner(votes, alike)]

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        return {**super().identity(), "texts": sources(*_TEXTS)}


def _winner(votes: Sequence[Response], choices: Sequence[Hashable]) -> int:
    """Return the place of the first of the choices with most votes; equal choices share theirs."""
    counts = Counter(choices[place] for vote in votes if (place := _vote(vote.text, len(choices))) is not None)
    return max(range(len(choices)), key=lambda place: counts[choices[place]])


def _vote(text: str, choices: int) -> int | None:
    """Return the place, from 0, that a reply votes for: what its last "best choice is" names."""
    named = [int(number) for number in _BEST.findall(text)]
    return named[-1] - 1 if named and 1 <= named[-1] <= choices else None
