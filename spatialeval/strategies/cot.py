"""cot: zero-shot chain of thought in one turn, the final answer in a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from spatialeval.samples import AnswerType
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import roomy
from spatialeval.templates import render_prompt

if TYPE_CHECKING:
    from spatialeval.messages import Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol


@STRATEGIES.register("cot")
@dataclass(frozen=True)
class ChainOfThought(Strategy):
    """Replace the protocol's answer instruction by one that asks for a thought and a tagged answer.

    Published readers of bare answers would misread a thought, so the strict readers read the tag.

    Attributes:
        max_tokens: the token cap, raised from the protocol's (which is often 16) to leave room to think.
    """

    max_tokens: int = 1024
    name: ClassVar[str] = "cot"

    @property
    def keeps_names(self) -> bool:
        """Nothing of its own names an option."""
        return True

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers."""
        return "strict"

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """One call."""
        settings = roomy(protocol, self)
        instruction = render_prompt("cot.j2", answer=sample.answer)
        return await ask(protocol.request(sample, instruction=instruction, settings=settings))

    def identity(self) -> dict[str, Any]:
        """Return name, cap and the wording for every answer type."""
        wordings = {kind: render_prompt("cot.j2", answer=kind) for kind in get_args(AnswerType)}
        return {**super().identity(), "name": self.name, "instruction": wordings}
