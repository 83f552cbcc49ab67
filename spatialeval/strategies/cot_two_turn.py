"""cot-2turn: zero-shot chain of thought, then one more turn of the same dialogue that asks for the final answer.

The form that VSI-Bench used (arXiv 2412.14171, appendix B.3): "Let's think step by step." is appended to the question,
greedy decoding; then "an additional turn of dialogue" extracts the answer, and only that turn is scored. The wording of
the second turn is not published. Ours repeats the protocol's own instruction, so its own readers read the reply.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from spatialeval.messages import Text
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import continued, prompt, roomy, sources

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_TEXTS = ("cot-2turn-thought.txt", "cot-2turn-answer.j2")


@STRATEGIES.register("cot-2turn")
@dataclass(frozen=True)
class TwoTurnChainOfThought(Strategy):
    """Think first; then answer in the protocol's form, under the protocol's own token cap.

    Attributes:
        max_tokens: the token cap of the thought, as in `cot`.
    """

    max_tokens: int = 1024
    name: ClassVar[str] = "cot-2turn"

    @property
    def keeps_names(self) -> bool:
        """Nothing of its own names an option."""
        return True

    @property
    def calls(self) -> int:
        """Thought and answer."""
        return 2

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask for the thought, then for the answer; an empty thought ends it, for a dialogue cannot go on from it."""
        settings = roomy(protocol, self)
        request = protocol.request(sample, instruction=prompt(_TEXTS[0]), settings=settings)
        thought = await ask(request)
        if not thought.text.strip():
            return thought
        return await ask(self._answer(request, thought, protocol, sample))

    def _answer(self, request: Request, thought: Response, protocol: TaskProtocol, sample: Sample) -> Request:
        turn = prompt(_TEXTS[1], instruction=protocol.instruction(sample).strip())
        asked = continued(request, thought.text, Text(turn))
        return replace(asked, settings=protocol.settings, form=partial(protocol.reply_text, sample))

    def identity(self) -> dict[str, Any]:
        """Return name, cap and words."""
        return {**super().identity(), "texts": sources(*_TEXTS)}
