"""How an answer was read and what it is worth; and, apart from that, a failure, which is worth nothing either way.

A Failure is not a Score with value 0. It is another type without a value, so no mean can take it in by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from spatialeval.errors import FailureKind
    from spatialeval.samples import Answer

AnsweredState = Literal["scored", "unparsed", "truncated"]
State = Literal["scored", "unparsed", "truncated", "failed"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found in a reply.

    Attributes:
        value: the answer, or None when none could be read.
        rule: the name of the rule that found it, or of the reason why nothing was found.
        complete: True when the reply marks the answer as finished (a closed answer tag), so that a
            reply cut later by the token cap still counts.
    """

    value: Answer | None
    rule: str
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """The worth of one answered sample.

    Attributes:
        value: 0 to 1; None when the protocol leaves unread answers out of the mean.
        reading: what was read, and by which rule.
        state: "scored"; "unparsed" (answered, nothing could be read); "truncated" (the token cap cut the answer).
    """

    value: float | None
    reading: Reading
    state: AnsweredState


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer was had for a sample.

    Attributes:
        kind: why; see `spatialeval.errors.FailureKind`.
        message: what happened, without secrets.
        attempts: requests sent for it in the last run.
    """

    kind: FailureKind
    message: str
    attempts: int = 1
    state: ClassVar[Literal["failed"]] = "failed"


Outcome = Score | Failure
