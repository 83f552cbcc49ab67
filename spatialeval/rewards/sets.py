"""Named sets of rewards: YAML files in `rewards/`, each with its source and examples whose values must come out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from spatialeval.errors import UnknownNameError
from spatialeval.grading import Grader
from spatialeval.readers import READERS
from spatialeval.rewards.reply import Reply
from spatialeval.rewards.terms import Terms  # noqa: TC001 - pydantic reads it
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS
from spatialeval.specs import parse_spec
from spatialeval.templates import shipped
from spatialeval.yamlfile import checked, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from spatialeval.registry import Registry


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Example(_Part):
    """A reply and what it is worth.

    Attributes:
        sample: fields of a Sample: id, answer, question, target, choices, labels, category, facets, meta.
        reader: `strict`, or a registered reader with options.
        scorer: a registered scorer with options; accuracy where left out.
        reply: the completion.
        finish: `length` for a reply that the cap cut.
        tokens: its length.
        others: further completions of the same prompt, for rewards that look at the group.
        values: reward name -> its value before the weight; null where it does not apply.
        total: the weighted sum.
        why: the arithmetic of the published formula.
    """

    sample: dict[str, Any]
    reader: str = "strict"
    scorer: str | None = None
    reply: str
    finish: Literal["stop", "length"] = "stop"
    tokens: int | None = None
    others: list[str] = []
    values: dict[str, float | None]
    total: float | None
    why: str = ""

    def given(self) -> Reply:
        """Return the reply, as training hands it to the rewards."""
        fields = {key: _frozen(value) if key != "meta" else value for key, value in self.sample.items()}
        sample = Sample(**{"id": "example", "question": "", **fields})
        kind = sample.answer
        reader = parse_spec(f"strict_{kind}" if self.reader == "strict" else self.reader)
        scorer = parse_spec(self.scorer or "accuracy")
        grader = Grader({kind: _made(READERS, *reader)}, {kind: _made(SCORERS, *scorer)})
        reply = Reply(sample, self.reply, grader, self.finish, self.tokens)
        group = (reply, *(Reply(sample, other, grader) for other in self.others))
        return replace(reply, group=group)


def _made(registry: Registry[Any], name: str, options: dict[str, Any]) -> Any:
    return registry.get(name)(**options)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class RewardSet(_Part):
    """The rewards of one published recipe.

    Attributes:
        source: where the formula stands.
        verified: whether it was read in the source's own code.
        note: what is changed or left out, and why.
    """

    title: str
    source: str
    verified: bool = True
    note: str | None = None
    rewards: Terms = Field(min_length=1)
    examples: list[Example] = []


def set_names() -> list[str]:
    """Return the names of all sets."""
    return sorted(file.stem for file in shipped("rewards").glob("*.yaml"))


def set_file(name: str) -> Path:
    """Return the file of a set; raise UnknownNameError when there is none."""
    file = shipped("rewards") / f"{name}.yaml"
    if not file.is_file():
        raise UnknownNameError("set of rewards", name, set_names())
    return file


def load_set(name: str) -> RewardSet:
    """Return the set called `name`.

    Raises:
        UnknownNameError: when there is none.
        TaskFileError: naming file, line and key of what is wrong in it.
    """
    file = set_file(name)
    raw, lines = read_yaml(file)
    return checked(RewardSet, raw, file, lines)
