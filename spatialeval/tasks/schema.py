"""The schema of a task file. Every key is declared here; an unknown key is an error; the JSON Schema comes from here.

Where a type says Template, a text is a literal, a Jinja2 template, or "{{ one expression }}" that keeps its own type.
Row expressions see `row`; prompt templates see the fields of the Sample (see docs/task-files.md).
"""

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

Revision = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|floating)$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Ability = Literal[
    "appearance_order", "attribute", "counting", "depth", "direction", "distance", "geometry", "localization",
    "logic", "metric", "multi_hop", "multi_view", "navigation", "orientation", "perception", "planning", "relation",
    "size",
]  # fmt: skip


class Part(BaseModel):
    """Base of every section: no unknown keys, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(Part):
    """What the benchmark is and where it comes from."""

    title: str
    paper: str | None = None
    code: str | None = None
    license: str
    abilities: list[Ability]
    notes: list[str] = []


class Version(Part):
    """`scores`: raised when old and new numbers must not be compared. `text`: raised when any wording changes."""

    scores: int = Field(1, ge=1)
    text: int = Field(1, ge=1)


class Expect(Part):
    """What must be found when the data are loaded; a difference is an error."""

    rows: int | None = Field(None, ge=0)
    categories: dict[str, int] = {}


class Data(Part):
    """Where the rows are.

    source: hf:OWNER/NAME (revision required), generate:NAME, or local (files that no hub holds in this form).
    config: of the hub; the rows of several are read one after the other.
    files: patterns of the files to read when --data names a folder.
    records: the dotted key of a JSON file that holds the rows.
    adapter: the registered reader of a format that is no table.
    where: expression; rows for which it is false are left out.
    media: the subfolder of media files, relative to the media root.
    bring: how to get data that the hub does not give as they are needed.
    """

    source: Annotated[str, StringConstraints(pattern=r"^(hf:[\w.-]+/[\w.-]+|generate:[a-z0-9_]+|local)$")]
    revision: Revision | None = None
    config: str | list[str] | None = None
    split: str = "test"
    files: list[str] = []
    records: str | None = None
    adapter: str | None = None
    where: str | None = None
    media: str | None = None
    params: dict[str, Any] = {}
    bring: str | None = None
    expect: Expect = Expect()


class SampleSpec(Part):
    """How one row becomes one Sample: templates over `row`."""

    id: Template
    answer: Template
    question: Template
    target: Template
    category: Template = "all"
    group: Template = None
    choices: Templates = None
    labels: Templates = None
    images: Templates = None
    video: Template = None
    meta: dict[str, Any] = {}


class MediaRule(Part):
    """Where media stand in the message, and which frames of a video are shown.

    order: before the text, after it, or at each `marker` in it.
    """

    order: Literal["first", "last", "inline"] = "first"
    marker: str = "<image>"
    frames: int | None = Field(None, ge=1)
    pick: Literal["linspace", "uniform_tail"] = "linspace"


class Generate(Part):
    """Generation settings of the protocol."""

    max_tokens: int = Field(1024, ge=1)
    temperature: float | None = Field(0.0, ge=0)
    top_p: float | None = Field(None, gt=0, le=1)
    stop: list[str] = []


class AggregatePart(Part):
    """A named number over several categories: the plain mean of categories or of parts defined above it, or micro."""

    name: str
    mean_of: list[str] | Literal["categories"] | None = None
    micro: bool = False
    headline: bool = False


class Protocol(Part):
    """One published way to ask and to read.

    source: where it was read: owner/name:path@commit, or a section of a paper.
    verified: false when a part of it could not be checked against its source; `note` says which.
    question / instruction: templates, one or per answer type; the message text is the one followed by the other.
        A strategy may replace the instruction ("answer with the letter"), never the question.
    parse: readers, one or per answer type; types left out are read by the strict reader.
    unparsed: whether an answer that cannot be read is wrong or left out of the mean.
    on_length: whether a reply cut by the token cap is still read (as the published code does) or counts as truncated.
    """

    source: str
    verified: bool = True
    note: str | None = None
    system: str | None = None
    media: MediaRule = MediaRule()
    question: Text = "{{ question }}"
    instruction: Text = ""
    generate: Generate = Generate()
    parse: PerType = {}
    score: PerType | None = None
    aggregate: list[AggregatePart] | None = None
    unparsed: Literal["wrong", "excluded"] = "wrong"
    on_length: Literal["truncated", "read"] = "truncated"


class Reference(Part):
    """A published row of results. `scores` of categories or parts must give `headline` by the task's own rule."""

    model: str
    role: Literal["model", "human", "chance", "baseline"] = "model"
    protocol: str | None = None
    source: str
    scores: dict[str, float] = {}
    headline: float | None = None
    part: str | None = Field(None, description="the part that `headline` is; the task's headline part when left out")
    scale: Literal[1, 100] = 100
    tolerance: float = Field(0.05, ge=0, description="largest rounding difference, in the units of the scores")


class Variant(Part):
    """A named change of data or row reading: another split, a subset, a harder level."""

    title: str
    data: dict[str, Any] = {}
    sample: dict[str, Any] = {}
    aggregate: list[AggregatePart] | None = None
    reference: list[Reference] | None = None


class ParseCase(Part):
    """A canned reply and what it must be worth."""

    reply: str
    protocol: str | None = None
    state: Literal["scored", "unparsed", "truncated"] = "scored"
    score: float | None = None


class Example(Part):
    """A small made-up row in the real shape, what it becomes, and how canned replies to it must be read."""

    row: dict[str, Any]
    target: str | int | float
    answer: AnswerType | None = None
    category: str | None = None
    prompts: dict[str, str] = Field({}, description="protocol -> the exact text sent")
    replies: list[ParseCase] = []


class TaskSpec(Part):
    """One benchmark.

    tables: look-up tables that row expressions see as `tables`.
    score: scorers, one or per answer type; choice, yesno and label default to accuracy.
    """

    spec: Literal[1]
    id: Name
    about: About
    version: Version = Version()
    data: Data
    tables: dict[str, dict[str, Any] | list[Any]] = {}
    sample: SampleSpec
    default_protocol: str = "official"
    protocols: dict[Name, Protocol] = Field(min_length=1)
    score: PerType = {}
    aggregate: list[AggregatePart] = []
    variants: dict[Name, Variant] = {}
    reference: list[Reference] = []
    examples: list[Example] = []
