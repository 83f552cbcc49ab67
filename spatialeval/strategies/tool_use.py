"""tools: several turns in which the model may cut out, draw, turn, ask for frames or look around before it answers.

The loop is the one that visual-tool papers share (AntResearchNLP/ViLaSR @ 61669c02dbfadff57375c78fb3f7454ea81bb47a,
eval/infer.py: at most so many calls, the last turn without tools); format and words of the default are ours. Unlike
there, a tool's error is told to the model, which may try again.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.errors import SpatialEvalError, UsageError
from spatialeval.messages import Image, Text
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.tool_formats import STOP, Turn, tool_call
from spatialeval.strategies.turns import continued, prompt, roomy, sources
from spatialeval.tools import TOOLS, Result, Stage, Tool, ToolError

if TYPE_CHECKING:
    from spatialeval.media import Media
    from spatialeval.messages import Part, Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol
    from spatialeval.tools.base import Coordinates

_PLACES: dict[Coordinates, str] = {
    "thousandths": "each from 0 to 1000, whatever its size",
    "pixels": "in pixels of that picture",
    "shares": "each from 0 to 1, whatever its size",
}
_ALWAYS = ("zoom", "draw_box", "draw_line", "rotate")
_EXAMPLES = {"thousandths": [120, 300, 480, 700], "pixels": [120, 300, 480, 700], "shares": [0.12, 0.3, 0.48, 0.7]}


@STRATEGIES.register("tools")
@dataclass(frozen=True)
class ToolUse(Strategy):
    """A dialogue of at most `max_calls` calls of the model; the last one cannot call a tool.

    A reply without a call is the answer. A call in the last turn answers nothing.

    Attributes:
        use: names of the tools, such as [zoom, look]; none named means zoom, draw_box, draw_line, rotate, and frames
            where the sample has a video.
        max_calls: most calls of the model.
        max_pictures: most pictures that tools may add.
        max_pixels: most pixels of each.
        seconds: most time for one tool.
        coordinates: "thousandths", "pixels" or "shares".
        stop: end a reply where a call ends; turn it off for servers that refuse stop strings.
        max_tokens: the token cap of each call.
    """

    use: tuple[str, ...] = ()
    max_calls: int = 6
    max_pictures: int = 16
    max_pixels: int = 1_000_000
    seconds: float = 30.0
    coordinates: Coordinates = "thousandths"
    stop: bool = True
    max_tokens: int = 1024
    name: ClassVar[str] = "tools"

    def __post_init__(self) -> None:
        """Refuse what cannot work, before anything is asked."""
        named: object = self.use
        object.__setattr__(self, "use", (named,) if isinstance(named, str) else tuple(self.use))  # as specs give it
        for name in self.use:
            TOOLS.get(name)
        if self.coordinates not in _PLACES:
            raise UsageError(f"strategy 'tools': coordinates are {', '.join(_PLACES)}, not {self.coordinates!r}.")
        if self.max_calls < 2 or self.max_pictures < 1 or self.max_pixels < 1 or self.seconds <= 0:
            raise UsageError(
                "strategy 'tools': max_calls must be 2 or more, max_pictures, max_pixels and seconds positive."
            )

    @property
    def reader(self) -> Literal["protocol", "strict"]:
        """The strict readers: the answer stands in a tag behind a thought."""
        return "strict"

    @property
    def calls(self) -> int:
        """Most calls."""
        return self.max_calls

    def prompt_tokens(self, first: int, cap: int, picture: int) -> int:
        """With every picture that may be added, in every later call."""
        return super().prompt_tokens(first, cap, picture) + (self.calls - 1) * self.max_pictures * picture

    def refuses(self, sample: Sample) -> str | None:
        """Refuse what shows nothing."""
        return None if sample.media else "its tools work on pictures, and there is none"

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask, and carry out calls, until there is an answer."""
        tools = self._tools(sample)
        request = self._opening(sample, protocol, tools)
        shown = tuple(image.media for message in request.messages for image in message.images)
        stage = Stage(sample, shown, self.coordinates, self.max_pixels)
        steps: list[dict[str, Any]] = []
        for left in range(self.max_calls - 2, -1, -1):
            response = await ask(request)
            turn = tool_call(response.text)
            if turn is None or response.finish == "length":
                return replace(response, work={"tools": steps})
            parts, given = await self._carried_out(turn, stage, tools, len(stage.pictures) - len(shown), left)
            told = parts[-1].text if isinstance(parts[-1], Text) else ""
            steps.append({"name": turn.name, "arguments": turn.arguments, "told": told, "pictures": len(given)})
            stage = replace(stage, pictures=(*stage.pictures, *given))
            request = continued(request, turn.said, *parts)
            if not left:
                request = replace(request, settings=replace(request.settings, stop=()))
        response = await ask(request)
        text = response.text if tool_call(response.text) is None else ""
        return replace(response, text=text, work={"tools": steps})

    def _tools(self, sample: Sample) -> dict[str, Tool]:
        filmed = any(media.kind == "video" for media in sample.media)
        names = self.use or (*_ALWAYS, *(["frames"] if filmed else []))
        return {name: TOOLS.get(name) for name in names}

    def _opening(self, sample: Sample, protocol: TaskProtocol, tools: dict[str, Tool]) -> Request:
        instruction = prompt(
            "tools.j2",
            most=self.max_calls - 1,
            places=_PLACES[self.coordinates],
            tools=list(tools.values()),
            example=json.dumps(self._example(tools)),
        )
        settings = roomy(protocol, self, stop=(STOP,) if self.stop else ())
        return protocol.request(sample, instruction=instruction, settings=settings)

    def _example(self, tools: dict[str, Tool]) -> dict[str, Any]:
        """Return a call of the first tool, of the arguments that it needs."""
        first = next(iter(tools.values()))
        places = _EXAMPLES[self.coordinates]
        values = {"picture": 1, "box": places, "points": places, "degrees": 90, "at": [0.25, 0.5], "yaw": 45}
        needed = [name for name in first.takes if name not in first.optional]
        return {"name": first.name, **{name: values[name] for name in needed if name in values}}

    async def _carried_out(
        self, turn: Turn, stage: Stage, tools: dict[str, Tool], added: int, left: int
    ) -> tuple[list[Part], tuple[Media, ...]]:
        """Return what the model is told and shown of a call, and the pictures that it gave."""
        try:
            result = await self._result(turn, stage, tools, self.max_pictures - added)
        except ToolError as error:
            return [Text(prompt("tools-result.j2", error=str(error), text="", left=left))], ()
        images = [Image(media) for media in result.pictures]
        return [*images, Text(prompt("tools-result.j2", error="", text=result.text, left=left))], result.pictures

    async def _result(self, turn: Turn, stage: Stage, tools: dict[str, Tool], room: int) -> Result:
        if turn.fault:
            raise ToolError(turn.fault)
        if turn.name not in tools:
            raise ToolError(f"there is no tool {json.dumps(turn.name[:40])}; there are {', '.join(tools)}.")
        work = asyncio.to_thread(tools[turn.name], stage, turn.arguments or {})
        try:
            result = await asyncio.wait_for(work, self.seconds)
        except (ToolError, SpatialEvalError):
            raise
        except TimeoutError:
            raise ToolError(f"{turn.name} took longer than {self.seconds:g} seconds.") from None
        except Exception as error:  # a fault of one tool on one picture must not end the run
            raise ToolError(f"{turn.name} broke ({type(error).__name__}).") from error
        if len(result.pictures) > room:
            raise ToolError(f"no more than {self.max_pictures} pictures can be added.")
        return result

    def identity(self) -> dict[str, Any]:
        """Return name, options, words and what the tools say of themselves."""
        named = self.use or (*_ALWAYS, "frames")
        tools = [TOOLS.get(name) for name in named]
        told = {tool.name: [tool.does, {key: each.says for key, each in tool.takes.items()}] for tool in tools}
        texts = {**sources("tools.j2", "tools-result.j2"), "places": _PLACES[self.coordinates], "tools": told}
        options = {key: value for key, value in super().identity().items() if key != "use" or value}
        return {**options, "texts": texts}
