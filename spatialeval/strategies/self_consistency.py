"""self-consistency: several draws of one strategy at a temperature, and the answer that most of them give.

VSI-Bench (arXiv 2412.14171) takes the majority of 5 runs of its two-turn chain of thought: `of=cot-2turn`. Its appendix
B.3 gives temperature 0.7, top-p 1 and top-k 40, its section 5.2 temperature 1.0; no top-k is sent here. What it did
with numbers, no two of which need agree, is not said: here the median is the answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from spatialeval.messages import Request, Response
from spatialeval.specs import parse_spec
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.votes import answer_of, elected, heated
from spatialeval.written import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks import Task, TaskProtocol

_NO_VOTE = ("points", "boxes", "text")


@STRATEGIES.register("self-consistency")
@dataclass(frozen=True)
class SelfConsistency(Strategy):
    """Ask k times and vote. Draws that cannot be read have no vote; of a tie, the answer drawn first wins.

    Where nothing can be read, the first reply stands as it is: unparsed or truncated, never an answer. Draws of one
    call each are also told without the vote, as Pass@1 and Pass@k.

    Attributes:
        k: how many draws.
        of: the strategy drawn, such as `cot`, `cot-2turn` or `cot(max_tokens=512)`.
        temperature: of every call; each draw has a seed of its own.
    """

    k: int = 5
    of: str = "cot"
    temperature: float = 0.7
    name: ClassVar[str] = "self-consistency"
    inner: Strategy = field(init=False, repr=False, compare=False)
    strict: bool = field(init=False, default=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the strategy drawn; refuse numbers that give no vote."""
        if self.k < 2:
            raise ValueError("k is at least 2")
        if self.temperature <= 0:
            raise ValueError("temperature is above 0, or all draws are the same")
        name, options = parse_spec(self.of)
        if name == self.name:
            raise ValueError("of names another strategy")
        object.__setattr__(self, "inner", STRATEGIES.get(name)(**options))

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """Those of the strategy drawn."""
        return "strict" if self.strict else self.inner.reader

    @property
    def keeps_names(self) -> bool:
        """That of the strategy drawn."""
        return self.inner.keeps_names

    @property
    def calls(self) -> int:
        """Those of the strategy drawn, k times."""
        return self.k * self.inner.calls

    def prompt_tokens(self, first: int, cap: int, picture: int) -> int:
        """Those of the strategy drawn, k times: no draw holds another."""
        return self.k * self.inner.prompt_tokens(first, cap, picture)

    def bound(self, task: Task, samples: Sequence[Sample]) -> Self:
        """Bind the strategy drawn."""
        copy = replace(self)
        object.__setattr__(copy, "inner", self.inner.bound(task, samples))
        return copy

    def strictly(self) -> Self:
        """Read the votes strictly, too."""
        copy = replace(self)
        object.__setattr__(copy, "inner", self.inner.strictly())
        object.__setattr__(copy, "strict", True)
        return copy

    def refuses(self, sample: Sample) -> str | None:
        """Refuse answers of which no two draws are the same."""
        if sample.answer in _NO_VOTE:
            return f"asks for {sample.answer}, of which no two replies agree, so that there is no vote"
        return self.inner.refuses(sample)

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Draw, read, vote."""
        asks = [self._hotter(ask, sample, draw) for draw in range(self.k)]
        if self.inner.calls == 1:
            replies = await asyncio.gather(*(self.inner.run(sample, protocol, one) for one in asks))
        else:  # calls are numbered in the order they are made, which must not depend on which reply comes first
            replies = [await self.inner.run(sample, protocol, one) for one in asks]
        grader = protocol.strict_grader if self.reader == "strict" else protocol.grader
        read = [answer_of(reply, sample, grader) for reply in replies]
        votes = [answer for answer in read if answer is not None]
        winner = elected(votes) if votes else None
        work: dict[str, Any] = {"votes": read, "elected": winner}
        if any(reply.work is not None for reply in replies):
            work["draws"] = [reply.work for reply in replies]
        if winner is None:
            return replace(replies[0], work=work)
        said = next((reply for reply, answer in zip(replies, read, strict=True) if answer == winner), None)
        return replace(said or Response(self._said(winner, sample, protocol)), work=work)

    def _hotter(self, ask: Ask, sample: Sample, draw: int) -> Ask:
        async def asked(request: Request) -> Response:
            return await ask(heated(request, self.temperature, sample.id, draw))

        return asked

    def _said(self, answer: Answer, sample: Sample, protocol: TaskProtocol) -> str:
        """Return an answer that no single reply gave, the middle of two numbers, as the reader in force reads it."""
        if self.reader == "strict":
            return f"<answer>{written(answer, sample.answer)}</answer>"
        return protocol.reply_text(sample, answer)

    def identity(self) -> dict[str, Any]:
        """Return name, options and what the strategy drawn is."""
        options = {"k": self.k, "of": self.of, "temperature": self.temperature}
        return {"name": self.name, **options, "inner": self.inner.identity()}
