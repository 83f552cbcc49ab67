"""What a recipe would do, without training: its data, what replies would earn, TRL's arguments, an estimate."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.models.hf.checkpoint import locate
from spatialeval.rewards.reply import Reply
from spatialeval.rewards.terms import total
from spatialeval.run.plan import rough_tokens
from spatialeval.training.arguments import config_of, derived
from spatialeval.training.load import terms_of
from spatialeval.training.stages import askable, base_of
from spatialeval.written import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.rewards.terms import BoundTerm
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.rows import Row, Rows
    from spatialeval.training.schema import Stage

_SHOWN = 2
_NO_THOUGHT = re.compile(r"<([A-Za-z][\w-]*)></\1>")
_BYTES = {"weights": 4, "gradients": 4, "moments": 8}
"""Bytes per trained weight in float32 with AdamW."""


@dataclass(frozen=True)
class Canned:
    """A reply nobody gave, and what it would earn: each reward before its weight, and the sum."""

    name: str
    text: str
    values: dict[str, float | None]
    total: float | None


@dataclass(frozen=True)
class Preview:
    """One stage.

    Attributes:
        stage: it.
        rows: its data.
        prompts: (the last turn's words, canned replies) of the first rows.
        arguments: what TRL is given, and where TRL is installed every further argument that is not TRL's default.
        notes: overlaps that are allowed.
        steps: optimiser steps; None where only the trainer can tell.
        completions: replies that are generated; 0 in SFT.
        tokens: rough number of tokens that go through the model.
        weights: of the base, where it is at hand.
    """

    stage: Stage
    rows: Rows
    prompts: list[tuple[str, list[Canned]]]
    arguments: dict[str, Any]
    notes: list[str]
    steps: int | None
    completions: int
    tokens: int
    weights: int | None

    @property
    def memory(self) -> int | None:
        """Bytes of weights, gradients and moments in float32 without activations; None where the base is not here."""
        if self.weights is None:
            return None
        share = 0.01 if self.stage.lora else 1.0  # adapters of usual ranks are about a hundredth of the weights
        return round(self.weights * (_BYTES["weights"] + share * (_BYTES["gradients"] + _BYTES["moments"])))

    @property
    def operations(self) -> float | None:
        """Floating-point operations, 6 per weight and token trained and 2 generated (Kaplan et al. 2020, table 1)."""
        if self.weights is None or self.steps is None:
            return None
        return float(self.weights * self.tokens * (8 if self.completions else 6))


def previews(found: RecipeFile, seed: int) -> Iterator[Preview]:
    """Yield what each stage would do.

    Raises:
        ContaminationError: when rows are questions of an evaluation.
        TaskFileError: for arguments that TRL does not take, where it is installed.
    """
    weights = weights_of(base_of(found))
    for stage in found.recipe.stages:
        rows, notes = askable(found, stage, seed)
        given = derived(found, stage, seed, Path("OUT"))
        config = config_of(found, stage, given) if _has_trl() else None
        steps, completions = _work(stage, len(rows.rows), config)
        terms = terms_of(found.recipe, stage) if stage.method == "grpo" else ()
        prompts = [(row.request.messages[-1].text, canned(row, terms)) for row in rows.rows[:_SHOWN]]
        longest = max((rough_tokens(row.request) for row in rows.rows[:: max(1, len(rows.rows) // 64)]), default=0)
        most = getattr(config, "max_completion_length", None) or 32
        tokens = (completions or (steps or 0) * _batch(config)) * (longest + most)
        shown = {**given, **_changed(config)} if config is not None else given
        yield Preview(stage, rows, prompts, shown, notes, steps, completions, tokens, weights)


def canned(row: Row, terms: Sequence[BoundTerm]) -> list[Canned]:
    """Return what typical replies to a row would earn: the right answer bare and in tags, a wrong one, none.

    Protocols write their gold with empty thoughts, which rewards of form do not take for one: it is shown filled, too.
    """
    gold = row.answer
    thought = _NO_THOUGHT.sub(r"<\1>because</\1>", gold)
    bare = written(row.sample.target, row.sample.answer)
    texts = {
        "right": gold,
        **({"right, thought": thought} if thought != gold else {}),
        "right in tags": f"<think>because</think><answer>{bare}</answer>",
        "two answers": f"<answer>{bare}</answer><answer>{bare}</answer>",
        "no answer": "I cannot tell.",
        "empty": "",
    }
    replies = [(name, text, Reply(row.sample, text, row.grader, tokens=len(text) // 4)) for name, text in texts.items()]
    return [
        Canned(name, text, {term.name: term(reply) for term in terms}, total(terms, reply))
        for name, text, reply in replies
    ]


def weights_of(base: str) -> int | None:
    """Return how many weights a checkpoint in a folder has, from the headers of its safetensors; None elsewhere."""
    folder = Path(base)
    if not folder.is_dir():
        return None
    locate(base)
    count = 0
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        for name, told in header.items():
            if name != "__metadata__":
                size = 1
                for length in told["shape"]:
                    size *= length
                count += size
    return count or None


def _has_trl() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - only here

    return find_spec("trl") is not None


def _changed(config: Any) -> dict[str, Any]:
    """Return the arguments that differ from their defaults in TRL."""
    plain = {field.name: field.default for field in fields(config)}
    simple = (str, int, float, bool, list, type(None))
    return {
        name: value
        for name, default in plain.items()
        if isinstance(value := getattr(config, name), simple) and value != default and name != "output_dir"
    }


def _batch(config: Any) -> int:
    if config is None:
        return 1
    return int(config.per_device_train_batch_size * config.gradient_accumulation_steps)


def _work(stage: Stage, rows: int, config: Any) -> tuple[int | None, int]:
    """Return optimiser steps and generated completions on one process."""
    if config is None:
        return None, 0
    each = _batch(config)
    group = config.num_generations if stage.method == "grpo" else 1
    per_epoch = max(1, rows * group // each)
    steps = config.max_steps if config.max_steps > 0 else round(per_epoch * config.num_train_epochs)
    return steps, steps * each // max(1, getattr(config, "num_iterations", 1)) if stage.method == "grpo" else 0
