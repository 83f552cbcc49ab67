"""A protocol of a task, ready to use: it writes the request for a sample and grades the reply."""

from __future__ import annotations

import typing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jinja2

from spatialeval.data.frames import sample_frames
from spatialeval.errors import DataError, UnknownNameError
from spatialeval.grading import Grader
from spatialeval.messages import Image, Message, Part, Request, Settings, Text
from spatialeval.readers import READERS
from spatialeval.samples import AnswerType, Sample
from spatialeval.scorers import SCORERS
from spatialeval.tasks import aggregate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.media import Media
    from spatialeval.registry import Registry
    from spatialeval.tasks import schema
    from spatialeval.templates import Sandbox

ANSWER_TYPES: tuple[AnswerType, ...] = typing.get_args(AnswerType)
_DEFAULT_SCORERS = {"choice": "accuracy", "yesno": "accuracy", "label": "accuracy"}


@dataclass(frozen=True)
class TaskProtocol:
    """One named way to ask and read a task.

    Attributes:
        name: as in the task file.
        spec: its section of the task file.
        rules: the aggregation in force.
        score_spec: the scoring in force.
        environment: the template sandbox of the task file.
    """

    name: str
    spec: schema.Protocol
    rules: tuple[schema.AggregatePart, ...]
    score_spec: schema.PerType
    environment: Sandbox

    @property
    def settings(self) -> Settings:
        """The protocol's own generation settings."""
        generate = self.spec.generate
        return Settings(
            max_tokens=generate.max_tokens,
            temperature=generate.temperature,
            top_p=generate.top_p,
            stop=tuple(generate.stop),
        )

    @cached_property
    def grader(self) -> Grader:
        """Readers and scorers as the protocol names them."""
        readers = {kind: build(READERS, *self._reader_spec(kind)) for kind in ANSWER_TYPES}
        scorers = {
            kind: build(SCORERS, *named)
            for kind in ANSWER_TYPES
            if (named := _of_type(self.score_spec, kind) or _default(kind))
        }
        return Grader(readers, scorers, self.spec.unparsed, self.spec.on_length)

    @cached_property
    def strict_grader(self) -> Grader:
        """The same scorers behind our strict readers, for strategies that change the reply's form."""
        readers = {kind: build(READERS, f"strict_{kind}", {}) for kind in ANSWER_TYPES}
        return replace(self.grader, readers=readers, on_length="truncated")

    def request(self, sample: Sample, *, instruction: str | None = None, settings: Settings | None = None) -> Request:
        """Return the request for a sample.

        Args:
            sample: what is asked.
            instruction: replaces the protocol's own answer instruction.
            settings: replaces the protocol's generation settings.

        Raises:
            DataError: when a template cannot be rendered for this sample.
        """
        names = _names(sample)
        text = self._render("question", sample, names)
        text += self._render("instruction", sample, names) if instruction is None else instruction
        messages: tuple[Message, ...] = (Message("user", tuple(self._arrange(text, self._pictures(sample)))),)
        if self.spec.system is not None:
            system = self._render("system", sample, names)
            messages = (Message("system", (Text(system),)), *messages)
        return Request(messages, settings or self.settings, sample)

    def parts(self, present: Sequence[str]) -> tuple[aggregate.Part, ...]:
        """Return the aggregates over the categories present."""
        return aggregate.parts_of(self.rules, present)

    def identity(self) -> dict[str, Any]:
        """Return everything of the protocol that can change an answer or its score."""
        keys = {"source", "verified", "note", "score", "aggregate"}
        asked = self.spec.model_dump(mode="json", exclude=keys)
        rules = [rule.model_dump(mode="json") for rule in self.rules]
        return {"name": self.name, **asked, "score": self.score_spec, "aggregate": rules}

    def _reader_spec(self, kind: AnswerType) -> tuple[str, dict[str, Any]]:
        return _of_type(self.spec.parse, kind) or (f"strict_{kind}", {})

    def _render(self, part: str, sample: Sample, names: Mapping[str, Any]) -> str:
        source = getattr(self.spec, part)
        if isinstance(source, dict):
            source = source.get(sample.answer, "" if part == "instruction" else None)
        if source is None:
            raise DataError(f"protocol {self.name!r} has no {part} for answer type {sample.answer!r}; add one.")
        try:
            return self.environment.compiled(source).render(names)
        except jinja2.TemplateNotFound as error:
            raise DataError(f"protocol {self.name!r} includes {error}, which is not in the prompts folder.") from error
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise DataError(
                f"the {part} of protocol {self.name!r} cannot be written for sample {sample.id!r}: {error}"
            ) from error

    def _pictures(self, sample: Sample) -> list[Image]:
        pictures = []
        for media in sample.media:
            if media.kind == "video":
                pictures += [Image(frame) for frame in self._frames(media)]
            else:
                pictures.append(Image(media))
        return pictures

    def _frames(self, video: Media) -> list[Media]:
        """Return the frames as media that are decoded when first read, all of one video at once."""
        rule = self.spec.media
        if rule.frames is None:
            raise DataError(f"protocol {self.name!r} shows videos but says no media.frames; add the number of frames.")
        return list(sample_frames(video, rule.frames, rule.pick))

    def _arrange(self, text: str, pictures: list[Image]) -> list[Part]:
        rule = self.spec.media
        if rule.order == "last":
            return [Text(text), *pictures]
        if rule.order == "first":
            return [*pictures, Text(text)]
        pieces = text.split(rule.marker)
        if pictures and len(pieces) - 1 > len(pictures):
            raise DataError(
                f"the text has {len(pieces) - 1} {rule.marker} marks for {len(pictures)} pictures: {text[:80]!r}"
            )
        # Pictures without a mark come first; without pictures (a blind view) the marks vanish.
        unmarked = max(0, len(pictures) - (len(pieces) - 1))
        parts: list[Part] = list(pictures[:unmarked])
        for i, piece in enumerate(pieces):
            parts += [Text(piece)] if piece else []
            parts += pictures[unmarked + i : unmarked + i + 1]
        return parts


def _names(sample: Sample) -> dict[str, Any]:
    """Return what prompt templates see."""
    options = [{"letter": a, "text": b} for a, b in zip(sample.letters, sample.choices, strict=True)]
    return {
        "id": sample.id,
        "answer": sample.answer,
        "question": sample.question,
        "choices": list(sample.choices),
        "options": options,
        "letters": list(sample.letters),
        "labels": list(sample.labels),
        "category": sample.category,
        "media_count": len(sample.media),
        "meta": dict(sample.meta),
    }


def _of_type(spec: schema.PerType, kind: AnswerType) -> tuple[str, dict[str, Any]] | None:
    """Return name and options of the reader or scorer that `spec` gives for one answer type."""
    named: Any = spec
    if isinstance(named, dict) and set(named) <= set(ANSWER_TYPES):
        named = named.get(kind)
    if named is None:
        return None
    if isinstance(named, str):
        return named, {}
    ((name, options),) = named.items()
    return name, dict(options or {})


def _default(kind: AnswerType) -> tuple[str, dict[str, Any]] | None:
    return (_DEFAULT_SCORERS[kind], {}) if kind in _DEFAULT_SCORERS else None


def build(registry: Registry[Any], name: str, options: dict[str, Any]) -> Any:
    """Return the registered thing `name` made with `options`; raise UnknownNameError for an unknown name or option."""
    make = registry.get(name)
    fields = list(getattr(make, "__dataclass_fields__", {}))
    for option in options:
        if option not in fields:
            raise UnknownNameError(f"option of {registry.kind} {name!r}", option, fields)
    return make(**options)


__all__ = ["ANSWER_TYPES", "TaskProtocol", "build"]
