"""A protocol of a task, ready to use: it writes the request for a sample and grades the reply."""

from __future__ import annotations

import typing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from spatialeval.data.frames import frames_by_time, sample_frames
from spatialeval.edits.labels import restyled
from spatialeval.errors import DataError, UnknownNameError
from spatialeval.grading import Grader
from spatialeval.messages import Image, Message, Request, Text
from spatialeval.readers import READERS
from spatialeval.samples import Answer, AnswerType, Sample
from spatialeval.scorers import SCORERS
from spatialeval.tasks import aggregate
from spatialeval.tasks.judging import Judging, settings_of
from spatialeval.tasks.wording import arrange, render
from spatialeval.written import written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.media import Media
    from spatialeval.messages import Finish, Settings
    from spatialeval.registry import Registry
    from spatialeval.scores import Score
    from spatialeval.tasks import schema
    from spatialeval.templates import Sandbox

ANSWER_TYPES: tuple[AnswerType, ...] = typing.get_args(AnswerType)
_DEFAULT_SCORERS = {"choice": "accuracy", "yesno": "accuracy", "label": "accuracy", "set": "exact", "order": "exact"}


@dataclass(frozen=True)
class TaskProtocol:
    """One named way to ask and read a task.

    Attributes:
        name: as in the task file.
        spec: its section of the task file.
        rules: the aggregation in force.
        score_spec: the scoring in force.
        environment: the template sandbox of the task file.
        cap: the token cap that a run demands of every call, whatever protocol and strategy say; None where it does not.
    """

    name: str
    spec: schema.Protocol
    rules: tuple[schema.AggregatePart, ...]
    score_spec: schema.PerType
    environment: Sandbox
    cap: int | None = None

    @property
    def settings(self) -> Settings:
        """The protocol's own generation settings."""
        return settings_of(self.spec.generate)

    @property
    def judging(self) -> Judging | None:
        """The protocol's judge, where it has one."""
        return Judging(self, self.spec.judge) if self.spec.judge else None

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
            settings: replaces the protocol's generation settings, all but a cap that the run demands.

        Raises:
            DataError: when a template cannot be rendered for this sample.
        """
        text = self.words(sample, instruction)
        rule, film = self.spec.media, [media.kind for media in sample.media] == ["video"]
        parts = arrange(text, self.pictures(sample), rule.order, rule.marker, film=film)
        messages: tuple[Message, ...] = (Message("user", parts),)
        if (system := self.system_words(sample)) is not None:
            messages = (Message("system", (Text(system),)), *messages)
        # Another instruction asks for another form: then an answer is written as bare as can be.
        form = partial(self.reply_text, sample) if instruction is None else None
        settings = settings or self.settings
        settings = settings if self.cap is None else replace(settings, max_tokens=self.cap)
        return Request(messages, settings, sample, form)

    def instruction(self, sample: Sample) -> str:
        """Return the words that follow the question and say in which form to answer; often begins with a newline."""
        return self._styled(self._write("instruction", sample), sample)

    def words(self, sample: Sample, instruction: str | None = None) -> str:
        """Return question and instruction, or another `instruction`, as they are sent.

        Raises:
            Refused: when the sample's options are shown under other names, and the protocol's words do not let that be.
        """
        text = self._write("question", sample)
        text += self._write("instruction", sample) if instruction is None else instruction
        return self._styled(text, sample, listed=instruction is None)

    def system_words(self, sample: Sample) -> str | None:
        """Return the system text, where the protocol has one."""
        return None if self.spec.system is None else self._styled(self._write("system", sample), sample)

    def _styled(self, text: str, sample: Sample, *, listed: bool = False) -> str:
        return restyled(text, sample, listed=listed) if sample.marks else text

    def graded(self, sample: Sample, reply: str, finish: Finish = "stop", *, judged: str | None = None) -> Score:
        """Return the score of a reply, with the words of the judge where one has been asked.

        Raises:
            DataError: when the judge's words are no verdict, or only a judge can score the reply and none was asked.
        """
        judging = self.judging
        if judged is None or judging is None or not judging.wants(sample, reply, finish, self.grader):
            return self.grader.grade(sample, reply, finish)
        score = judging.score(sample, judged, "stop", self.grader)
        if score is None:
            raise DataError(
                f"the judge's words {judged!r} are no verdict; it may say {', '.join(judging.spec.verdicts)}."
            )
        return score

    def gold_text(self, sample: Sample) -> str:
        """Return the right answer as a reply in the form that the protocol asks for; "" where none is known.

        Raises:
            DataError: when the template of `gold` cannot be rendered for this sample.
        """
        return self._formed(sample, sample.target)

    def reply_text(self, sample: Sample, answer: Answer) -> str:
        """Return any answer as such a reply."""
        return self._formed(sample, answer) or written(answer, sample.answer)

    def _formed(self, sample: Sample, answer: Answer) -> str:
        if sample.names != sample.letters and answer in sample.letters:
            return sample.names[sample.letters.index(str(answer))]
        if self.spec.gold is None or (isinstance(self.spec.gold, dict) and sample.answer not in self.spec.gold):
            return written(answer, sample.answer)
        target = written(answer, "path") if sample.answer == "path" else answer
        return self._write("gold", sample, target=target)

    def parts(self, categories: Mapping[str, int], facets: Mapping[str, int]) -> tuple[aggregate.Part, ...]:
        """Return the aggregates over the categories and facet values present, each with its number of questions."""
        return aggregate.parts_of(self.rules, categories, facets)

    def identity(self) -> dict[str, Any]:
        """Return everything of the protocol that can change an answer or its score."""
        keys = {"extends", "source", "verified", "note", "gold", "score", "aggregate"}
        asked = self.spec.model_dump(mode="json", exclude=keys)
        rules = [rule.model_dump(mode="json", exclude_defaults=True) for rule in self.rules]
        demanded = {} if self.cap is None else {"cap": self.cap}
        return {"name": self.name, **asked, **demanded, "score": self.score_spec, "aggregate": rules}

    def _reader_spec(self, kind: AnswerType) -> tuple[str, dict[str, Any]]:
        return _of_type(self.spec.parse, kind) or (f"strict_{kind}", {})

    def _write(self, part: str, sample: Sample, **names: Any) -> str:
        source = getattr(self.spec, part)
        if isinstance(source, dict):
            source = source.get(sample.answer, "" if part == "instruction" else None)
        if source is None:
            raise DataError(f"protocol {self.name!r} has no {part} for answer type {sample.answer!r}; add one.")
        return render(self.environment, source, sample, what=f"the {part} of protocol {self.name!r}", **names)

    def pictures(self, sample: Sample) -> list[Image]:
        """Return what is shown of a sample: its images, and the frames of its videos."""
        pictures = []
        for media in sample.media:
            if media.kind == "video":
                frames = self._frames(media)
                pictures += [Image(frame) for frame in (media.edit(frames) if media.edit else frames)]
            else:
                pictures.append(Image(media))
        return pictures

    def _frames(self, video: Media) -> list[Media]:
        """Return the frames as media that are decoded when first read, all of one video at once."""
        rule = self.spec.media
        if rule.pick == "fps" and rule.fps is not None:
            return list(frames_by_time(video, rule.fps, rule.frames))
        if rule.frames is None:
            raise DataError(f"protocol {self.name!r} shows videos but says no media.frames; add the number of frames.")
        return list(sample_frames(video, rule.frames, rule.pick))


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
    name = _DEFAULT_SCORERS.get(kind)
    return (name, {}) if name and name in SCORERS else None


def build(registry: Registry[Any], name: str, options: dict[str, Any]) -> Any:
    """Return the registered thing `name` made with `options`; raise UnknownNameError for an unknown name or option."""
    make = registry.get(name)
    fields = list(getattr(make, "__dataclass_fields__", {}))
    for option in options:
        if option not in fields:
            raise UnknownNameError(f"option of {registry.kind} {name!r}", option, fields)
    return make(**options)


__all__ = ["ANSWER_TYPES", "TaskProtocol", "build"]
