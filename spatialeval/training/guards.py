"""Training rows must not be questions of an evaluation: same pictures, or the same words about the same pictures.

A row clashes with an evaluation task when one of its media has the SHA-256 of one of that task's, or when its
normalised question, with its options and text of the scene, is one of that task's and no picture tells them apart.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.errors import MediaError, UsageError
from spatialeval.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spatialeval.samples import Sample
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.rows import Row

_SPACE = re.compile(r"\s+")
_SHOWN = 5


class ContaminationError(UsageError):
    """Rows to train on are questions of an evaluation; the message lists them."""


@dataclass(frozen=True)
class Clash:
    """Training rows that are in an evaluation task.

    Attributes:
        task: the evaluation.
        by: "media" or "question".
        keys: of the rows.
    """

    task: str
    by: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        what = "show media" if self.by == "media" else "ask questions"
        return f"{len(self.keys):,} rows {what} of {self.task}, first {', '.join(self.keys[:_SHOWN])}"


def words_of(sample: Sample) -> str:
    """Return the digest of what is asked in words: question, options and texts of meta, in any case and spacing.

    Options are sorted, since shuffled options are the same question.
    """
    told = [sample.question, *sorted(sample.choices), *_texts(sample.meta)]
    text = "\n".join(_SPACE.sub(" ", part).strip().casefold() for part in told)
    return hashlib.sha256(text.encode()).hexdigest()


def clashes(rows: Sequence[Row], exams: Iterable[tuple[str, Sequence[Sample]]]) -> list[Clash]:
    """Return where rows are questions of evaluations.

    Args:
        rows: to train on.
        exams: name and samples of each evaluation task.
    """
    pictures = {row.key: _hashes(row.sample) for row in rows}
    worded = {row.key: words_of(row.sample) for row in rows}
    found = []
    for name, samples in exams:
        shown = {digest for sample in samples for digest in _hashes(sample)}
        asked = {(words_of(sample), bool(sample.media)) for sample in samples}
        by_media = [row.key for row in rows if pictures[row.key] & shown]
        by_words = [row.key for row in rows if not row.sample.media and (worded[row.key], False) in asked]
        found += [Clash(name, by, tuple(keys)) for by, keys in (("media", by_media), ("question", by_words)) if keys]
    return found


def check(found: RecipeFile, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows that may be trained on, and what is to be said of overlaps that are allowed or were dropped.

    Raises:
        ContaminationError: for overlaps with evaluations of the recipe that it does not allow by name, unless it says
            that such rows are dropped.
    """
    exams = []
    for exam in {(exam.task, exam.data, exam.media): exam for exam in found.recipe.evaluate}.values():
        if exam.kind == "in":
            continue
        where = [found.below(path) if path else None for path in (exam.data, exam.media)]
        exams.append((exam.task, load_task(exam.task).samples(where[0], where[1], partial=exam.partial)))
    held = clashes(rows, exams)
    allowed = [clash for clash in held if clash.task in found.recipe.allow]
    refused = [clash for clash in held if clash not in allowed]
    notes = [f"allowed: {clash}" for clash in allowed]
    if refused and found.recipe.clashes == "refuse":
        told = "\n".join(f"  {clash}" for clash in refused)
        names = ", ".join(Counter(clash.task for clash in refused))
        raise ContaminationError(
            f"{found.file}: rows to train on are questions of its evaluations:\n{told}\n"
            f"Leave them out (`clashes: drop`), or accept them by name: `allow: [{names}]` or --allow."
        )
    dropped = {key for clash in refused for key in clash.keys}
    notes += [f"dropped: {clash}" for clash in refused]
    return [row for row in rows if row.key not in dropped], notes


def _hashes(sample: Sample) -> set[str]:
    digests = set()
    for media in sample.media:
        try:
            digests.add(media.sha256)
        except MediaError:  # a row whose picture is missing fails when it is shown; it cannot clash
            continue
    return digests


def _texts(meta: object) -> list[str]:
    """Return the longer texts of meta (a maze, a story): a short one, such as a unit, tells nothing apart."""
    return [text for text in _leaves(json.loads(json.dumps(meta, default=str))) if len(text) > 40]


def _leaves(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key in sorted(value) for text in _leaves(value[key])]
    if isinstance(value, list):
        return [text for item in value for text in _leaves(item)]
    return []
