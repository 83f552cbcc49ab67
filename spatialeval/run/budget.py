"""What runs may spend, in USD and in tokens: nothing is sent that may not be paid for, and what was answered is kept.

What a request will use is guessed before it is sent and counted after its reply. The guesses of everything in flight
are held back from the budget, so that it is not overspent; where they are all that is left of it, the next request
waits until one of them is known. A run ends when nothing is in flight and the next request does not fit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spatialeval.models.prices import dollars
from spatialeval.run.plan import rough_tokens
from spatialeval.run.stopping import Halt, RunInterrupted

if TYPE_CHECKING:
    from pathlib import Path

    from spatialeval.messages import Request, Response
    from spatialeval.models.base import Model
    from spatialeval.models.prices import Price
    from spatialeval.run.stopping import Stop

_LETTERS_PER_TOKEN = 4


class BudgetSpentError(RunInterrupted):
    """The run ended because its budget is spent; everything answered is kept."""

    exit_code = 3
    status = "stopped: budget spent"


@dataclass(frozen=True, slots=True)
class Guess:
    """What a request will use. `rough` and `cap` are what the guess began with: its text and its token cap."""

    rough: float
    cap: float
    prompt: float
    completion: float

    @property
    def tokens(self) -> float:
        """Of prompt and answer."""
        return self.prompt + self.completion


@dataclass
class Guesser:
    """Guesses what requests use from their text and cap; learns from what requests like them used."""

    _told: tuple[float, float] = (0.0, 0.0)
    _guessed: tuple[float, float] = (0.0, 0.0)

    @property
    def taught(self) -> bool:
        """Whether there was an answer to learn from."""
        return self._guessed != (0.0, 0.0)

    def guess(self, request: Request) -> Guess:
        """Return what `request` will use; before there is an answer, the most it may."""
        rough, cap = float(rough_tokens(request)), float(request.settings.max_tokens)
        prompt, completion = (
            value * (told / guessed if guessed else 1.0)
            for value, told, guessed in zip((rough, cap), self._told, self._guessed, strict=True)
        )
        return Guess(rough, cap, prompt, min(cap, completion))

    def learn(self, guess: Guess, response: Response) -> tuple[float, float, float]:
        """Return the tokens that an answer used (prompt, completion, cached), as told or as guessed."""
        usage = response.usage
        prompt = guess.prompt if usage.prompt_tokens is None else float(usage.prompt_tokens)
        said = answer_tokens(response.text, response.thoughts)
        completion = said if usage.completion_tokens is None else float(usage.completion_tokens)
        self._told = self._told[0] + prompt, self._told[1] + completion
        self._guessed = self._guessed[0] + guess.rough, self._guessed[1] + guess.cap
        return prompt, completion, float(usage.cached_tokens or 0)


def answer_tokens(text: str, thoughts: str | None) -> float:
    """Return a rough number of tokens of an answer, for servers that tell none."""
    return (len(text) + len(thoughts or "")) / _LETTERS_PER_TOKEN


@dataclass
class Budget:
    """What all runs of one command may spend together; earlier sessions of each of them count.

    Attributes:
        max_cost: USD.
        max_tokens: of prompts and answers.
        cost: USD spent.
        tokens: used.
    """

    max_cost: float | None = None
    max_tokens: int | None = None
    cost: float = 0.0
    tokens: float = 0.0
    spent: bool = False
    """Whether a request did not fit any more."""
    _runs: set[Path] = field(default_factory=set)
    _held: tuple[int, float, float] = (0, 0.0, 0.0)
    """Requests in flight, their tokens and USD."""
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __str__(self) -> str:
        """Return what was spent of what."""
        pieces = []
        if self.max_cost is not None:
            pieces.append(f"{dollars(self.cost)} of --max-cost {dollars(self.max_cost)}")
        if self.max_tokens is not None:
            pieces.append(f"{self.tokens:,.0f} of --max-total-tokens {self.max_tokens:,}")
        return " and ".join(pieces)

    def begin(self, folder: Path, tokens: float, cost: float) -> None:
        """Take in what earlier sessions of the run in `folder` spent; a run that begins again is counted already."""
        if folder not in self._runs:
            self._runs.add(folder)
            self.count(tokens, cost)

    def count(self, tokens: float, cost: float) -> None:
        """Take in what was spent."""
        self.tokens, self.cost = self.tokens + tokens, self.cost + cost

    async def hold(self, tokens: float, cost: float, stop: Stop) -> None:
        """Set so much aside for a request; stop the run and raise Halt when there is not so much."""
        while not self._fits(tokens, cost):
            if not self._held[0]:
                self.spent = True
                stop.set(f"the budget is spent: {self}")
                raise Halt
            await self.change(stop)
        self._hold(1, tokens, cost)

    async def change(self, stop: Stop) -> None:
        """Wait until something set aside was given back; raise Halt when the run is stopping by then."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting
        if stop.stopping:
            raise Halt

    def free(self, tokens: float, cost: float) -> None:
        """Give back what was set aside."""
        self._hold(-1, -tokens, -cost)
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def _fits(self, tokens: float, cost: float) -> bool:
        _, held_tokens, held_cost = self._held
        if self.max_tokens is not None and self.tokens + held_tokens + tokens > self.max_tokens:
            return False
        return self.max_cost is None or self.cost + held_cost + cost <= self.max_cost + 1e-9

    def _hold(self, requests: int, tokens: float, cost: float) -> None:
        held = self._held[0] + requests
        self._held = (held, self._held[1] + tokens, self._held[2] + cost) if held else (0, 0.0, 0.0)


@dataclass
class Account:
    """What the requests to one model are guessed to use, and what they are paid from.

    Attributes:
        price: of its tokens; nothing costs where it is None.
        budget: None where nothing is limited.
        collects: whether the model waits for more requests before it answers any.
    """

    price: Price | None = None
    budget: Budget | None = None
    collects: bool = False
    guesser: Guesser = field(default_factory=Guesser)
    _in_flight: int = 0

    @classmethod
    def of(cls, model: Model, budget: Budget | None) -> Account | None:
        """Return the account of a model, None where nobody asks for one."""
        if budget is None and not model.tpm:
            return None
        return cls(model.quote.price if model.quote else None, budget, model.collects)

    async def hold(self, request: Request, stop: Stop) -> Guess:
        """Return what a request will use, once it may be paid for.

        Raises Halt when it may not, and the run is therefore stopping.
        """
        if self.budget is None:
            return self.guesser.guess(request)
        # A first guess may be a hundredth of the truth (pictures, other alphabets), and by it all requests would fit at
        # once: one goes ahead and teaches what the others take. Not where a batch waits for the others.
        while self._in_flight and not self.guesser.taught and not self.collects:
            await self.budget.change(stop)
        guess = self.guesser.guess(request)
        self._in_flight += 1
        try:
            await self.budget.hold(guess.tokens, self._cost(guess.prompt, guess.completion), stop)
        except BaseException:
            self._in_flight -= 1
            self.budget.wake()
            raise
        return guess

    def settle(self, guess: Guess, response: Response | None) -> float:
        """Take in how a request ended, and return the tokens that it used; without a response none are known of.

        What a provider charges for a request that it did not answer is told by nobody, and not counted.
        """
        tokens = 0.0
        if response is not None:
            prompt, completion, cached = self.guesser.learn(guess, response)
            tokens = prompt + completion
            if self.budget:
                self.budget.count(tokens, self._cost(prompt, completion, cached))
        if self.budget:
            self._in_flight -= 1
            self.budget.free(guess.tokens, self._cost(guess.prompt, guess.completion))
        return tokens

    def _cost(self, prompt: float, completion: float, cached: float = 0.0) -> float:
        return self.price.cost(prompt, completion, cached) if self.price else 0.0
