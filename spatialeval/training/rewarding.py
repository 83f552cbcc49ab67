"""Our rewards as the functions that TRL calls, with every value kept for the record of completions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spatialeval.rewards.reply import Reply, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spatialeval.rewards.terms import BoundTerm
    from spatialeval.training.completions import Completions
    from spatialeval.training.rows import Row

Completion = str | list[dict[str, Any]]
"""As TRL hands it over: a text, or a list of messages."""


@dataclass
class RewardFunctions:
    """One function per term. They share the replies of a batch, so that each completion is graded once.

    Attributes:
        rows: by key; the data set's column `row` names one.
        terms: the rewards.
        ends: tokens that end a completion; one without them was cut by the cap.
        completions: keeps what was seen.
    """

    rows: Mapping[str, Row]
    terms: Sequence[BoundTerm]
    ends: frozenset[int]
    completions: Completions
    _batch: tuple[object, tuple[Reply, ...]] | None = field(default=None, repr=False)

    def functions(self) -> list[Callable[..., list[float | None]]]:
        """Return one function per term, named as its curve is called."""
        return [self._function(term) for term in self.terms]

    @property
    def weights(self) -> list[float]:
        """The weights of the functions, in their order."""
        return [term.term.weight for term in self.terms]

    def replies(
        self, keys: Sequence[str], completions: Sequence[Completion], ids: Sequence[Sequence[int]]
    ) -> tuple[Reply, ...]:
        """Return the batch's completions as replies that know their group."""
        if self._batch is not None and self._batch[0] is completions:
            return self._batch[1]
        made = grouped(keys, [self._reply(*each) for each in zip(keys, completions, ids, strict=True)])
        self._batch = completions, made
        return made

    def _reply(self, key: str, completion: Completion, ids: Sequence[int]) -> Reply:
        row = self.rows[key]
        cut = not self.ends & set(ids[-1:])
        return Reply(row.sample, text_of(completion), row.grader, "length" if cut else "stop", len(ids))

    def _function(self, term: BoundTerm) -> Callable[..., list[float | None]]:
        def rewarded(
            *,
            completions: Sequence[Completion],
            completion_ids: Sequence[Sequence[int]],
            row: Sequence[str],
            trainer_state: Any,
            **_: Any,
        ) -> list[float | None]:
            replies = self.replies(row, completions, completion_ids)
            values = [term(reply) for reply in replies]
            self.completions.add(trainer_state.global_step, row, replies, {term.name: values})
            return values

        rewarded.__name__ = term.name
        return rewarded


def looks_at_group(term: BoundTerm) -> bool:
    """Tell whether a reward, or a gate of it, looks at the other completions of its prompt."""
    return "in_group" in term.term.model_dump_json()


def text_of(completion: Completion) -> str:
    """Return the text of a completion in either form."""
    if isinstance(completion, str):
        return completion
    parts = [message.get("content") for message in completion]
    return "".join(
        part if isinstance(part, str) else "".join(piece.get("text", "") for piece in part or []) for part in parts
    )
