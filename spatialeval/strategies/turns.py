"""What strategies of several calls share: texts around a protocol's question, room to think, further turns."""

from __future__ import annotations

from dataclasses import Field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from spatialeval.messages import Message, Text
from spatialeval.tasks.wording import arrange
from spatialeval.templates import prompts_folder, render_prompt

if TYPE_CHECKING:
    from spatialeval.messages import Part, Request, Settings
    from spatialeval.samples import Sample
    from spatialeval.strategies.base import Strategy
    from spatialeval.tasks import TaskProtocol


def prompt(name: str, **values: object) -> str:
    """Return the text `name` of prompts/strategies, rendered."""
    return render_prompt(f"strategies/{name}", **values)


def sources(*names: str) -> dict[str, str]:
    """Return texts of prompts/strategies as they are written: they are part of what a strategy is."""
    return {name: (prompts_folder() / "strategies" / name).read_text(encoding="utf-8") for name in names}


def cap_of(protocol: TaskProtocol, strategy: Strategy, *options: str) -> int:
    """Return the token cap of a call for which some options of a strategy make room.

    The first of these that there is: what the run demands of every call (`--max-tokens`); what the options say, where
    they were changed; their defaults, or the protocol's own cap where that is more.
    """
    if protocol.cap is not None:
        return protocol.cap
    options_of: tuple[Field[Any], ...] = fields(strategy) if is_dataclass(strategy) else ()
    defaults = {field.name: field.default for field in options_of}
    given = {name: int(getattr(strategy, name)) for name in options}
    changed = [value for name, value in given.items() if value != defaults.get(name)]
    return max(changed) if changed else max(protocol.settings.max_tokens, *given.values())


def largest_cap(protocol: TaskProtocol, strategy: Strategy, first: Settings) -> int:
    """Return the largest token cap of a strategy's calls, the settings of the first of which are known."""
    drawn = getattr(strategy, "inner", strategy)
    names = [field.name for field in fields(drawn)] if is_dataclass(drawn) else []
    caps = [cap_of(protocol, drawn, name) for name in names if name.endswith("max_tokens")]
    return max([first.max_tokens, *caps])


def roomy(protocol: TaskProtocol, strategy: Strategy, *options: str, stop: tuple[str, ...] = ()) -> Settings:
    """Return settings with the cap that `options` give (see `cap_of`; `max_tokens` where none is named).

    The reply is ended by `stop` only: the protocol's own stops would end a longer reply.
    """
    return replace(protocol.settings, max_tokens=cap_of(protocol, strategy, *(options or ("max_tokens",))), stop=stop)


def worded(protocol: TaskProtocol, sample: Sample, text: str) -> tuple[Part, ...]:
    """Return a text of our own with the sample's pictures where the protocol puts them."""
    rule, film = protocol.spec.media, [media.kind for media in sample.media] == ["video"]
    return arrange(text, protocol.pictures(sample), rule.order, rule.marker, film=film)


def reworded(request: Request, parts: tuple[Part, ...]) -> Request:
    """Return the request with other words and pictures in its last message."""
    return replace(request, messages=(*request.messages[:-1], replace(request.messages[-1], parts=parts)))


def preceded(request: Request, text: str) -> Request:
    """Return the request with `text` before its last message's words, behind pictures that come first."""
    parts = list(request.messages[-1].parts)
    place = next((i for i, part in enumerate(parts) if isinstance(part, Text)), len(parts))
    following = parts[place] if place < len(parts) else Text("")
    assert isinstance(following, Text)  # noqa: S101 - that is how `place` was found
    parts[place : place + 1] = [Text(f"{text}{following.text}")]
    return reworded(request, tuple(parts))


def instructed(request: Request, system: str, *, alone: bool = False) -> Request:
    """Return the request with a system text, behind the protocol's own or, `alone`, in its place."""
    kept = [message for message in request.messages if message.role != "system"]
    own = "" if alone else "\n\n".join(m.text for m in request.messages if m.role == "system")
    text = f"{own}\n\n{system}" if own else system
    return replace(request, messages=(Message("system", (Text(text),)), *kept))


def continued(request: Request, reply: str, *parts: Part) -> Request:
    """Return the dialogue with the model's reply and our next turn behind it."""
    said = Message("assistant", (Text(reply),))
    return replace(request, messages=(*request.messages, said, Message("user", tuple(parts))))


def question_alone(sample: Sample) -> str:
    """Return the question without its options, also where the benchmark writes them behind it."""
    return sample.question.partition("?")[0] + "?" if _lists_options(sample) else sample.question


def question_listed(sample: Sample, form: str, joint: str) -> str:
    """Return the question and its options, each in `form` ("({letter}) {text}") and `joint` before it.

    A question that lists them already stays as it is.
    """
    if _lists_options(sample):
        return sample.question
    pairs = zip(sample.letters, sample.choices, strict=True)
    return sample.question + "".join(joint + form.format(letter=letter, text=text) for letter, text in pairs)


def _lists_options(sample: Sample) -> bool:
    pairs = list(zip(sample.letters, sample.choices, strict=True))
    return bool(pairs) and all(f"{letter}. {text}" in sample.question for letter, text in pairs)
