"""Rewards outside of our training: the reward module that `train --export` writes calls them by a row's key."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from spatialeval.errors import DataError, StorageError
from spatialeval.media import Media
from spatialeval.rewards.reply import Reply, grouped
from spatialeval.rewards.terms import Terms, bind
from spatialeval.samples import Sample
from spatialeval.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spatialeval.grading import Grader
    from spatialeval.rewards.terms import BoundTerm, Term
    from spatialeval.training.rows import Row

FILE_NAME = "rewards.json"
ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Worth:
    """What a reply is worth: each reward before its weight, None where it does not apply, and the weighted sum."""

    values: dict[str, float | None]
    total: float | None

    @property
    def applying(self) -> dict[str, float]:
        """The rewards that apply."""
        return {name: value for name, value in self.values.items() if value is not None}


@dataclass(frozen=True)
class Rewards:
    """The rewards of an exported stage, with its rows.

    Attributes:
        terms: as the recipe says them.
        samples: by key, without their pictures.
        graders: by key.
        most: tokens of a completion; one of as many was cut.
    """

    terms: tuple[BoundTerm, ...]
    samples: Mapping[str, Sample]
    graders: Mapping[str, Grader]
    most: int

    @classmethod
    def load(cls, folder: Path) -> Rewards:
        """Return what `write` has written; raise StorageError when it cannot be read."""
        try:
            told = json.loads((folder / FILE_NAME).read_bytes())
            lines = [json.loads(line) for line in (folder / ROWS).read_bytes().splitlines()]
        except (OSError, ValueError) as error:
            raise StorageError(
                f"the exported rewards in {folder} cannot be read ({error}). Export them again."
            ) from error
        terms = bind(TypeAdapter(Terms).validate_python(told["rewards"]))
        graders: dict[tuple[str, str | None, bool], Grader] = {}
        samples, by_key = {}, {}
        for line in lines:
            how = line["task"], line["protocol"], line["strict"]
            if how not in graders:
                protocol = load_task(how[0]).protocol(how[1])
                graders[how] = protocol.strict_grader if how[2] else protocol.grader
            samples[line["key"]], by_key[line["key"]] = _sample(line["sample"]), graders[how]
        return cls(terms, samples, by_key, told["most"])

    def worth(
        self, keys: Sequence[str], texts: Sequence[str], tokens: Sequence[int | None] | None = None
    ) -> list[Worth]:
        """Return what the replies of a batch are worth; those of one key are a group.

        Raises:
            DataError: for a key of no exported row.
            RewardError: when a reward raises; nothing becomes 0.
        """
        counted = tokens or [None] * len(keys)
        replies = [self._reply(*each) for each in zip(keys, texts, counted, strict=True)]
        return [self._worth(reply) for reply in grouped(keys, replies)]

    def _reply(self, key: str, text: str, tokens: int | None) -> Reply:
        if key not in self.samples:
            raise DataError(f"there is no row {key!r} among the exported ones. Export data and rewards together.")
        cut = tokens is not None and tokens >= self.most
        return Reply(self.samples[key], text, self.graders[key], "length" if cut else "stop", tokens)

    def _worth(self, reply: Reply) -> Worth:
        values = {term.name: term(reply) for term in self.terms}
        weights = {term.name: term.term.weight for term in self.terms}
        paid = [weights[name] * value for name, value in values.items() if value is not None]
        return Worth(values, sum(paid) if paid else None)


def write(folder: Path, rows: Sequence[Row], terms: Sequence[Term], most: int) -> list[Path]:
    """Write what `Rewards.load` reads; return the files."""
    dumped = {"format": 1, "most": most, "rewards": [term.model_dump(mode="json") for term in terms]}
    (folder / FILE_NAME).write_text(json.dumps(dumped, indent=2) + "\n")
    with (folder / ROWS).open("w") as stream:
        for row in rows:
            stream.write(json.dumps(_line(row), ensure_ascii=False) + "\n")
    return [folder / FILE_NAME, folder / ROWS]


def _line(row: Row) -> dict[str, Any]:
    strict = row.prompt.reader == "strict" or row.strategy.reader == "strict"
    told = {
        field.name: getattr(row.sample, field.name) for field in fields(Sample) if field.name not in {"media", "mask"}
    }
    if row.sample.mask is not None:
        told["mask"] = base64.b64encode(row.sample.mask.read()).decode()
    return {"key": row.key, "task": row.task, "protocol": row.prompt.protocol, "strict": strict, "sample": told}


def _sample(told: dict[str, Any]) -> Sample:
    mask = told.pop("mask", None)
    meta = told.pop("meta")
    plain = {name: _tuples(value) for name, value in told.items()}
    return Sample(**plain, meta=meta, mask=Media("image", "mask", base64.b64decode(mask)) if mask else None)


def _tuples(value: Any) -> Any:
    """Return a value with its lists as tuples, as samples hold them."""
    if isinstance(value, list):
        return tuple(_tuples(each) for each in value)
    if isinstance(value, dict):
        return {key: _tuples(each) for key, each in value.items()}
    return value
