"""scene-graph: SceneGraph CoT. The model writes a scene graph in JSON, then answers with pictures and graph in view.

Texts, order and rules of Yvonne511/spatial-vlm-investigator @ a4f863dc9e891ac1adabc586f6b81c355ece2af8:
CoT/CV_Bench_Kluster_Batch_Scene_graph.py (variant `code`, which made the published figures) and paper.pdf, section
III-C (variant `paper`, whose words differ; how its texts are joined is the code's).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.errors import UsageError
from spatialeval.messages import Text
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.graphs import graph_faults, graph_in
from spatialeval.strategies.turns import (
    continued,
    instructed,
    preceded,
    prompt,
    question_listed,
    reworded,
    roomy,
    sources,
)

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response, Settings
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_CHOICES: dict[str, tuple[str, ...]] = {
    "variant": ("code", "paper"),
    "wording": ("protocol", "published"),
    "fallback": ("raw", "empty"),
}
_ASKED = {
    "code": "\nUse the image and scene graph as context and answer the following question:\n",
    "paper": "Use the image and scene graph as context and answer the following question.",
}
_LETTER = "\n\nAnswer with the option's letter from the given choices directly."


@STRATEGIES.register("scene-graph")
@dataclass(frozen=True)
class SceneGraph(Strategy):
    """Two calls, pictures and question with its options in both; the answer is read from its tag by strict readers.

    The published words ask for the letter of an option. Where a sample has none, the protocol's own instruction says
    what to answer, and the sentence on letters is left out.

    Attributes:
        variant: the words of the authors' "code" or of their "paper".
        wording: of the question: the "protocol"'s with its pictures where it puts them, or "published": question and
            "(A) x (B) y" in one line, pictures behind the text, as the code sends them.
        fallback: what stands for a graph that cannot be found: the "raw" reply (the paper) or "empty", "{}" (the code).
        check: ask for a graph of a stated form, and once more where it does not have it. Ours.
        graph_max_tokens: the cap of the graph, the published one.
        max_tokens: the cap of the answer, the published one.
    """

    variant: str = "code"
    wording: str = "protocol"
    fallback: str = "raw"
    check: bool = False
    graph_max_tokens: int = 4000
    max_tokens: int = 4000
    name: ClassVar[str] = "scene-graph"

    def __post_init__(self) -> None:
        """Refuse unknown variants."""
        for option, known in _CHOICES.items():
            if (value := getattr(self, option)) not in known:
                raise UsageError(f"strategy 'scene-graph': {option} is one of {', '.join(known)}, not {value!r}.")

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers: the answer stands in a tag behind a thought."""
        return "strict"

    @property
    def calls(self) -> int:
        """Graph and answer, and a second graph where the first is checked."""
        return 3 if self.check else 2

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask for the graph, once more if it must be, then for the answer."""
        request = self._graph_request(sample, protocol)
        reply = (await ask(request)).text
        graph = self._graph(reply)
        if self.check and (faults := graph_faults(graph)):
            again = continued(request, reply, Text(prompt("scene-graph-again.j2", faults=faults)))
            reply = (await ask(again)).text
            graph = self._graph(reply)
        shown = graph if graph is not None else reply if self.fallback == "raw" else "{}"
        response = await ask(self._answer_request(sample, protocol, shown))
        work = {"graph": None if graph is None else json.loads(graph)}
        return replace(response, work={**work, "faults": graph_faults(graph)} if self.check else work)

    def _graph(self, reply: str) -> str | None:
        return graph_in(reply, code_tag=self.variant == "paper")

    def _graph_request(self, sample: Sample, protocol: TaskProtocol) -> Request:
        asked = "\n\n" + prompt(f"scene-graph-{self.variant}.txt")
        if self.check:
            asked += prompt("scene-graph-form.txt")
        settings = roomy(protocol, self, "graph_max_tokens")
        request = self._request(sample, protocol, asked, settings)
        return instructed(request, prompt(f"scene-graph-{self.variant}-system.txt"), alone=True)

    def _answer_request(self, sample: Sample, protocol: TaskProtocol, graph: str) -> Request:
        settings = roomy(protocol, self)
        request = self._request(sample, protocol, _LETTER if sample.answer == "choice" else None, settings)
        request = preceded(request, f"Scene Graph: {graph}\n\n{_ASKED[self.variant]}\n")
        letters = _letters(sample)
        system = prompt(f"scene-graph-{self.variant}-answer-system.j2", letters=letters)
        return replace(instructed(request, system, alone=self.wording == "published"), form=None)

    def _request(self, sample: Sample, protocol: TaskProtocol, instruction: str | None, settings: Settings) -> Request:
        request = protocol.request(sample, instruction=instruction, settings=settings)
        if self.wording == "protocol" or instruction is None:
            return request
        text = question_listed(sample, "({letter}) {text}", " ") + instruction
        return reworded(request, (Text(text), *protocol.pictures(sample)))

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        ends = [".txt", "-system.txt", "-answer-system.j2"]
        names = [f"scene-graph-{self.variant}{end}" for end in ends]
        names += ["scene-graph-form.txt", "scene-graph-again.j2"] if self.check else []
        return {**super().identity(), "texts": {**sources(*names), "asked": _ASKED[self.variant], "letter": _LETTER}}


def _letters(sample: Sample) -> str:
    """Return the letters as the published sentence lists them: A to D even where there are fewer options."""
    if sample.answer != "choice":
        return ""
    letters = max(sample.letters, tuple("ABCD"), key=len)
    return f"{', '.join(letters[:-1])}, or {letters[-1]}"
