"""The results of a run in its folder: samples.parquet and summary.json, written whole and read with checks.

Both follow from the journal, the task and the manifest alone, so that writing them again gives the same files.
"""

from __future__ import annotations

import shlex
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from spatialeval.errors import StorageError, UnknownNameError
from spatialeval.models.extra import choices_of
from spatialeval.run import journal, samplefile
from spatialeval.run.files import write_json
from spatialeval.run.manifest import Manifest
from spatialeval.run.summary import About, Drawn, Summary
from spatialeval.run.tally import Tally
from spatialeval.strategies import STRATEGIES
from spatialeval.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spatialeval.registry import Registry
    from spatialeval.run.records import Item, Record
    from spatialeval.tasks import Task, TaskProtocol

FILE_NAME = "summary.json"


def write_results(
    folder: Path,
    task: Task,
    protocol: TaskProtocol,
    items: Sequence[Item],
    records: Iterable[Record],
    manifest: Mapping[str, Any],
    skipped: Mapping[str, int] | None = None,
    drawn: Drawn | None = None,
) -> Summary:
    """Write samples.parquet, then summary.json, and return the summary.

    Args:
        folder: the run folder.
        task: what was asked.
        protocol: how it was scored.
        items: everything the run is about; those without a record count as missing.
        records: at most one per item, in the order of the items. May be an iterator: one at a time is held.
        manifest: the content of the run's manifest.json.
        skipped: "view: reason" -> samples that a view could not change safely.
        drawn: what several replies to each question are worth.

    Raises:
        StorageError: when a file cannot be written; the old one is then still there.
        ValueError: when a record comes twice or belongs to no item.
    """
    tally = Tally(task, protocol, items)

    def counted() -> Iterator[Record]:
        for record in records:
            tally.add(record)
            yield record

    samplefile.write_samples(folder / samplefile.FILE_NAME, counted(), tally.samples)
    identity = manifest["identity"]
    strategy = "+".join(
        [label(identity["strategy"], STRATEGIES), *(label(view, VIEWS) for view in identity.get("views", ()))]
    )
    about = about_run(
        task,
        protocol,
        strategy=strategy,
        model=identity["model"]["spec"],
        judge=identity.get("judge", {}).get("spec"),
        data=identity.get("data"),
    )
    if choices := choices_of(identity["model"]):
        about = about.model_copy(update={"changed": (*about.changed, f"choices={'|'.join(choices)}")})
    sessions = manifest.get("sessions") or [{}]
    totals = manifest.get("totals", {})
    added = {"skipped": dict(skipped or {}), "cost_usd": totals.get("cost_usd"), "prices": manifest.get("prices", {})}
    added["drawn"] = drawn
    added["cached_answers"] = totals.get("cached_answers", 0)
    summary = tally.summary(about, sessions[-1].get("packages", {})).model_copy(update=added)
    write_summary(folder, summary)
    return summary


def about_run(
    task: Task,
    protocol: TaskProtocol,
    *,
    strategy: str,
    model: str,
    judge: str | None = None,
    data: str | None = None,
) -> About:
    """Return the names of a run, and what of its task file a reader of its numbers must know."""
    expect = task.spec.data.expect
    own, given = asdict(task.protocol(protocol.name).settings), asdict(protocol.settings)
    return About(
        task=task.name,
        title=task.spec.about.title,
        variant=task.variant,
        protocol=protocol.name,
        verified=protocol.spec.verified,
        note=protocol.spec.note,
        strategy=strategy,
        model=model,
        floating=task.spec.data.revision == "floating",
        expected=None if task.params else expect.rows or sum(expect.categories.values()) or None,
        cap=protocol.settings.max_tokens,
        changed=tuple(f"{key}={value}" for key, value in given.items() if value != own[key]),
        judge=judge,
        judge_wanted=f"{wanted.model or 'a model'}: {wanted.when}" if (wanted := protocol.spec.judge) else None,
        data=data,
        scores_version=task.spec.version.scores,
    )


def label(identity: Mapping[str, Any], registry: Registry[Any]) -> str:
    """Return a strategy or view as one writes it: its name, and the options that differ from their defaults."""
    name = str(identity["name"])
    try:
        make = registry.get(name)
    except UnknownNameError:  # it came from a distribution that is not installed here
        return name
    defaults = {field.name: field.default for field in fields(make)} if is_dataclass(make) else {}
    changed = [
        f"{key}={identity[key]}"
        for key, default in defaults.items()
        if default is not MISSING and key in identity and identity[key] != default
    ]
    return f"{name}({', '.join(changed)})" if changed else name


def write_summary(folder: Path, summary: Summary) -> None:
    """Write summary.json, atomically; raise StorageError when that cannot be done."""
    write_json(folder / FILE_NAME, summary.model_dump(mode="json"))


def read_summary(folder: Path) -> Summary:
    """Return the summary of a run folder; raise StorageError when it is absent, damaged or of another version."""
    path = folder / FILE_NAME
    try:
        return Summary.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise StorageError(f"There is no {path}: no run has ended there yet. {_again(folder)}") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error}). {_again(folder)}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StorageError(
            f"{path} is damaged ({where + ': ' if where else ''}{first['msg']}). {_again(folder)}"
        ) from error


def read_samples(folder: Path, columns: Sequence[str] = ()) -> Any:
    """Return samples.parquet, or some of its columns, as a pyarrow Table; raise StorageError when it cannot be read."""
    return samplefile.read_table(folder / samplefile.FILE_NAME, _again(folder), columns)


def _again(folder: Path) -> str:
    """Return what to do about results that cannot be read."""
    command = f"`{_command(folder)}`"
    if (folder / journal.FILE_NAME).is_file():
        return (
            f"The journal beside it still holds every answer: run {command} again, and the results are written anew "
            "without asking anything twice."
        )
    return f"There is no {journal.FILE_NAME} in {folder} to write it from: run {command} again."


def _command(folder: Path) -> str:
    """Return the command that last worked on the run, as its manifest has it, or how such a command begins."""
    try:
        manifest = Manifest.read(folder)
    except StorageError:
        manifest = None
    command = manifest.sessions[-1].command if manifest and manifest.sessions else []
    return shlex.join([PurePath(command[0]).name, *command[1:]]) if command else "spatialeval run ..."
