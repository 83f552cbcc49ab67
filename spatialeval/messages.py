"""What is asked of a model and what comes back, in one neutral form that every backend translates.

A Request can show itself as a JSON record in which media appear by hash: that record is what journals and results
store, and its digest says whether two requests are the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spatialeval.media import Media
    from spatialeval.samples import Answer, Sample

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a message: a stored image, or one frame of a video as an image of its own."""

    media: Media


Part = Text | Image


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a dialogue."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts, joined without separator."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def images(self) -> tuple[Image, ...]:
        """The picture parts, in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    def record(self) -> dict[str, Any]:
        """Return the message as JSON-able data, media by name and hash."""
        parts = [
            {"type": "text", "text": part.text}
            if isinstance(part, Text)
            else {"type": "image", "name": part.media.name, "sha256": part.media.sha256}
            for part in self.parts
        ]
        return {"role": self.role, "parts": parts}


@dataclass(frozen=True, slots=True)
class Settings:
    """How an answer is generated. None means: not sent, the backend decides.

    Attributes:
        max_tokens: most tokens of one answer.
        temperature: 0 is greedy.
        top_p: nucleus sampling mass.
        stop: strings that end the answer; they are not part of it.
        seed: sampling seed, where the backend has one.
    """

    max_tokens: int = 1024
    temperature: float | None = 0.0
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


_SETTINGS = [setting.name for setting in fields(Settings)]


@dataclass(frozen=True)
class Request:
    """One call of a model.

    Attributes:
        messages: the dialogue so far, ending with the turn to answer.
        settings: how to generate.
        sample: what the call is about. Never sent: baselines and test functions look at it.
        form: writes an answer as the reply that the protocol asks for. Never sent either; baselines use it.
    """

    messages: tuple[Message, ...]
    settings: Settings
    sample: Sample | None = field(default=None, repr=False, compare=False)
    form: Callable[[Answer], str] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def record(self) -> dict[str, Any]:
        """Messages and settings as JSON-able data, media by hash. Reads the media."""
        settings = {name: getattr(self.settings, name) for name in _SETTINGS}
        return {"messages": [message.record() for message in self.messages], "settings": settings}

    @cached_property
    def digest(self) -> str:
        """Hex digest of `record`: equal for requests that ask the same."""
        return hashlib.sha256(_written(self.record).encode()).hexdigest()


_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the backend counted them; None where it does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a model answered. A call without an answer raises ModelError instead.

    Attributes:
        text: the answer; may be empty when the model answered nothing.
        finish: "stop" when the model ended, "length" when the token cap cut it.
        usage: token counts.
        thoughts: reasoning that the server returned apart; stored, never scored.
        model: the name the backend says answered.
        cached: when it was first had (UTC, ISO 8601), for an answer out of a cache of answers.
        work: what a strategy made on the way to this answer (a map, a graph, facts, votes), JSON-able; None of a call.
    """

    text: str
    finish: Finish = "stop"
    usage: Usage = Usage()
    thoughts: str | None = None
    model: str | None = None
    cached: str | None = None
    work: Mapping[str, Any] | None = None

    def record(self) -> dict[str, Any]:
        """Return what a call answered as JSON-able data."""
        usage = self.usage
        return {
            "text": self.text,
            "finish": self.finish,
            "usage": {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "cached_tokens")},
            "thoughts": self.thoughts,
            "model": self.model,
            "cached": self.cached,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Response:
        """Rebuild a response from `record()`."""
        return cls(**{**record, "usage": Usage(**record["usage"])})
