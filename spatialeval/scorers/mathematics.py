"""The scorer of mathematical answers: equal as expressions, not as texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spatialeval.errors import UsageError
from spatialeval.scorers import SCORERS
from spatialeval.scorers.mathworker import worker
from spatialeval.scorers.texts import accepted

if TYPE_CHECKING:
    from spatialeval.samples import Answer, AnswerType, Sample

_LONGEST = 2000


@SCORERS.register("math_equal")
@dataclass(frozen=True)
class MathEqual:
    r"""1 when math-verify finds the answer equal to the target, or one of `sample.meta["accepted"]`; else 0.

    Answers are read as LaTeX or plain expressions: "\frac{1}{2}", "1/2" and "0.5" are equal. Needs the package
    math-verify (`pip install "spatialeval[math]"`). Its own time limits need signals and the main thread; the comparing
    is done in a process of its own instead, which is stopped when it takes too long. An answer that takes longer or has
    more than 2,000 characters, is wrong.

    Attributes:
        digits: decimals to which numbers are compared.
        relative: where given, expressions whose values differ by at most this share are equal as well.
        seconds: the longest comparison.
    """

    digits: int = 6
    relative: float = 0.0
    seconds: float = 10.0
    answers: ClassVar[frozenset[AnswerType]] = frozenset({"text"})
    slow: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse limits that leave no time."""
        if self.digits < 0 or not 0 <= self.relative < 1 or self.seconds <= 0:
            raise UsageError(f"math_equal: {self!r}: give digits from 0 on, relative from 0 to 1 and seconds above 0.")

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return 1 or 0; raise UsageError when math-verify is not installed."""
        said = str(answer).strip()
        if len(said) > _LONGEST:
            return 0.0
        golds = accepted(sample)
        if said and said in (gold.strip() for gold in golds):
            return 1.0
        how = self.digits, self.relative, self.seconds
        return float(any(worker().equal(gold, said, *how) for gold in golds))
