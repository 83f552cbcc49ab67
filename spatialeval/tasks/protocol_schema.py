"""The part of a task file's schema that says how it is asked: protocols, their judges and their aggregation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from spatialeval.samples import AnswerType

Template = str | int | float | bool | None
Templates = Template | list["Template"]
NamedSpec = str | dict[str, dict[str, Any]]
"""A reader or scorer: its name, or {name: {option: value}}."""
PerType = NamedSpec | dict[AnswerType, NamedSpec]
Text = str | dict[AnswerType, str]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]


class Part(BaseModel):
    """Base of every section: no unknown keys, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class MediaRule(Part):
    """Where media stand in the message, and which frames of a video are shown.

    order: before the text, after it, or at each `marker` in it.
    marker: where a picture stands, inline; with {n} in it, such as "<image {n}>", where picture n (from 1) stands.
    frames: how many frames of a video; the most when `pick` is fps.
    fps: frames per second, for pick fps.
    """

    order: Literal["first", "last", "inline"] = "first"
    marker: str = "<image>"
    frames: int | None = Field(None, ge=1)
    fps: float | None = Field(None, gt=0)
    pick: Literal["linspace", "uniform_tail", "fps"] = "linspace"


class Generate(Part):
    """Generation settings of the protocol."""

    max_tokens: int = Field(1024, ge=1)
    temperature: float | None = Field(0.0, ge=0)
    top_p: float | None = Field(None, gt=0, le=1)
    stop: list[str] = []


class AggregatePart(Part):
    """A named number over the whole task: a mean of other numbers.

    mean_of: what it is the mean of: categories, `facet=value`, or parts defined above; "categories" is all of them.
    weights: one per member of mean_of; equal when left out. They need not sum to 1.
    pool: weigh members by their number of questions too: the mean over the questions of all of them.
    micro: the mean over all questions.
    sets: a name of sample.sets: questions of one set count as one, worth what `reduce` makes of them.
    reduce: all (every member right: the lowest score), any (the highest), mean, majority (more right than wrong).
    """

    name: str
    mean_of: list[str] | Literal["categories"] | None = None
    weights: list[float] | None = None
    pool: bool = False
    micro: bool = False
    sets: str | None = None
    reduce: Literal["all", "any", "mean", "majority"] = "all"
    headline: bool = False


class Judge(Part):
    """A model that judges the replies the protocol's readers cannot (or should not) read.

    source: where its wording was read.
    answers: the answer types it judges.
    when: always, or only for replies that the readers could not read.
    gives: verdict (right or wrong, or a grade) or answer (the letter, number, ... it finds in the reply).
    model: the judge of the published protocol, for the record; which one is really asked is said by --judge.
    prompt: template; sees what prompts see, and `reply`, `target`, `gold` (the target as a reply would give it).
    media: whether it sees the question's pictures.
    verdicts: what the judge may say -> what it is worth, 0 to 1; for `gives: verdict`.
    find: regular expression whose last match (its group) is the verdict or the answer; the whole text when left out.
    """

    source: str
    answers: list[AnswerType] = Field(min_length=1)
    when: Literal["always", "unparsed"] = "always"
    gives: Literal["verdict", "answer"] = "verdict"
    model: str | None = None
    system: str | None = None
    prompt: str
    media: bool = False
    verdicts: dict[str, float] = {}
    find: str | None = None
    generate: Generate = Generate()


class Protocol(Part):
    """One published way to ask and to read.

    extends: a protocol of the same file whose keys it takes over where it has none of its own.
    source: where it was read: owner/name:path@commit, or a section of a paper.
    verified: false when a part of it could not be checked against its source; `note` says which.
    question / instruction: templates, one or per answer type; the message text is the one followed by the other.
        A strategy may replace the instruction ("answer with the letter"), never the question.
    gold: how the right answer is written as a reply, where that is not the bare answer: template, also sees `target`.
        An empty text where no reply is known to score 1 (a graded comparison with other people's answers).
    parse: readers, one or per answer type; types left out are read by the strict reader.
    unparsed: whether an answer that cannot be read is wrong or left out of the mean.
    on_length: whether a reply cut by the token cap is still read (as the published code does) or counts as truncated.
    """

    extends: Name | None = None
    source: str
    verified: bool = True
    note: str | None = None
    system: str | None = None
    media: MediaRule = MediaRule()
    question: Text = "{{ question }}"
    instruction: Text = ""
    gold: Text | None = None
    generate: Generate = Generate()
    parse: PerType = {}
    score: PerType | None = None
    judge: Judge | None = None
    aggregate: list[AggregatePart] | None = None
    unparsed: Literal["wrong", "excluded"] = "wrong"
    on_length: Literal["truncated", "read"] = "truncated"
