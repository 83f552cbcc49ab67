"""The schema of a recipe: a YAML file in `recipes/`. Every key is declared here; an unknown key is an error.

Arguments of TRL and peft keep their own names and are checked against the installed versions when a stage starts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from spatialeval.rewards.terms import Terms

BASE = "base"
"""What a recipe's base is called among its stages."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


class Part(BaseModel):
    """A mapping of the recipe file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Prompt(Part):
    """How a question is put to the model while it trains; evaluations say their own way.

    protocol: of the task; its default when left out.
    strategy: a strategy of one call, such as `plain` or `cot`, whose wording is used.
    reader: `protocol` reads replies as the protocol does, `strict` as our strict readers do. A strict reader while
        training and the published one in evaluations shows when a policy learns the parser instead of the task.
    system: a system message that replaces the protocol's.
    instruction: words that replace the protocol's own after the question.
    """

    protocol: str | None = None
    strategy: str = "plain"
    reader: Literal["protocol", "strict"] = "strict"
    system: str | None = None
    instruction: str | None = None


class Source(Part):
    """Rows to train on.

    task: a task, variant or generated task with parameters, such as `maze(size=5, seed=1)`.
    data, media, partial: as on the command line of `run`.
    split: of hub data; a test split is refused.
    where: category, facet or meta values to keep, such as {category: [count]}.
    limit: most rows, a choice drawn by the recipe's seed.
    views: transformations whose views are added to the rows (augmentation), such as `mirror`; their families are
        written beside the checkpoint.
    shuffle_options: whether lettered options change places, by a seed from the recipe's seed, sample id and copy.
    order: sorts the rows by this template over the sample, such as `meta.path_length`; a curriculum within a stage.
    weight: how often these rows stand in the data; 2 means twice.
    prompt: instead of the stage's, so that one stage trains several ways of asking.
    """

    task: str
    data: str | None = None
    media: str | None = None
    partial: bool = False
    split: str | None = None
    where: dict[str, list[str]] = {}
    limit: int | None = Field(None, ge=1)
    views: list[str] = []
    shuffle_options: bool = True
    order: str | None = None
    weight: int = Field(1, ge=1)
    prompt: Prompt | None = None


def _task(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


Sources = list[Annotated[Source, BeforeValidator(_task)]]


class Lora(Part):
    """Arguments of peft's LoraConfig by their own names, such as r, lora_alpha, target_modules."""

    model_config = ConfigDict(extra="allow", frozen=True)

    r: int = Field(16, ge=1)


class Filter(Part):
    """Leaves out prompts that teach nothing, before a GRPO stage: the base is asked `samples` times each.

    Kept are those whose share of right answers is more than `above` and less than `below`; by default the solved and
    the hopeless ones are left out.
    """

    samples: int = Field(4, ge=2)
    above: float = Field(0.0, ge=0, lt=1)
    below: float = Field(1.0, gt=0, le=1)
    temperature: float = Field(1.0, gt=0)


class Stage(Part):
    """One run of a trainer, from the checkpoint before it.

    name: of its folder.
    start: the stage above whose checkpoint it starts from, or `base`; the one just before it when left out.
    method: `sft` learns the right answers as the protocol writes them; `grpo` is rewarded.
    data: instead of the recipe's.
    prompt: instead of the recipe's.
    answer: template over the sample that gives the text to learn in SFT; the protocol's written gold when left out.
    rewards: instead of the recipe's; terms, or the name of a set.
    lora: LoRA instead of full training.
    optimizer: `muon` for the hidden layers' matrices, with AdamW for the rest; TRL's `optim` when left out.
    freeze: name patterns of weights that stay as they are, such as `vision_tower`.
    filter: of prompts, before GRPO.
    trl: arguments of TRL's SFTConfig or GRPOConfig by their own names.
    """

    name: Name
    method: Literal["sft", "grpo"]
    start: Name | None = None
    data: Sources | None = Field(None, min_length=1)
    prompt: Prompt | None = None
    answer: str | None = None
    rewards: Terms | str | None = None
    lora: Lora | None = None
    optimizer: Literal["muon"] | None = None
    freeze: list[str] = []
    filter: Filter | None = None
    trl: dict[str, Any] = {}


class Exam(Part):
    """An evaluation before the first and after every stage.

    kind: `in` as trained, `held_out` of the same kind but never trained, `ood` changed wording, views or sizes,
        `other` another benchmark. samples: replies per question; more than one gives pass@k, at `temperature`.
    """

    task: str
    kind: Literal["in", "held_out", "ood", "other"] = "held_out"
    protocol: str | None = None
    strategy: str = "plain"
    data: str | None = None
    media: str | None = None
    partial: bool = False
    limit: int | None = Field(None, ge=1)
    samples: int = Field(1, ge=1)
    temperature: float | None = Field(None, ge=0)
    max_tokens: int | None = Field(None, ge=1)


class Guarded(Part):
    """An evaluation whose questions must not be trained on, though the recipe does not evaluate with it.

    task: a task, variant, generated task with parameters, or a suite. data, media, partial: as on the command line of
        `run`.
    """

    task: str
    data: str | None = None
    media: str | None = None
    partial: bool = False


class Paper(Part):
    """Where a published recipe comes from, and what of it could be checked."""

    source: str
    verified: bool = True
    note: str | None = None


class Recipe(Part):
    """A recipe, whole.

    clashes: what happens to rows that are questions of an evaluation: the recipe is refused, or they are dropped.
    id: as the file is called. base: `embedded`, a folder, or a hub name with `@revision`.
    seeds: the stages run once per seed. guard: evaluations besides `evaluate` that rows must not be from, such as
        `mindcube` or a suite. allow: evaluation tasks whose overlap with the training rows is accepted.
    """

    spec: Literal[1]
    id: Name
    title: str
    paper: Paper | None = None
    notes: list[str] = []
    base: str
    prompt: Prompt = Prompt()
    data: Sources = Field([], description="of every stage that gives none itself")
    rewards: Terms | str = []
    stages: list[Stage] = Field(min_length=1)
    evaluate: list[Exam] = []
    guard: list[Annotated[Guarded, BeforeValidator(_task)]] = []
    seeds: list[int] = Field([0], min_length=1)
    allow: list[str] = []
    clashes: Literal["refuse", "drop"] = "refuse"
    trl: dict[str, Any] = Field({}, description="arguments of every stage")

    def start_of(self, stage: Stage) -> str:
        """Return the name of the stage whose checkpoint `stage` starts from, or `base`."""
        place = self.stages.index(stage)
        return stage.start or (self.stages[place - 1].name if place else BASE)

    @model_validator(mode="after")
    def _whole(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if BASE in names:
            raise ValueError(f"a stage is called {BASE!r}, which is the model that training starts from; rename it")
        if len(set(names)) < len(names):
            raise ValueError("two stages have one name; give each its own")
        for place, stage in enumerate(self.stages):
            if stage.start not in {None, BASE, *names[:place]}:
                known = ", ".join([BASE, *names[:place]])
                raise ValueError(f"stage {stage.name!r} starts from {stage.start!r}; it can start from: {known}")
            if not (stage.data or self.data):
                raise ValueError(f"stage {stage.name!r} has no data: give the stage or the recipe some")
            if stage.method == "grpo" and not (stage.rewards or self.rewards):
                raise ValueError(f"stage {stage.name!r} is GRPO and has no rewards: give the stage or the recipe some")
        return self
