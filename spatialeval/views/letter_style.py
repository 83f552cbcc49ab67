"""letter-style: the options called otherwise, "(A)", "A)", "a)" or "1." instead of "A.".

Which options are right, and where they stand, stays: what changes is a habit of format. Applies where the protocol's
words are known to suit: one that says "answer with A, B, C or D" cannot be asked with numbers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from spatialeval.edits import Refused
from spatialeval.edits.labels import STYLES, check_names, marks_of
from spatialeval.views.base import VIEWS, Skipped, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol
    from spatialeval.views.base import Reduce
    from spatialeval.views.ruled import Kind


@VIEWS.register("letter-style")
@dataclass(frozen=True)
class LetterStyle(View):
    """The same options under other names. With `a)` and `1.` replies are read by these names.

    Attributes:
        of: "dot" (A.), "round" ((A)), "half" (A)), "lower" (a)), "number" (1.), or "all": each that the protocol's
            words allow and that is not the one there is. Of one style alone, samples it cannot have are counted.
        pair: also ask the sample as it is; all count as one, right when all are.
    """

    name: ClassVar[str] = "letter-style"
    kind: ClassVar[Kind] = "invariant"
    family: ClassVar[str] = "options"
    _protocol: ClassVar[TaskProtocol | None] = None

    of: str = "all"
    pair: bool = False

    def __post_init__(self) -> None:
        """Refuse an unknown style."""
        if self.of not in {"all", *STYLES}:
            raise ValueError(f"of is all, {', '.join(STYLES)}, not {self.of!r}")

    @property
    def reduce(self) -> Reduce:
        """All right, for pairs."""
        return "all" if self.pair else "each"

    def asked_by(self, protocol: TaskProtocol) -> Self:
        """Return the view for the words of a protocol."""
        view = copy.copy(self)
        object.__setattr__(view, "_protocol", protocol)
        return view

    def expand(self, sample: Sample) -> Mapping[str, Sample] | Skipped:
        """Return the sample in the styles it can have."""
        if sample.answer != "choice" or len(sample.choices) < 2:
            return Skipped("no options")
        forms: dict[str, Sample] = {"same": sample} if self.pair else {}
        reasons = []
        for style in STYLES if self.of == "all" else (self.of,):
            try:
                forms[style] = self._shown(sample, style)
            except Refused as refused:
                reasons.append(refused.reason)
        return forms if len(forms) > self.pair else Skipped(next(r for r in reasons if r != _SAME or len(reasons) == 1))

    def _shown(self, sample: Sample, style: str) -> Sample:
        if self._protocol is None:
            raise Refused("unknown protocol")
        judge = self._protocol.spec.judge
        shown = replace(sample, marks=marks_of(style, len(sample.choices)))
        if len(shown.marks) < len(sample.choices):
            raise Refused("options:many")
        if judge and "choice" in judge.answers and shown.names != shown.letters:
            raise Refused("judge")
        check_names(shown)
        words = self._protocol.words(shown)
        self._protocol.system_words(shown)
        if words == self._protocol.words(sample):
            raise Refused(_SAME)
        return shown


_SAME = "style:same"
