"""ccot: Compositional Chain-of-Thought. A scene graph in text, then the protocol's question with the graph before it.

Texts and order of chancharikmitra/CCoT @ 9ceecb7c3e9d337bf389e1c2af260b86bcc35a6b: GPT-4V/GPT4V_mmbench.py (variant
`gpt4v`) and LLaVA-1.5-13b/LLaVA_MMBench.py, LLaVA_SEED.py (variant `llava`). The graph is pasted as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from spatialeval.errors import UsageError
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import preceded, prompt, question_alone, reworded, roomy, sources, worded

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_VARIANTS = ("gpt4v", "llava")
_ANSWER = "Scene Graph: {graph}\n\nUse the image and scene graph as context and answer the following question: "


@STRATEGIES.register("ccot")
@dataclass(frozen=True)
class CompositionalChainOfThought(Strategy):
    """Two calls, pictures in both. The answer has the form that the protocol asks for, so its own readers read it.

    Attributes:
        variant: which script's words: "gpt4v" ("generate only a scene graph") or "llava" (ends in "Scene Graph:").
        graph_sees_options: whether the first call shows the options. The authors' LLaVA script for SEED-Bench does not.
        graph_max_tokens: the cap of the graph: 512 in the GPT-4V scripts, 256 in those for LLaVA.
        max_tokens: the cap of the answer: 512 in the GPT-4V scripts, 1024 in those for LLaVA.
    """

    variant: str = "gpt4v"
    graph_sees_options: bool = True
    graph_max_tokens: int = 512
    max_tokens: int = 1024
    name: ClassVar[str] = "ccot"

    def __post_init__(self) -> None:
        """Refuse an unknown variant."""
        if self.variant not in _VARIANTS:
            raise UsageError(f"strategy 'ccot' has the variants {', '.join(_VARIANTS)}, not {self.variant!r}.")

    @property
    def calls(self) -> int:
        """Graph and answer."""
        return 2

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask for the graph, then for the answer."""
        graph = (await ask(self._first(sample, protocol))).text
        if self.variant == "llava":
            graph = graph.strip()
        settings = roomy(protocol, self, stop=protocol.settings.stop)
        request = protocol.request(sample, settings=settings)
        return await ask(preceded(request, _ANSWER.format(graph=graph)))

    def _first(self, sample: Sample, protocol: TaskProtocol) -> Request:
        asked, settings = prompt(f"ccot-{self.variant}.txt"), roomy(protocol, self, "graph_max_tokens")
        request = protocol.request(sample, instruction=asked, settings=settings)
        if self.graph_sees_options:
            return request
        return reworded(request, worded(protocol, sample, question_alone(sample) + asked))

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        return {**super().identity(), "texts": {**sources(f"ccot-{self.variant}.txt"), "answer": _ANSWER}}
