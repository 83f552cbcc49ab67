"""cognitive-map: the model first draws the scene on a 10x10 grid, in words, then answers.

Variant `vsi`, two calls: vision-x-nyu/thinking-in-space @ 9d2ab309f875018a6898ad847d70e255bb184e79 (branch cogmap),
lmms_eval/models/gemini_api.py and lmms_eval/tasks/vsibench/vsibench.yaml: one dialogue in which the question follows
the map. The `mindcube_*` variants, one call: mll-lab-nu/MindCube @ 6d8fd9acdf5b80769373a21cdbfcf068ab356e0f,
src/scaffold_curation/cogmap/generators.py (the rules) and src/prompt_generation/templates.py (the contracts).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.errors import UsageError
from spatialeval.messages import Text
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.maps import map_text, objects_asked, read_map
from spatialeval.strategies.turns import (
    continued,
    preceded,
    prompt,
    question_alone,
    question_listed,
    reworded,
    roomy,
    sources,
    worded,
)

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response
    from spatialeval.samples import Sample
    from spatialeval.strategies.maps import Places
    from spatialeval.tasks import TaskProtocol

_VARIANTS = ("vsi", "mindcube_plain", "mindcube_augmented", "mindcube_plain_reasoning", "mindcube_augmented_reasoning")
_HANDOVERS = ("dialogue", "map")
_LEAD_IN = (
    "According to the original {shown} and the predicted objects' center locations, answer the following question:\n"
)
_REPLACED = "These are frames of a video.\n"
"""What stands before VSI-Bench's question otherwise; the authors put the lead-in in its place."""


@STRATEGIES.register("cognitive-map")
@dataclass(frozen=True)
class CognitiveMap(Strategy):
    """A map of the objects in question, then the answer.

    The published maps are about named objects: those of VSI-Bench's questions on relative direction and distance, or
    a sample's `meta.objects`. For other questions the rule says, in words of ours, to care about the objects named in
    the question; pictures other than videos are called pictures.

    Attributes:
        variant: "vsi" (two calls, the protocol's own instruction and readers), "mindcube_plain" (names to positions),
            "mindcube_augmented" (objects and views), either with "_reasoning" (a thought between map and answer).
        handover: how the second call of "vsi" gets the map: in the same "dialogue", as the code does, or as the
            "map" that was read from the reply, alone, before the question. Where none could be read, the reply itself.
        map_max_tokens: the cap of the map's call; 8192 in the code of "vsi".
        max_tokens: the cap of the answer.
    """

    variant: str = "vsi"
    handover: str = "dialogue"
    map_max_tokens: int = 1024
    max_tokens: int = 1024
    name: ClassVar[str] = "cognitive-map"

    def __post_init__(self) -> None:
        """Refuse unknown variants."""
        for option, known in {"variant": _VARIANTS, "handover": _HANDOVERS}.items():
            if (value := getattr(self, option)) not in known:
                raise UsageError(f"strategy 'cognitive-map': {option} is one of {', '.join(known)}, not {value!r}.")

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """Those of the protocol where its instruction is used, the strict ones where the answer stands in a tag."""
        return "protocol" if self.variant == "vsi" else "strict"

    @property
    def calls(self) -> int:
        """Map and answer, or both at once."""
        return 2 if self.variant == "vsi" else 1

    def refuses(self, sample: Sample) -> str | None:
        """Refuse what shows no scene, and for MindCube's contracts what has no options."""
        if not sample.media:
            return "it maps a scene that is shown, and there is no picture"
        if self.variant != "vsi" and sample.answer != "choice":
            return f"MindCube's contracts ask for an option, and the answer is of type {sample.answer}"
        return None

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask for the map, then for the answer, or for both."""
        if self.variant != "vsi":
            response = await ask(self._at_once(sample, protocol))
            return replace(response, work={"map": read_map(response.text)})
        first = self._map_request(sample, protocol)
        reply = (await ask(first)).text
        places = read_map(reply)
        response = await ask(self._answer_request(first, reply, places, sample, protocol))
        return replace(response, work={"map": places})

    def _answer_request(
        self, first: Request, reply: str, places: Places | None, sample: Sample, protocol: TaskProtocol
    ) -> Request:
        settings = roomy(protocol, self, stop=protocol.settings.stop)
        request = protocol.request(sample, settings=settings)
        lead_in = _LEAD_IN.format(shown=_shown(sample))
        if self.handover == "map":
            written = reply if places is None else map_text(places)
            return preceded(request, prompt("cognitive-map-handover.j2", map=written) + lead_in)
        asked = lead_in + request.messages[-1].text.removeprefix(_REPLACED)
        following = continued(first, reply, Text(asked))
        return replace(request, messages=following.messages)

    def _map_request(self, sample: Sample, protocol: TaskProtocol) -> Request:
        settings = roomy(protocol, self, "map_max_tokens")
        request = protocol.request(sample, instruction="", settings=settings)
        objects = objects_asked(sample)
        text = prompt(
            "cognitive-map-vsi.j2",
            categories=str(objects) if objects else "",
            shown=_shown(sample),
            question=question_alone(sample),
        )
        return reworded(request, worded(protocol, sample, text))

    def _at_once(self, sample: Sample, protocol: TaskProtocol) -> Request:
        settings = roomy(protocol, self, "map_max_tokens", "max_tokens")
        request = protocol.request(sample, instruction="", settings=settings)
        objects, oriented = objects_asked(sample), sample.meta.get("oriented_objects")
        text = prompt(
            self._template,
            categories=f"{{{', '.join(objects)}}}" if objects else "",
            birdview="" if sample.category == "translation" else " in the bird's view",
            orientation=_orientation(oriented) if isinstance(oriented, list | tuple) and oriented else "",
            question=question_listed(sample, "{letter}. {text}", " "),
        )
        return reworded(request, worded(protocol, sample, text))

    @property
    def _template(self) -> str:
        return f"cognitive-map-{self.variant.replace('_', '-')}.j2"

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        names = [self._template, *(["cognitive-map-handover.j2"] if self.handover == "map" else [])]
        return {**super().identity(), "texts": {**sources(*names), "lead_in": _LEAD_IN}}


def _shown(sample: Sample) -> str:
    kinds = [media.kind for media in sample.media]
    if not kinds or "video" in kinds:
        return "video"
    return "image" if len(kinds) == 1 else "images"


def _orientation(names: list[str] | tuple[str, ...]) -> str:
    """Return the rule on facing directions, names set apart by spaces as in the source."""
    return (
        f"4. For objects [{' '.join(names)}], determine their facing direction as up, right, down, or left. For other "
        "objects, omit the facing direction."
    )
