"""Training rows must not be questions of an evaluation: same pictures, or the same words about the same pictures.

A row clashes with an evaluation task when one of its media has the SHA-256 of one of that task's, when it shows a
ScanNet room of that task's (videos of one room are cut in many ways), or when its normalised question, with its options
and text of the scene, is one of that task's and no picture tells them apart. A row that is dropped takes its views with
it: a mirrored picture has other bytes. So has one that was stored anew, in another format or size; it is not found.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spatialeval.errors import MediaError, MissingDataError, UsageError
from spatialeval.tasks import load_task
from spatialeval.tasks.suites import expand

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from spatialeval.media import Media
    from spatialeval.samples import Sample
    from spatialeval.training.load import RecipeFile
    from spatialeval.training.rows import Row
    from spatialeval.training.schema import Exam, Guarded

_SPACE = re.compile(r"\s+")
_SHOWN = 5

_ROOM = re.compile(r"scene\d{4}(?=_\d{2})")
"""ScanNet's name of a room; scene0011_00 and scene0011_01 are two scans of one."""


class ContaminationError(UsageError):
    """Rows to train on are questions of an evaluation; the message lists them."""


@dataclass(frozen=True)
class Clash:
    """Training rows that are in an evaluation task.

    Attributes:
        task: the evaluation.
        by: "media", "room" or "question".
        keys: of the rows.
    """

    task: str
    by: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        what = {"media": "show media", "room": "show ScanNet rooms", "question": "ask questions"}[self.by]
        return f"{len(self.keys):,} rows {what} of {self.task}, first {', '.join(self.keys[:_SHOWN])}"


def words_of(sample: Sample) -> tuple[str, frozenset[str]]:
    """Return the digest of question and options, and the texts of meta, all in any case and spacing.

    Options are sorted, since shuffled options are the same question.
    """
    told = [_plain(part) for part in (sample.question, *sorted(sample.choices))]
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return digest, frozenset(map(_plain, _texts(sample.meta)))


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


def _is_asked(words: tuple[str, frozenset[str]], asked: Mapping[str, Collection[frozenset[str]]]) -> bool:
    """Tell whether the same is asked about the same: one of the two may have further texts, such as a solution."""
    digest, texts = words
    there = asked.get(digest, ())
    return texts in there or any(texts <= others or others <= texts for others in there)


def rooms_of(sample: Sample) -> set[str]:
    """Return the rooms of ScanNet that a sample shows, by what it and its media are called."""
    named = [sample.id, sample.group or "", *(media.name for media in sample.media)]
    return {room for name in named for room in _ROOM.findall(name)} if sample.media else set()


def clashes(rows: Sequence[Row], exams: Iterable[tuple[str, Sequence[Sample]]]) -> list[Clash]:
    """Return where rows are questions of evaluations.

    Args:
        rows: to train on.
        exams: name and samples of each evaluation task.
    """
    hashes = _Hashes()
    worded = {row.key: words_of(row.sample) for row in rows if not row.sample.media}
    sizes = {size_of(media) for row in rows for media in row.sample.media}
    found = []
    for name, samples in exams:
        there = {size_of(media) for sample in samples for media in sample.media}
        shown = {digest for sample in samples for digest in hashes.of(sample, sizes)}
        asked: dict[str, set[frozenset[str]]] = {}
        for digest, texts in (words_of(sample) for sample in samples if not sample.media):
            asked.setdefault(digest, set()).add(texts)
        rooms = {room for sample in samples for room in rooms_of(sample)}
        by_media = [row.key for row in rows if shown & hashes.of(row.sample, there)]
        by_room = [row.key for row in rows if rooms and rooms_of(row.sample) & rooms]
        by_words = [key for key, words in worded.items() if _is_asked(words, asked)]
        clashing = (("media", by_media), ("room", by_room), ("question", by_words))
        found += [Clash(name, by, tuple(keys)) for by, keys in clashing if keys]
    return found


def check(found: RecipeFile, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows that may be trained on, and what is to be said of overlaps that are allowed or were dropped.

    Raises:
        ContaminationError: for overlaps with evaluations of the recipe, or those of its `guard`, that it does not allow
            by name, unless it says that such rows are dropped.
    """
    held = clashes(rows, _evaluations(found))
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
    notes += [f"dropped: {clash}" for clash in refused]
    clashing = {key for clash in refused for key in clash.keys}
    dropped = {(row.task, row.sample.id) for row in rows if row.key in clashing}
    kept = [row for row in rows if (row.task, row.sample.id) not in dropped]
    if views := len(rows) - len(kept) - len(clashing):
        notes.append(f"dropped: {views:,} rows more, which are views of these")
    return kept, notes


def _evaluations(found: RecipeFile) -> Iterator[tuple[str, Sequence[Sample]]]:
    """Yield the evaluations that rows must not be from, each once: the recipe's own but `in`, and those of `guard`."""
    named: list[Exam | Guarded] = [exam for exam in found.recipe.evaluate if exam.kind != "in"]
    named += found.recipe.guard
    wanted = {(name, one.data, one.media): one.partial for one in named for name in expand([one.task])}
    for (name, *places), partial in wanted.items():
        data, media = (found.below(path) if path else None for path in places)
        try:
            samples = load_task(name).samples(data, media, partial=partial)
        except MissingDataError as error:
            raise MissingDataError(
                f"{found.file}: rows to train on must be no questions of {name}, whose rows are not here. {error}"
            ) from error
        yield name, samples


@dataclass(frozen=True)
class _Hashes:
    """The SHA-256 of media; a file that many samples show is read once."""

    files: dict[Path, str | None] = field(default_factory=dict)

    def of(self, sample: Sample, sizes: Collection[int | None]) -> set[str]:
        """Return the digests of the media that may be among others of these sizes: equal bytes are equally many."""
        shown = [media for media in sample.media if None in sizes or (size := size_of(media)) is None or size in sizes]
        return {digest for digest in map(self._digest, shown) if digest}

    def _digest(self, media: Media) -> str | None:
        if not isinstance(media.source, Path):
            return _digest_of(media)
        if media.source not in self.files:
            self.files[media.source] = _digest_of(media)
        return self.files[media.source]


def size_of(media: Media) -> int | None:
    """Return the bytes of media that can be counted without reading them, 0 for a missing file, else None."""
    if isinstance(media.source, bytes):
        return len(media.source)
    if not isinstance(media.source, Path):
        return None
    try:
        return media.source.stat().st_size
    except OSError:
        return 0


def _digest_of(media: Media) -> str | None:
    try:
        return media.sha256
    except MediaError:  # a row whose picture is missing fails when it is shown; it cannot clash
        return None


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
