"""The chat completions format of OpenAI-compatible servers: from a Request to a body, from a reply to a Response.

Field names and meanings: https://platform.openai.com/docs/api-reference/chat. Servers add `reasoning_content` (vLLM,
DeepSeek) or `reasoning` (OpenRouter, Ollama) for thoughts.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError
from spatialeval.lru import LRU
from spatialeval.media import sniff_mime
from spatialeval.messages import Finish, Response, Text, Usage
from spatialeval.text import storable, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.media import Media
    from spatialeval.messages import Message, Part, Request

CACHED_BYTES = 32 * 1024 * 1024
"""Encoded frames and edited pictures kept for the next question about them, in bytes."""

_CUT = frozenset({"length", "max_tokens", "model_length"})
_BROKEN = frozenset({"error", "abort"})


class DataUrls:
    """Picture bytes as `data:` URLs. Those of frames and edited pictures are kept: several requests show them.

    The bytes are never decoded as a picture: what the file holds is what the model gets.
    """

    def __init__(self, limit: int = CACHED_BYTES) -> None:
        self._urls: LRU[str] = LRU(limit, len)  # bodies with files are built in threads

    @property
    def held(self) -> int:
        """Bytes of the URLs that are kept."""
        return self._urls.held

    def url(self, media: Media) -> str:
        """Return the URL of `media`; raise MediaError when it cannot be read or is no picture."""
        if not callable(media.source):  # encoding a stored picture takes microseconds, keeping all of them memory
            return _data_url(media)
        return self._urls.get(media.sha256, lambda: _data_url(media))


def _data_url(media: Media) -> str:
    data = media.read()
    return f"data:{sniff_mime(data, media.name)};base64,{base64.b64encode(data).decode('ascii')}"


@dataclass(frozen=True)
class BodyBuilder:
    """Builds request bodies.

    Attributes:
        model: the name sent as `model`.
        token_param: the field that carries the token cap, `max_tokens` or `max_completion_tokens`.
        detail: the `detail` of every picture, where set.
        body: further top-level fields, sent as they are; they win over the built ones.
        urls: the encoded pictures.
    """

    model: str
    token_param: str
    detail: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    urls: DataUrls = field(default_factory=DataUrls)

    def build(self, request: Request) -> bytes:
        """Return the JSON body of `request`; settings that are None are not sent. Raises MediaError."""
        settings = request.settings
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [self._message(message) for message in request.messages],
            self.token_param: settings.max_tokens,
        }
        if settings.stop:
            body["stop"] = list(settings.stop)
        for name in ("temperature", "top_p", "seed"):
            if (value := getattr(settings, name)) is not None:
                body[name] = value
        return to_json({**body, **self.body})

    def _message(self, message: Message) -> dict[str, Any]:
        if not message.images:
            return {"role": message.role, "content": message.text}
        return {"role": message.role, "content": [self._part(part) for part in message.parts]}

    def _part(self, part: Part) -> dict[str, Any]:
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        image = {"url": self.urls.url(part.media)}
        if self.detail:
            image["detail"] = self.detail
        return {"type": "image_url", "image_url": image}


def read_completion(data: Mapping[str, Any]) -> Response:
    """Return the answer of a decoded reply.

    Raises ModelError: `malformed` when it is no completion, `server_error` when the server says that generating broke,
    `content_filter` when the reply was blocked, `no_content` when a finished reply has neither text nor thoughts.
    """
    choice, message = _first_choice(data)
    reason = str(choice.get("finish_reason"))
    if reason in _BROKEN:
        raise ModelError(f"the server broke off (finish_reason {reason!r})", kind="server_error", transient=True)
    text, thoughts = _content(message)
    if reason == "content_filter":
        raise ModelError("the reply was blocked (finish_reason 'content_filter')", kind="content_filter")
    if text is None and (refusal := _refusal(message)):
        raise ModelError(f"the model refused: {refusal}", kind="content_filter")
    finish: Finish = "length" if reason in _CUT else "stop"
    if text is None and thoughts is None and finish == "stop":
        raise ModelError(f"the reply has no content (finish_reason {reason!r})", kind="no_content")
    name = data.get("model")
    return Response(text or "", finish, _usage(data), thoughts, storable(name) if isinstance(name, str) else None)


def _first_choice(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ModelError("the reply has no choices[0].message", kind="malformed", transient=True)
    return choice, message


def _content(message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Text and thoughts of a message, each None where absent."""
    content = message.get("content")
    told = [message.get("reasoning_content") or message.get("reasoning")]
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        told += [_thinking(part) for part in parts if part.get("type") == "thinking"]
        texts = [str(part.get("text") or "") for part in parts if part.get("type") in {"text", "output_text"}]
        content = "".join(texts) if texts or not parts else None
    elif content is not None and not isinstance(content, str):
        kind = type(content).__name__
        raise ModelError(f"choices[0].message.content is a {kind}, not text", kind="malformed", transient=True)
    thoughts = "".join(thought for thought in told if isinstance(thought, str))
    return None if content is None else storable(content), storable(thoughts) or None


def _thinking(part: Mapping[str, Any]) -> str:
    """Text of a `thinking` part: a string, or a list of text parts as Mistral sends it."""
    inner = part.get("thinking")
    if isinstance(inner, list):
        return "".join(str(piece.get("text") or "") for piece in inner if isinstance(piece, dict))
    return inner if isinstance(inner, str) else ""


def _refusal(message: Mapping[str, Any]) -> str | None:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    told = [message.get("refusal"), *(part.get("refusal") for part in parts if isinstance(part, dict))]
    return next((refusal for refusal in told if isinstance(refusal, str) and refusal), None)


def _usage(data: Mapping[str, Any]) -> Usage:
    usage = data.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"), cached)
    return Usage(*(count if isinstance(count, int) else None for count in counts))
