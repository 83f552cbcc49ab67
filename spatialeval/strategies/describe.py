"""describe-then-answer: a description in words, then the question with the description before it.

The fair control of `scene-graph`: as many calls, pictures in both, the same words around the second question, room to
think and a tagged answer, but no graph. The words of the description are ours. With `question=false` the first call
shows the pictures alone, as Describe-CoT of Yvonne511/spatial-vlm-investigator:CoT/
kluster_ai_clevr_batch_CoT_two_prompts.py @ a4f863d does, whose words name the materials of CLEVR's objects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import preceded, prompt, roomy, sources, worded
from spatialeval.templates import render_prompt

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol


@STRATEGIES.register("describe-then-answer")
@dataclass(frozen=True)
class DescribeThenAnswer(Strategy):
    """Two calls, pictures in both.

    Attributes:
        question: whether the first call shows the question with its options, as that of `scene-graph` does.
        max_tokens: the token cap of each call.
    """

    question: bool = True
    max_tokens: int = 1024
    name: ClassVar[str] = "describe-then-answer"

    @property
    def keeps_names(self) -> bool:
        """Nothing of its own names an option."""
        return True

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers."""
        return "strict"

    @property
    def calls(self) -> int:
        """Description and answer."""
        return 2

    def refuses(self, sample: Sample) -> str | None:
        """Refuse what shows nothing that could be described, where the description does not see the question."""
        return None if self.question or sample.media else "has no picture to describe: leave question=false out"

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask for the description, then for the answer."""
        settings = roomy(protocol, self)
        description = await ask(self._first(sample, protocol))
        instruction = render_prompt("cot.j2", answer=sample.answer)
        request = protocol.request(sample, instruction=instruction, settings=settings)
        return await ask(preceded(request, prompt("describe-handover.j2", description=description.text.strip())))

    def _first(self, sample: Sample, protocol: TaskProtocol) -> Request:
        settings = roomy(protocol, self)
        request = protocol.request(sample, instruction=prompt("describe-question.txt"), settings=settings)
        if self.question:
            return request
        last = replace(request.messages[-1], parts=worded(protocol, sample, prompt("describe-alone.txt")))
        return replace(request, messages=(*request.messages[:-1], last))

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        first = "describe-question.txt" if self.question else "describe-alone.txt"
        answer = render_prompt("cot.j2", answer="choice")
        return {**super().identity(), "texts": {**sources(first, "describe-handover.j2"), "answer": answer}}
