"""The interface of a strategy and the registry of strategies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from spatialeval.messages import Request, Response
from spatialeval.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol

Ask = Callable[[Request], Awaitable[Response]]
"""Asks the model one request. Durable: on a resumed run an already answered request is answered from the journal.
Raises ModelError when no answer is to be had; strategies let it pass."""


class Strategy(ABC):
    """How one sample is asked. Frozen dataclasses: the fields are the options, written `cot(max_tokens=512)`."""

    name: ClassVar[str]

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """Which readers read the last reply: the protocol's own, or the strict ones.

        Strict where the strategy changes the reply's form so much that the published rule would misread it.
        """
        return "protocol"

    @property
    def keeps_names(self) -> bool:
        """Whether options are named by the protocol's words alone, so that a view may show them as 1., 2."""
        return False

    @property
    def calls(self) -> int:
        """Calls per sample, at most; shown before a run."""
        return 1

    def prompt_tokens(self, first: int, cap: int, picture: int) -> int:  # noqa: ARG002 - most show no more pictures
        """Return an upper guess of the prompt tokens of all calls of a question.

        Args:
            first: those of the first call.
            cap: the most tokens of a reply; every later call may hold all replies before it.
            picture: tokens of a picture.
        """
        return self.calls * first + cap * self.calls * (self.calls - 1) // 2

    def bound(self, task: Task, samples: Sequence[Sample]) -> Self:  # noqa: ARG002 - most look at one sample only
        """Return the strategy for these samples of a task; some need more of the task (rows to draw examples from)."""
        return self

    def strictly(self) -> Self:
        """Return the strategy for a reading of all replies by the strict readers: itself, unless it reads replies.

        The same calls are made; where it votes on what they say, its votes are read strictly.
        """
        return self

    def refuses(self, sample: Sample) -> str | None:  # noqa: ARG002 - most strategies can ask anything
        """Return why the strategy cannot ask this sample, such as "asks for relations"; None where it can."""
        return None

    @abstractmethod
    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask about `sample` and return the response that holds the final answer."""

    def identity(self) -> dict[str, Any]:
        """Return what can change an answer, JSON-able: name, options and the texts it adds."""
        options: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)} if is_dataclass(self) else {}
        return {"name": self.name, **options}


STRATEGIES: Registry[Callable[..., Strategy]] = Registry("strategy", "spatialeval.strategies")
