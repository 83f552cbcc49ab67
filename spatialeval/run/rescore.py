"""Scores replies that were saved earlier, by this package or any other, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spatialeval.errors import DataError
from spatialeval.models.replay import SavedReply, read_replies
from spatialeval.run.manifest import package_versions
from spatialeval.run.records import Item, Record
from spatialeval.run.results import about_run, write_summary
from spatialeval.run.samplefile import FILE_NAME as SAMPLES
from spatialeval.run.samplefile import write_samples
from spatialeval.run.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from spatialeval.grading import Grader
    from spatialeval.run.summary import Summary
    from spatialeval.samples import Sample
    from spatialeval.tasks import Task, TaskProtocol

STRATEGY = "saved"
"""What a summary of saved replies gives as strategy: nobody knows how they were asked."""

_SHOWN = 5


class Rescored(NamedTuple):
    """What saved replies are worth: the numbers, and a record per reply, without calls."""

    summary: Summary
    records: list[Record]


def score_file(
    task: Task,
    protocol: TaskProtocol,
    file: Path,
    *,
    data: Path | None = None,
    media: Path | None = None,
    partial: bool = False,
    id_column: str | None = None,
    response_column: str | None = None,
    ignore_unknown: bool = False,
    model: str | None = None,
) -> Rescored:
    """Return what the replies in `file` score under `protocol`; samples without a reply count as missing.

    Args:
        task: the task that the replies answer.
        protocol: reads and scores them.
        file: JSONL, CSV or Parquet, see `spatialeval.models.replay`.
        data: local data of the task instead of the hub's.
        media: folder of media files; none is read.
        partial: accept data with fewer or more rows than the task file expects.
        id_column: the column of sample ids; None finds it.
        response_column: the column of replies; None finds it.
        ignore_unknown: leave out replies to ids that the task lacks instead of refusing the file.
        model: who gave the replies; the file's name when left out.

    Raises:
        DataError: when the file cannot be read, or replies to samples that the task does not have.
    """
    replies = read_replies(file, id_column, response_column)
    samples = task.samples(data, media, partial=partial)
    if not ignore_unknown:
        _check_known(task, file, replies, {sample.id for sample in samples})
    records = grade_replies(samples, replies, protocol.grader)
    tally = Tally(task, protocol, [Item(sample) for sample in samples])
    for record in records:
        tally.add(record)
    about = about_run(task, protocol, strategy=STRATEGY, model=model or file.name)
    return Rescored(tally.summary(about, package_versions()), records)


def grade_replies(samples: Sequence[Sample], replies: Mapping[str, SavedReply], grader: Grader) -> list[Record]:
    """Return a record for every sample that has a reply, in the order of the samples."""
    records = []
    for sample in samples:
        if reply := replies.get(sample.id):
            score = grader.grade(sample, reply.text, reply.finish)
            records.append(Record.of(Item(sample), score, [], reply.text))
    return records


def write_rescored(folder: Path, rescored: Rescored) -> None:
    """Write samples.parquet and summary.json as a run does; raise StorageError when that cannot be done."""
    write_samples(folder / SAMPLES, rescored.records)
    write_summary(folder, rescored.summary)


def _check_known(task: Task, file: Path, replies: Mapping[str, SavedReply], known: Collection[str]) -> None:
    unknown = [name for name in replies if name not in known]
    if not unknown:
        return
    shown = ", ".join(map(repr, unknown[:_SHOWN])) + (", ..." if len(unknown) > _SHOWN else "")
    example = next(iter(known), "")
    raise DataError(
        f"{file}: {len(unknown):,} of {len(replies):,} replies are to ids that task {task.name!r} lacks: {shown}. "
        f"Its ids look like {example!r}. Name the column of ids with --id-column, or leave such replies out with "
        "--ignore-unknown."
    )
