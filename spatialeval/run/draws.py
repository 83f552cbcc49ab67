"""Pass@1 and Pass@k of a run that drew several replies to each question: every draw graded by itself."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

from spatialeval.run.summary import Drawn
from spatialeval.stats.estimate import estimate
from spatialeval.stats.passk import pass_at_k
from spatialeval.strategies.self_consistency import SelfConsistency

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from spatialeval.grading import Grader
    from spatialeval.run.journal import Journal
    from spatialeval.run.prepare import Prepared
    from spatialeval.run.records import Record
    from spatialeval.samples import Sample

Worth: TypeAlias = "Mapping[str, tuple[float, Hashable]]"
"""Question -> what it is worth, 0 to 1, and the cluster it is in."""


@dataclass(frozen=True)
class Draws:
    """How many of the replies to each item are right.

    Attributes:
        k: replies per item.
        counted: key of the item, its sample, replies, right ones.
    """

    k: int
    counted: tuple[tuple[str, Sample, int, int], ...]

    def shares(self, k: int) -> Worth:
        """Return pass@k of each question; where views ask it in several forms, their mean."""
        forms: dict[str, list[float]] = {}
        clusters: dict[str, Hashable] = {}
        for _, sample, replies, right in self.counted:
            if replies >= k:
                forms.setdefault(sample.id, []).append(pass_at_k(replies, right, k))
                clusters[sample.id] = ("group", sample.group) if sample.group else ("sample", sample.id)
        return {name: (fmean(values), clusters[name]) for name, values in forms.items()}

    def told(self) -> Drawn | None:
        """Return the means with their intervals; None where nothing was answered."""
        one, any_of = (self.shares(k).values() for k in (1, self.k))
        pass_1, pass_k = (estimate([v for v, _ in side], [c for _, c in side]) for side in (one, any_of))
        return Drawn(k=self.k, pass_1=pass_1, pass_k=pass_k) if pass_1 and pass_k else None


def draws_of(ready: Prepared, journal: Journal) -> Draws | None:
    """Return the draws of a run by self-consistency; None for another strategy.

    A draw of several calls, and replies that a judge has read, cannot be graded one by one: there it is None, too.
    """
    strategy = ready.strategy
    if not isinstance(strategy, SelfConsistency) or strategy.inner.calls > 1 or ready.spec.judge:
        return None
    grader = ready.protocol.strict_grader if strategy.reader == "strict" else ready.protocol.grader
    samples = {item.key: item.sample for item in ready.items}
    return Draws(strategy.k, tuple(right_of(journal.records(samples), samples, grader)))


def right_of(
    records: Iterable[Record], samples: Mapping[str, Sample], grader: Grader
) -> Iterator[tuple[str, Sample, int, int]]:
    """Yield key, sample, replies and right replies of each answered item; a reply is right when its score is 1.

    Args:
        records: of a self-consistency run of a strategy with one call, their calls included.
        samples: by the items' keys.
        grader: reads the replies.
    """
    for record in records:
        if record.state == "failed":
            continue
        sample = samples[record.key]
        told = [(str(call.response["text"]), call.response["finish"]) for call in record.calls]
        scores = [grader.grade(sample, text, finish) for text, finish in told]
        yield record.key, sample, len(scores), sum(score.value == 1.0 for score in scores)
