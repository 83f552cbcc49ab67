"""`score`: saved replies under any protocol, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spatialeval.api.asking import listed
from spatialeval.api.shown import Shown
from spatialeval.data.replies import SavedReply
from spatialeval.errors import MissingDataError, UsageError
from spatialeval.run.rescore import Rescored, check_known, score_file, score_replies
from spatialeval.run.saved import keep
from spatialeval.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from spatialeval.run.side_by_side import SideBySide
    from spatialeval.run.summary import Summary
    from spatialeval.samples import Sample
    from spatialeval.stats import Estimate
    from spatialeval.tasks import Task, TaskProtocol


@dataclass(frozen=True, repr=False)
class Scored(Shown):
    """What saved replies are worth.

    Attributes:
        held: protocol -> numbers, and a record per reply.
        folders: protocol -> where they were written, if anywhere.
    """

    held: Mapping[str, Rescored]
    folders: Mapping[str, Path]

    @property
    def summary(self) -> Summary:
        """The numbers under the first protocol."""
        return next(iter(self.held.values())).summary

    @property
    def score(self) -> Estimate | None:
        """The headline under the first protocol, 0 to 1, with its 95 % interval."""
        return self.summary.score

    @property
    def complete(self) -> bool:
        """Whether every sample has a reply, under every protocol."""
        return all(rescored.summary.complete for rescored in self.held.values())

    @property
    def compared(self) -> SideBySide | None:
        """The replies that the protocols decide differently; None where there is only one protocol."""
        from spatialeval.run.side_by_side import side_by_side  # noqa: PLC0415 - only where there are several

        if len(self.held) < 2:
            return None
        return side_by_side({name: rescored.records for name, rescored in self.held.items()})

    def print_on(self, console: Console) -> None:
        """Print the tables of `spatialeval score`."""
        from spatialeval.report.side_by_side import print_side_by_side  # noqa: PLC0415 - loads rich
        from spatialeval.report.table import print_summary  # noqa: PLC0415 - loads rich

        for name, rescored in self.held.items():
            print_summary(rescored.summary, self.folders.get(name), console=console)
        if compared := self.compared:
            print_side_by_side([rescored.summary for rescored in self.held.values()], compared, console=console)


def score(
    task: str | Path,
    file: str | Path | Mapping[str, str],
    *,
    protocol: str | Sequence[str] | None = None,
    model: str | None = None,
    data: str | Path | None = None,
    media: str | Path | None = None,
    partial: bool = False,
    id: str | None = None,  # noqa: A002 - named as the option
    response: str | None = None,
    where: Mapping[str, str] | None = None,
    matched: str | None = None,
    ignore_unknown: bool = False,
    out: str | Path | None = None,
    command: Sequence[str] = (),
) -> Scored:
    """Score saved replies as protocols of a task do.

    Args:
        task: `vsr`, `vsr:random` or a task file.
        file: JSONL, CSV, TSV, Parquet or JSON; or a mapping of sample id to reply.
        protocol: of the task; None means its own default; or several.
        model: who gave the replies; the file's name when left out.
        data: local file or folder of rows, instead of the hub.
        media: folder of images or videos (not read).
        partial: accept data with other counts than the task file expects.
        id: column of the file that holds the sample id.
        response: column that holds the reply.
        where: columns and the values that a row must have to count.
        matched: column of answers that a matcher read, used only where the protocol's own rule reads none.
        ignore_unknown: ignore replies to samples that the task does not have.
        out: a folder to write into as a run does, one below it for each of several protocols; `compare` and `report`
            take it.
        command: what the user typed, for the manifest.

    Raises:
        MissingDataError: when there is no such file, or the task's data are not here.
        UsageError: for a protocol that only a judge can score.
        DataError: when the file cannot be read, or replies to samples that the task does not have.
        StorageError: when `out` cannot be written.
    """
    loaded = load_task(str(task))
    if not isinstance(file, Mapping) and not Path(file).is_file():
        raise MissingDataError(f"there is no file {file}. Name a file of saved replies.")
    samples = loaded.samples(Path(data) if data else None, Path(media) if media else None, partial=partial)
    protocols = [loaded.protocol(name) for name in dict.fromkeys(listed(protocol)) or (None,)]
    for each in protocols:
        _check_judge(task, file, loaded, each, samples)
    folders = {}
    if out is not None:
        folders = {each.name: Path(out) / each.name if len(protocols) > 1 else Path(out) for each in protocols}
    held = {}
    for each in protocols:
        if isinstance(file, Mapping):
            replies = {name: SavedReply(text) for name, text in file.items()}
            if not ignore_unknown:
                check_known(loaded, "the mapping", replies, {sample.id for sample in samples})
            found = score_replies(loaded, each, replies, samples, model=model or "saved")
        else:
            found = score_file(
                loaded, each, Path(file), samples=samples, id_column=id, response_column=response,
                matched_column=matched, where=where, ignore_unknown=ignore_unknown, model=model,
            )  # fmt: skip
        if folder := folders.get(each.name):
            source = file if isinstance(file, Mapping) else Path(file)
            found = keep(found, folder, loaded, each, samples=samples, source=source, command=command)
        held[each.name] = found
    return Scored(held, folders)


def _check_judge(
    task: str | Path, file: object, loaded: Task, protocol: TaskProtocol, samples: Sequence[Sample]
) -> None:
    judge = protocol.spec.judge
    if judge and judge.when == "always" and {sample.answer for sample in samples} & set(judge.answers):
        replayed = "FILE" if isinstance(file, Mapping) else file
        raise UsageError(
            f"protocol {protocol.name!r} of {loaded.name!r} has replies judged by a model, which `score` does not "
            f"ask: `spatialeval run -t {task} -p {protocol.name} -m replay:{replayed} --judge MODEL`."
        )
