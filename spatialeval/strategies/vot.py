"""vot: Visualization-of-Thought, one call that ends in "Visualize the state after each reasoning step.".

The sentence is byte for byte that of microsoft/visualization-of-thought:src/visual-tiling/prompts/0-shot-vot @ 9786f13,
where it closes the prompt and nothing fixes the answer's form. The sentence before it, which asks for a tagged answer,
is ours: the authors read answers with patterns for each model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import prompt, roomy, sources

if TYPE_CHECKING:
    from spatialeval.messages import Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol


@STRATEGIES.register("vot")
@dataclass(frozen=True)
class VisualizationOfThought(Strategy):
    """Have the model write down the state of the scene after every step.

    Attributes:
        max_tokens: the token cap, as in `cot`.
    """

    max_tokens: int = 1024
    name: ClassVar[str] = "vot"

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
        return await ask(protocol.request(sample, instruction=prompt("vot.txt"), settings=settings))

    def identity(self) -> dict[str, Any]:
        """Return name, cap and words."""
        return {**super().identity(), "texts": sources("vot.txt")}
