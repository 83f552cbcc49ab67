"""facts-rules: one prompt that asks for the facts, gives the rules that compose them, and asks for the answer.

The strategy is Facts+Rules of arXiv 2411.18564, whose prompts are not published; the wording is ours, its readings of
clocks and compass those of azreasoners/LLM-ASP:stepGame/prompts/location.txt (commit
b93660e03f62f4ee192e7ab8bc4c109d017acf8b).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.reasoning.relations import RELATIONS
from spatialeval.strategies import stories
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import roomy
from spatialeval.templates import render_prompt

if TYPE_CHECKING:
    from spatialeval.messages import Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_PROMPT = "strategies/facts_rules.j2"
_NAMES = "|".join(map(re.escape, RELATIONS))
_FACT = re.compile(
    rf"^[ \t]*(?:[-*•]|\d{{1,3}}[.)])?[ \t]*(\S{{1,40}}) ({_NAMES}) (\S{{1,40}}?)\.?[ \t]*$", re.MULTILINE
)
_MOST_FACTS = 200


@STRATEGIES.register("facts-rules")
@dataclass(frozen=True)
class FactsRules(Strategy):
    """Ask for facts, composition and a tagged answer in one turn; no solver.

    Attributes:
        max_tokens: the token cap, raised from the protocol's to leave room for the facts.
    """

    max_tokens: int = 1024
    name: ClassVar[str] = "facts-rules"

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers: the answer stands in a tag."""
        return "strict"

    def refuses(self, sample: Sample) -> str | None:
        """Return why a sample is no question about the nine relations."""
        return stories.why_not(sample)

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """One call."""
        settings = roomy(protocol, self)
        instruction = render_prompt(_PROMPT, labels=sample.labels, choices=sample.choices)
        response = await ask(stories.request(sample, protocol, instruction, settings))
        return replace(response, work={"facts": _facts(response.text)})

    def identity(self) -> dict[str, Any]:
        """Return name, cap and the wordings for labels and for options."""
        wordings = {"label": (tuple(RELATIONS), ()), "choice": ((), ("...",))}
        return {
            **super().identity(),
            "instruction": {
                kind: render_prompt(_PROMPT, labels=labels, choices=choices)
                for kind, (labels, choices) in wordings.items()
            },
            "story": stories.wording(),
        }


def _facts(text: str) -> list[list[str]]:
    """Return the lines "A <relation> B" of a reply; they are kept and never scored."""
    return [list(found.groups()) for found in _FACT.finditer(text)][:_MOST_FACTS]
