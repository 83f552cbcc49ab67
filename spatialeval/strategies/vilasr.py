"""vilasr: reasoning by drawing, in the format that ViLaSR models are trained on.

Texts, order and rules of AntResearchNLP/ViLaSR @ 61669c02dbfadff57375c78fb3f7454ea81bb47a: eval/infer.py, utils/
edit_image.py. There pictures are made smaller before they are shown (at most 256 x 28 x 28 pixels, as Qwen's processor
does); here they are sent as they are, and their sizes are told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.media import open_image
from spatialeval.messages import Image, Text
from spatialeval.strategies.base import STRATEGIES, Ask, Strategy
from spatialeval.strategies.maps import lenient_json
from spatialeval.strategies.turns import continued, instructed, prompt, question_listed, reworded, roomy, sources
from spatialeval.tools import ToolError
from spatialeval.tools.base import numbers, whole, words
from spatialeval.tools.marks import Mark, marked, merged

if TYPE_CHECKING:
    from spatialeval.media import Media
    from spatialeval.messages import Part, Request, Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol

_SIZE = "The index of the given image is {index} (width: {width}, height: {height})."
_GO_ON = " Continue your reasoning. After each tool use, critically evaluate the visualization and adjust if needed:"
_END = (
    " Then, you can not invoke the Object Mapper or Path Tracer tool. Please answer the initial question and structure "
    "your response as required:"
)
_FRAMES = (
    "These are frames from a video, numbered from 1 to {count} in sequence. That is, the index of each image is 1, 2, "
    "3, ..., {count}.\n\nAnswer the quesntion with appropriate tools:\n"
)
_FORMS = {
    "choice": "\nAnswer with the option's letter from the given choices directly.",
    "number": "\nPlease answer the question using a single word or phrase (e.g., 42 or 3.14).",
}
_MOST_MARKS = 200
_ONE = "\nThe index of the given image is 1."


@dataclass(frozen=True)
class _Board:
    """The pictures so far with what is drawn on each."""

    pictures: tuple[Media, ...]
    marks: dict[int, tuple[Mark, ...]] = field(default_factory=dict)

    def drawn(self, reply: str) -> _Board:
        """Return the board with the marks of a reply, each marked picture as a new one; raise ToolError for none."""
        wanted: dict[int, list[Mark]] = {}
        for index, mark in _marks(reply):
            wanted.setdefault(index, []).append(mark)
        if not wanted:
            raise ToolError("the reply draws nothing")
        board = self
        for index, new in wanted.items():
            if not 1 <= index <= len(self.pictures):
                raise ToolError(f"there is no picture {index}")
            marks, place = merged(self.marks.get(index, ()), new), len(board.pictures) + 1
            picture = marked(self.pictures[index - 1], marks, f"marked-{place}.png")
            board = _Board((*board.pictures, picture), {**board.marks, place: marks})
        return board


@STRATEGIES.register("vilasr")
@dataclass(frozen=True)
class Vilasr(Strategy):
    """A dialogue in which the model draws boxes and lines in JSON and sees the pictures with them.

    A reply with neither marks that can be drawn nor an answer ends the dialogue without an answer, as published.

    Attributes:
        max_calls: most calls of the model; the last one cannot draw.
        max_pictures: once there are so many pictures, the next call is the last.
        max_tokens: the token cap of each call; 16384 in the code, which samples at temperature 0.75.
    """

    max_calls: int = 10
    max_pictures: int = 45
    max_tokens: int = 1024
    name: ClassVar[str] = "vilasr"

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
        return None if sample.media else "it draws on pictures, and there is none"

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """Ask, and draw, until there is an answer."""
        board = _Board(tuple(image.media for image in protocol.pictures(sample)))
        request = await asyncio.to_thread(self._opening, sample, protocol, board.pictures)
        last = self.max_calls == 1
        for left in range(self.max_calls - 2, -2, -1):
            response = await ask(request)
            if response.finish == "length" or _ends(response.text):
                return response
            if last:
                break
            try:
                grown = await asyncio.to_thread(board.drawn, response.text)
            except ToolError:
                break
            last = not left or len(grown.pictures) >= self.max_pictures
            parts = await asyncio.to_thread(_shown, grown.pictures, len(board.pictures), last=last)
            request, board = continued(request, response.text, *parts), grown
        return replace(response, text="")

    def _opening(self, sample: Sample, protocol: TaskProtocol, pictures: tuple[Media, ...]) -> Request:
        asked = question_listed(sample, "{letter}. {text}", "\n")
        form = _FORMS.get(sample.answer, "")
        if any(media.kind == "video" for media in sample.media):
            asked = _FRAMES.format(count=len(pictures)) + asked + form
        else:
            asked += (_ONE if len(pictures) == 1 else "\n") + form
        sizes = [open_image(media).size for media in pictures]
        parts: list[Part] = []
        for index, (media, (width, height)) in enumerate(zip(pictures, sizes, strict=True), start=1):
            parts.append(Image(media))
            if len(pictures) > 1:
                parts.append(Text(_SIZE.format(index=index, width=width, height=height) + "\n"))
        parts.append(Text(prompt("vilasr-question.j2", question=asked)))
        request = protocol.request(sample, instruction="", settings=roomy(protocol, self))
        width, height = sizes[0] if sizes else (0, 0)
        system = prompt("vilasr-system.j2", width=width, height=height)
        return instructed(reworded(request, tuple(parts)), system, alone=True)

    def identity(self) -> dict[str, Any]:
        """Return name, options and words."""
        texts = {**sources("vilasr-system.j2", "vilasr-question.j2"), "size": _SIZE, "go on": _GO_ON}
        return {**super().identity(), "texts": {**texts, "end": _END, "frames": _FRAMES, "one": _ONE, **_FORMS}}


def _ends(reply: str) -> bool:
    """Tell whether a reply answers: in a tag, or with nothing that could be meant to be drawn."""
    return ("<answer>" in reply and "</answer>" in reply) or ("```" not in reply and "Action:" not in reply)


def _shown(pictures: tuple[Media, ...], before: int, *, last: bool) -> list[Part]:
    """Return the new pictures with their numbers and sizes, and what to do next."""
    parts: list[Part] = []
    for index in range(before + 1, len(pictures) + 1):
        width, height = open_image(pictures[index - 1]).size
        told = _SIZE.format(index=index, width=width, height=height)
        told += (_END if last else _GO_ON) if index == len(pictures) else "\n"
        # One picture stands on a line of its own; of several each is followed by its words at once.
        several = len(pictures) - before > 1
        parts += [Image(pictures[index - 1]), Text(told if several else f"\n{told}")]
    return parts


def _marks(reply: str) -> list[tuple[int, Mark]]:
    """Return picture number and mark for each box and line in the JSON blocks of a reply."""
    found: list[tuple[int, Mark]] = []
    for block in reply.split("```json")[1:]:
        items = lenient_json(block.split("```")[0].strip())
        for item in items if isinstance(items, list) else []:
            try:
                found.append(_mark(item))
            except (KeyError, TypeError, ValueError) as error:
                raise ToolError("a mark is not of the form asked for") from error
    if len(found) > _MOST_MARKS:
        raise ToolError("too many marks")
    return found


def _mark(item: dict[str, Any]) -> tuple[int, Mark]:
    line = "bbox_2d" not in item
    places = [*item["start_point_2d"], *item["end_point_2d"]] if line else item["bbox_2d"]
    x1, y1, x2, y2 = numbers(4, 4)(places)
    return whole(item["index"]), Mark(words(item["label"]), (x1, y1, x2, y2), line)
