"""Scores replies that were saved earlier, by this package or any other, without a model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.data.replies import SavedReply, read_replies
from spatialeval.errors import DataError
from spatialeval.readers import READERS
from spatialeval.run.manifest import package_versions
from spatialeval.run.records import Item, Record
from spatialeval.run.results import about_run, write_summary
from spatialeval.run.samplefile import FILE_NAME as SAMPLES
from spatialeval.run.samplefile import write_samples
from spatialeval.run.tally import MATCHED, Tally
from spatialeval.scores import Failure, Reading, Score

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from spatialeval.grading import Grader
    from spatialeval.run.summary import Summary
    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks import Task, TaskProtocol

STRATEGY = "saved"
"""What a summary of saved replies gives as strategy: nobody knows how they were asked."""

_SHOWN = 5


class Rescored(NamedTuple):
    """What saved replies are worth: the numbers, and a record per reply, without calls."""

    summary: Summary
    records: list[Record]

    def write(self, folder: Path) -> None:
        """Write samples.parquet and summary.json, as a run does; raise StorageError when that cannot be done."""
        write_samples(folder / SAMPLES, self.records)
        write_summary(folder, self.summary)


def score_file(
    task: Task,
    protocol: TaskProtocol,
    file: Path,
    *,
    samples: Sequence[Sample],
    id_column: str | None = None,
    response_column: str | None = None,
    matched_column: str | None = None,
    where: Mapping[str, str] | None = None,
    ignore_unknown: bool = False,
    model: str | None = None,
) -> Rescored:
    """Return what the replies in `file` score under `protocol`; samples without a reply count as missing.

    Args:
        task: the task that the replies answer.
        protocol: reads and scores them.
        file: any file of rows, see `spatialeval.data.replies`.
        samples: all samples of the task; their media are not read.
        id_column: the column of sample ids; None finds it.
        response_column: the column of replies; None finds it.
        matched_column: a column of answers that the authors' matcher read; used only for replies that the protocol's
            own rule cannot read, and counted.
        where: columns and the values that a row must have to count.
        ignore_unknown: leave out replies to ids that the task lacks instead of refusing the file.
        model: who gave the replies; the file's name and `where` when left out.

    Raises:
        DataError: when the file cannot be read, or replies to samples that the task does not have.
    """
    replies = read_replies(file, id_column, response_column, matched_column=matched_column, where=where)
    if not ignore_unknown:
        check_known(task, str(file), replies, {sample.id for sample in samples})
    return score_replies(task, protocol, replies, samples, model=model or _name(file, where or {}))


def score_replies(
    task: Task,
    protocol: TaskProtocol,
    replies: Mapping[str, SavedReply],
    samples: Sequence[Sample],
    *,
    model: str,
    strategy: str = STRATEGY,
    origin: str | None = None,
    data: str | None = None,
) -> Rescored:
    """Return what replies by sample id score under `protocol`; samples without a reply count as missing.

    Args:
        task: the task that the replies answer.
        protocol: reads and scores them.
        replies: sample id -> reply, or why there is none.
        samples: all samples of the task; their media are not read.
        model: who gave the replies.
        strategy: what stands for how they were asked.
        origin: where they come from, for readers of the numbers.
        data: fingerprint of the samples.
    """
    records = grade_replies(samples, replies, protocol.grader)
    tally = Tally(task, protocol, [Item(sample) for sample in samples])
    for record in records:
        tally.add(record)
    about = about_run(task, protocol, strategy=strategy, model=model, data=data)
    about = about.model_copy(update={"origin": origin})
    return Rescored(tally.summary(about, package_versions()), records)


def grade_replies(samples: Sequence[Sample], replies: Mapping[str, SavedReply], grader: Grader) -> list[Record]:
    """Return a record for every sample that has a reply, in the order of the samples."""
    records = []
    for sample in samples:
        if reply := replies.get(sample.id):
            outcome = Failure(reply.failure, reply.error) if reply.failure else _grade(sample, reply, grader)
            records.append(Record.of(Item(sample), outcome, [], reply.text))
    return records


def _grade(sample: Sample, reply: SavedReply, grader: Grader) -> Score:
    score = grader.grade(sample, reply.text, reply.finish)
    if score.state == "scored" or reply.matched is None:
        return score
    value = _bare(reply.matched.strip(), sample)
    if value is None:
        return score
    return Score(grader.scorers[sample.answer](value, sample), Reading(value, MATCHED), "scored")


def _bare(text: str, sample: Sample) -> Answer | None:
    """Return the answer that `text` is and nothing more: what a matcher gave is not read once more."""
    if sample.answer == "text":
        return text or None
    if sample.answer == "number":
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    if sample.answer in {"set", "order", "points", "boxes", "json"}:
        reading = READERS.get(f"strict_{sample.answer}")()(text, sample)
        return reading.value if reading.rule in _WHOLE else None
    if sample.answer == "choice":
        text = text[1:-1] if text[:1] == "(" and text[-1:] == ")" else text
    possible = {"choice": sample.letters, "yesno": ("yes", "no"), "label": sample.labels}.get(sample.answer, ())
    return text if text in possible else None


_WHOLE = frozenset({"whole reply", "nothing", "JSON"})
"""The rules of strict readers for a text that is the answer and nothing else."""


def _name(file: Path, where: Mapping[str, str]) -> str:
    chosen = ", ".join(f"{column}={value}" for column, value in where.items())
    return f"{file.name} ({chosen})" if chosen else file.name


def check_known(task: Task, file: str, replies: Mapping[str, SavedReply], known: Collection[str]) -> None:
    """Raise DataError when there are replies to samples that the task does not have."""
    unknown = [name for name in replies if name not in known]
    if not unknown:
        return
    shown = ", ".join(map(repr, unknown[:_SHOWN])) + (", ..." if len(unknown) > _SHOWN else "")
    example = min(known, default="")
    raise DataError(
        f"{file}: {len(unknown):,} of {len(replies):,} replies are to ids that task {task.name!r} lacks: {shown}. "
        f"Its ids look like {example!r}. Name the column of ids with --id, or leave such replies out with "
        "--ignore-unknown."
    )
