"""The questions of generated tasks made anew, as the views showed them: their pictures, and what an answer means."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spatialeval.data.fingerprint import fingerprint
from spatialeval.errors import SpatialEvalError
from spatialeval.run.asking import bound_views, expand, parse_asking
from spatialeval.run.questions import back
from spatialeval.run.samplefile import as_text
from spatialeval.stats import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from spatialeval.report.html.board import BoardRun
    from spatialeval.run.records import Item
    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks import Task

_CLOSE = 1e-6
_WORDS = frozenset({"choice", "yesno", "label", "text"})
"""Answer types whose answers are text in samples.parquet as they are anywhere."""


class Remade:
    """The samples of one task; none where it is not generated, or its file is not here any more."""

    def __init__(self, task: Task | None) -> None:
        self._task = task

    @cached_property
    def samples(self) -> Sequence[Sample]:
        """All samples of the task."""
        if self._task is None or not self._task.spec.data.source.startswith("generate:"):
            return ()
        try:
            return self._task.samples()
        except SpatialEvalError:  # what generates it is not installed
            return ()

    @cached_property
    def _data(self) -> str:
        return fingerprint(self.samples)

    def items(self, run: BoardRun) -> dict[str, Item]:
        """Return key -> what a run asked; nothing where the samples are not here, or are not the run's any more."""
        if self._task is None or not self.samples or run.data != self._data:
            return {}
        try:
            _, views = parse_asking(run.strategy)
            bound = bound_views(views, self._task, self.samples, self._task.protocol(run.protocol))
            return {item.key: item for item in expand(self.samples, bound).items}
        except SpatialEvalError:  # a view or a protocol that is not here any more
            return {}

    def shown(self, runs: Sequence[BoardRun]) -> Iterator[Sample]:
        """Yield the samples, and each of them as the views of some run showed it."""
        yield from self.samples
        for strategy, run in {run.strategy: run for run in runs}.items():
            if "+" in strategy:
                yield from (item.sample for item in self.items(run).values())


def consistency(
    plain: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]], items: Mapping[str, Item]
) -> Estimate | None:
    """Return the share of changed questions whose answer agrees with that to the unchanged one, as `robust` does.

    Args:
        plain: key, sample_id, score, group and read of each row of the run on unchanged questions.
        changed: the same of the run on changed ones.
        items: key -> what was asked; answers are the same or not under its views' own maps.
    """
    if any(row["key"] not in items or items[row["key"]].sample.answer not in {*_WORDS, "number"} for row in changed):
        return None
    before = {row["sample_id"]: row["read"] for row in plain if row["score"] is not None}
    rows = [row for row in changed if items[row["key"]].sample != items[row["key"]].origin]
    failed = {row["sample_id"] for row in rows if row["score"] is None}
    values: list[float] = []
    clusters: list[Hashable] = []
    for row in rows:
        first, item = before.get(row["sample_id"]), items[row["key"]]
        if row["sample_id"] in failed or first is None or row["read"] is None:
            continue
        answer: Answer = float(row["read"]) if item.sample.answer == "number" else row["read"]
        values.append(float(_same(first, back(item, answer))))
        clusters.append(("group", row["group"]) if row["group"] else ("sample", row["sample_id"]))
    return estimate(values, clusters) if values else None


def _same(read: str, answer: Answer) -> bool:
    if isinstance(answer, float):
        return math.isclose(float(read), answer, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return read == as_text(answer)
