"""What a recipe says about its rewards: terms with weights, for which answer types, and behind which gate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from spatialeval.errors import SpatialEvalError, UnknownNameError, UsageError
from spatialeval.rewards import REWARDS, Reward
from spatialeval.samples import AnswerType  # noqa: TC001 - pydantic reads it
from spatialeval.specs import parse_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gate(_Part):
    """The term is paid only where the reward `use` is more than `above`; it is 0 elsewhere."""

    use: str
    above: float = 0.5


def _named(value: Any) -> Any:
    return {"use": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Term(_Part):
    """One reward of a recipe; each is logged by its own name.

    Attributes:
        use: a reward with its options, such as `score`, `score(unparsed=-0.2)`, `tags(names=[think, answer])`.
        name: what its curve is called; the reward's own name when left out.
        weight: what it is multiplied with in the sum.
        only: answer types it applies to; the others get None, which counts as not there.
        where: meta, facet or category values it applies to, such as {kind: [distance]}.
        gate: what must hold for it to be paid; of several, all.
    """

    use: str
    name: str | None = None
    weight: float = 1.0
    only: list[AnswerType] | None = Field(None, min_length=1)
    where: dict[str, list[str]] = {}
    gate: Annotated[list[Annotated[Gate, BeforeValidator(_named)]], BeforeValidator(_listed)] = []


Terms = list[Annotated[Term, BeforeValidator(_named)]]
"""As a recipe lists them; a text alone stands for a term of weight 1."""


class RewardError(SpatialEvalError):
    """A reward raised, or gave what is no number; it names the reward, the sample and the reply."""


@dataclass(frozen=True)
class BoundTerm:
    """A term whose names are looked up. Calling it rewards a reply.

    Attributes:
        term: as the recipe says it.
        reward: what it uses.
        gates: what its gates use.
    """

    term: Term
    reward: Reward
    gates: tuple[Reward, ...] = ()

    @property
    def name(self) -> str:
        """What its curve is called."""
        return self.term.name or parse_spec(self.term.use)[0]

    def __call__(self, reply: Reply) -> float | None:
        """Return the reward before its weight; None where the term does not apply.

        Raises:
            RewardError: when the reward raises or gives what is no finite number; never a 0 in its place.
        """
        if not self._applies(reply):
            return None
        for gate, uses in zip(self.term.gate, self.gates, strict=True):
            passed = _value(uses, reply, f"the gate of {self.name}")
            if passed is None or passed <= gate.above:
                return 0.0
        return _value(self.reward, reply, self.name)

    def _applies(self, reply: Reply) -> bool:
        if self.term.only is not None and reply.sample.answer not in self.term.only:
            return False
        for key, wanted in self.term.where.items():
            held = reply.fact(key)
            values = held if isinstance(held, (list, tuple)) else (held,)
            if not {str(value) for value in values} & set(wanted):
                return False
        return True


def bind(terms: Sequence[Term]) -> tuple[BoundTerm, ...]:
    """Return the terms ready to use.

    Raises:
        UsageError: for a malformed term, an option with a wrong value, or two terms of one name.
        UnknownNameError: for an unknown reward or option.
    """
    bound = tuple(
        BoundTerm(term, make_reward(term.use), tuple(make_reward(gate.use) for gate in term.gate)) for term in terms
    )
    names = [term.name for term in bound]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two rewards are called {repeated[0]!r}. Give one of them another `name`.")
    return bound


def make_reward(text: str) -> Reward:
    """Return the reward that `name(option=value)` names."""
    name, options = parse_spec(text)
    make = REWARDS.get(name)
    known = list(getattr(make, "__dataclass_fields__", {}))
    for option in options:
        if option not in known:
            raise UnknownNameError(f"option of reward {name!r}", option, known)
    try:
        return make(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"reward {text!r}: {error}. Correct the option.") from error


def total(terms: Sequence[BoundTerm], reply: Reply) -> float | None:
    """Return the weighted sum of the terms that apply, as TRL sums them; None where none applies."""
    values = [(term.term.weight, term(reply)) for term in terms]
    paid = [weight * value for weight, value in values if value is not None]
    return sum(paid) if paid else None


def _value(reward: Reward, reply: Reply, name: str) -> float | None:
    try:
        value = reward(reply)
    except Exception as error:
        raise RewardError(
            f"the reward {name!r} raised {type(error).__name__}: {error} for sample {reply.sample.id!r} and the reply "
            f"{reply.text[:200]!r}. Mend the reward or the row, then run the same command again: training goes on from "
            "its last checkpoint."
        ) from error
    if value is not None and not math.isfinite(value):
        raise RewardError(f"the reward {name!r} is {value} for sample {reply.sample.id!r}; it must be a finite number.")
    return value
