"""reference-object: SpatialPrompt. Lengths are estimated from the sizes of familiar objects in the picture.

Texts of andrewliao11/Q-Spatial-Bench-code:prompt_templates/{system_prompt,spatial_prompt_single,
spatial_prompt_steps}.txt @ ebe8137eae9781aaf7e29691ce8bc68b2a498a83, the authors' spelling included. They are about
lengths alone. The same way of thinking for any other answer is `form=protocol`, whose words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.errors import UsageError
from spatialeval.readers.q_spatial import last_braces
from spatialeval.readers.units import unit_named
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.turns import instructed, prompt, reworded, roomy, sources, worded

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_CHOICES = {"mode": ("single", "steps"), "form": ("length", "protocol")}

_OTHER = "form=protocol reasons from reference objects to other answers"


@STRATEGIES.register("reference-object")
@dataclass(frozen=True)
class ReferenceObject(Strategy):
    r"""One call, for questions whose answer is a length: the sample names its unit. For others, `form=protocol`.

    The published texts replace the protocol's. They ask for "\scalar{1.2} \distance_unit{m}"; what is said so is
    repeated as "<answer>1.2 m</answer>" behind the reply, where the strict readers find it.

    Attributes:
        mode: "single" asks for reference objects in one sentence, "steps" in four written-out steps.
        form: of the answer: a "length", as published, or what the "protocol" asks for, between tags. The latter keeps
            the protocol's question and instruction and asks, in words of ours, to go from one reference object to the
            next instead of estimating sizes: for relations, labels and options, with pictures or without.
        max_tokens: the token cap, as in `cot`.
    """

    mode: str = "single"
    form: str = "length"
    max_tokens: int = 1024
    name: ClassVar[str] = "reference-object"

    def __post_init__(self) -> None:
        """Refuse unknown options."""
        for option, known in _CHOICES.items():
            if (value := getattr(self, option)) not in known:
                raise UsageError(f"strategy 'reference-object': {option} is one of {', '.join(known)}, not {value!r}.")

    @property
    def keeps_names(self) -> bool:
        """The protocol's words name the options."""
        return self.form == "protocol"

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers, which convert units."""
        return "strict"

    def refuses(self, sample: Sample) -> str | None:
        """Refuse all but lengths in a known unit, where lengths are asked for."""
        if self.form == "protocol":
            return None
        if sample.answer != "number":
            return f"it asks for a length, and the answer is of type {sample.answer} ({_OTHER})"
        unit = sample.meta.get("unit")
        known = unit_named(unit) if isinstance(unit, str) else None
        return (
            None if known and known.kind == "length" else f"it asks for a length, and the unit is {unit!r} ({_OTHER})"
        )

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """One call."""
        if self.form == "protocol":
            return await ask(self._generic(sample, protocol))
        request = protocol.request(sample, instruction="", settings=roomy(protocol, self))
        text = prompt(f"reference-object-{self.mode}.j2", question=sample.question)
        request = reworded(request, worded(protocol, sample, text))
        response = await ask(instructed(request, prompt("reference-object-system.j2"), alone=True))
        said = last_braces(response.text.rpartition("</think>")[2])
        return replace(response, text=f"{response.text}\n<answer>{said}</answer>") if said else response

    def _generic(self, sample: Sample, protocol: TaskProtocol) -> Request:
        asked = protocol.instruction(sample).strip()
        instruction = prompt(f"reference-object-{self.mode}-protocol.j2", shown=_shown(sample), instruction=asked)
        return protocol.request(sample, instruction=instruction, settings=roomy(protocol, self))

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        if self.form == "protocol":
            return {**super().identity(), "texts": sources(f"reference-object-{self.mode}-protocol.j2")}
        texts = sources("reference-object-system.j2", f"reference-object-{self.mode}.j2")
        return {**super().identity(), "texts": texts}


def _shown(sample: Sample) -> str:
    """Return what to look at, as the words name it."""
    kinds = {media.kind for media in sample.media}
    if not kinds:
        return "text"
    return "video" if "video" in kinds else "image" if len(sample.media) == 1 else "images"
