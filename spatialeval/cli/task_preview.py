"""What is sent for one question, as text and as JSON: every call, the right answer, and what a judge is asked."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from spatialeval.errors import UsageError
from spatialeval.foreign import blaming
from spatialeval.messages import Message, Part, Request, Response, Text
from spatialeval.text import printable
from spatialeval.written import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.messages import Settings
    from spatialeval.samples import Sample
    from spatialeval.strategies import Ask
    from spatialeval.tasks import Task, TaskProtocol

_REPLY = "<the model's reply>"
"""Stands for what nobody has said yet."""

_SHOWN = 6
"""Places of reordered frames that are named."""

_FRAME = re.compile(r"(?P<video>.+)#(?P<rule>fps=[\d.]+|[a-z_]+)(?::(?P<place>\d+)/(?P<count>\d+))?(?P<edit>.*)")
"""How frames are named, see `spatialeval.data.frames`."""


class Shown(NamedTuple):
    """What is previewed.

    Attributes:
        task: the task.
        protocol: asks.
        sample: what is asked about.
        samples: all that are at hand; some strategies and views draw on the others.
        replies: possible ones; the first that would go to a judge shows what it is asked.
    """

    task: Task
    protocol: TaskProtocol
    sample: Sample
    samples: Sequence[Sample]
    replies: Sequence[str] = ()


class Asked(NamedTuple):
    """The calls made about a sample as one view shows it."""

    view: str
    sample: Sample
    calls: list[Request]


def preview_text(shown: Shown, strategy: str) -> str:
    """Return the messages sent for one sample, every call, for people; replies are shown as a placeholder."""
    _, protocol, sample, *_ = shown
    lines = [
        f"sample {sample.id} · {sample.answer} · category {sample.category} · gold {sample.target!r}",
        f"protocol {protocol.name} · {protocol.spec.source}",
    ]
    inline, number = protocol.spec.media.order == "inline", 0
    for asked in _asked(shown, strategy):
        view = f" · view {asked.view}" if asked.view else ""
        for request in asked.calls:
            number += 1
            lines.append(f"call {number}{view} · {settings_text(request.settings)}")
            lines += _message_lines(request.messages, inline=inline)
        lines += _gold_lines(protocol, asked)
    lines += _judge_lines(shown)
    return "\n".join(map(printable, lines))


def preview_json(shown: Shown, strategy: str) -> str:
    """Return the same byte for byte: one JSON line per call, the judge's last. Media are named, not read."""
    _, protocol, sample, *_ = shown
    about = {"sample": sample.id, "protocol": protocol.name}
    lines = [
        {**about, "view": asked.view, **_record(request)}
        for asked in _asked(shown, strategy)
        for request in asked.calls
    ]
    if (judged := _judged(shown)) is not None:
        reply, request = judged
        lines.append({**about, "judge_of": reply, **_record(request)})
    return "\n".join(map(json.dumps, lines))


def settings_text(settings: Settings) -> str:
    """Return generation settings for people: `max 32 tokens, temperature 0`."""
    said = [f"max {settings.max_tokens:,} tokens"]
    said.append("no temperature sent" if settings.temperature is None else f"temperature {settings.temperature:g}")
    said += [] if settings.top_p is None else [f"top_p {settings.top_p:g}"]
    said += [f"stop at {', '.join(json.dumps(text, ensure_ascii=False) for text in settings.stop)}"] * bool(
        settings.stop
    )
    said += [] if settings.seed is None else [f"seed {settings.seed}"]
    return ", ".join(said)


def _asked(shown: Shown, strategy: str) -> list[Asked]:
    """Return every request that the strategy makes about a sample, by view."""
    from spatialeval.run.asking import bound_views, parse_asking
    from spatialeval.run.asking import expand as expand_views

    task, protocol, sample, samples, _ = shown
    way, views = parse_asking(strategy)
    with blaming("strategy", way):
        way = way.bound(task, samples)
        reason = way.refuses(sample)
    views = bound_views(views, task, samples, protocol)
    if reason:
        raise UsageError(f"{strategy} {reason}. Preview another sample.")
    expansion = expand_views([sample], views)
    for view, reason in expansion.skipped:
        raise UsageError(f"{view} cannot change sample {sample.id!r}: {reason}. Preview another sample.")
    found = [Asked(item.view, item.sample, []) for item in expansion.items]

    def asker(calls: list[Request]) -> Ask:
        async def ask(request: Request) -> Response:
            calls.append(request)
            return Response(_REPLY)

        return ask

    for asked in found:
        asyncio.run(way.run(asked.sample, protocol, asker(asked.calls)))
    return found


def _record(request: Request) -> dict[str, Any]:
    messages = [{"role": m.role, "parts": list(map(_part, m.parts))} for m in request.messages]
    return {"settings": asdict(request.settings), "messages": messages}


def _part(part: Part) -> dict[str, str]:
    return {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image", "name": part.media.name}


def _gold_lines(protocol: TaskProtocol, asked: Asked) -> Iterator[str]:
    """Yield the right answer in the form asked for: the protocol's own, or bare where a strategy asks for another."""
    own = bool(asked.calls) and asked.calls[-1].form is not None
    gold = protocol.gold_text(asked.sample) if own else written(asked.sample.target, asked.sample.answer)
    if not gold:
        yield "no reply is known to be all right"
    elif "\n" in gold:
        yield "a right answer would be:"
        yield from (f"  | {line}" for line in gold.split("\n"))
    else:
        yield f"a right answer would be: {gold}"


def _judged(shown: Shown) -> tuple[str, Request] | None:
    """Return a reply and what the judge is asked about it; None where the protocol has no judge for such answers."""
    _, protocol, sample, _, replies = shown
    judging = protocol.judging
    if judging is None or sample.answer not in judging.spec.answers:
        return None
    wanted = (reply for reply in replies if judging.wants(sample, reply, "stop", protocol.grader))
    reply = next(wanted, _REPLY)
    return reply, judging.request(sample, reply)


def _judge_lines(shown: Shown) -> Iterator[str]:
    protocol = shown.protocol
    if (judged := _judged(shown)) is None or protocol.spec.judge is None:
        return
    reply, request = judged
    when = "about every reply" if protocol.spec.judge.when == "always" else "about replies that cannot be read"
    about = "" if reply == _REPLY else f", such as {json.dumps(reply, ensure_ascii=False)}"
    yield f"judge, asked {when}{about} · {settings_text(request.settings)}"
    yield from _message_lines(request.messages, inline=False)


def _message_lines(messages: tuple[Message, ...], *, inline: bool) -> Iterator[str]:
    """Yield messages line by line; pictures have lines of their own, but inline they stand in the text as sent."""
    for message in messages:
        yield f"  [{message.role}]"
        pieces = list(_pieces(message.parts))
        text = "".join(pieces) if inline and len(pieces) > 1 else "\n".join(pieces)
        yield from (f"  | {line}" for line in text.split("\n"))


def _pieces(parts: tuple[Part, ...]) -> Iterator[str]:
    """Yield texts, and pictures by name; the frames of one video that stand together are one piece."""
    for key, members in groupby(parts, _of_video):
        if key is None:
            yield from (part.text if isinstance(part, Text) else f"<image {part.media.name}>" for part in members)
        else:
            yield _frames([part for part in members if not isinstance(part, Text)])


def _of_video(part: Part) -> tuple[str, ...] | None:
    """Return what the frames of one video have in common; None for anything else."""
    found = None if isinstance(part, Text) else _FRAME.fullmatch(part.media.name)
    return found and (found["video"], found["rule"], found["edit"])


def _frames(images: Sequence[Any]) -> str:
    found = [match for image in images if (match := _FRAME.fullmatch(image.media.name))]
    first = found[0]
    rule = f"{first['rule'][4:]} per second" if first["rule"].startswith("fps=") else first["rule"]
    if first["place"] is None:  # the video is not here, so nobody knows how many
        return f"<frames of {first['video']}, {rule}{first['edit']}>"
    places = [int(match["place"]) for match in found]
    number = f"{len(places)} frame{'s' if len(places) > 1 else ''}"
    order = (
        ""
        if places == sorted(places)
        else f", in the order {' '.join(map(str, places[:_SHOWN]))}{' ...' * (len(places) > _SHOWN)}"
    )
    return f"<{number} of {first['video']}, {rule}{order}{first['edit']}>"
