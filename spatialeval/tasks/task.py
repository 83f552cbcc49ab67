"""A task, loaded: its samples, its protocols and its identity."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spatialeval.data.source import media_root, read_rows
from spatialeval.errors import DataError, SpatialEvalError, TaskFileError, UnknownNameError, UsageError
from spatialeval.specs import parse_spec
from spatialeval.tasks.catalogue import find_task
from spatialeval.tasks.load import load_spec
from spatialeval.tasks.protocol import TaskProtocol
from spatialeval.tasks.rows import RowReader
from spatialeval.templates import prompts_folder, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spatialeval.samples import Sample
    from spatialeval.tasks.schema import TaskSpec
    from spatialeval.yamlfile import Lines


@dataclass(frozen=True)
class Task:
    """One benchmark, or one variant of it.

    Attributes:
        name: as it is written: `vsr`, `vsr:random`, `maze(size=7)`.
        spec: the checked task file with the variant merged in.
        file: the task file.
        lines: the lines of its keys.
        variant: the variant's name, or None.
        params: parameters of a generated task that replace the file's.
    """

    name: str
    spec: TaskSpec
    file: Path
    lines: Lines = field(repr=False)
    variant: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The names of all protocols, the default first."""
        default = self.spec.default_protocol
        return (default, *(name for name in self.spec.protocols if name != default))

    def protocol(self, name: str | None = None) -> TaskProtocol:
        """Return a protocol, the default when no name is given; raise UnknownNameError for an unknown one."""
        name = name or self.spec.default_protocol
        if name not in self.spec.protocols:
            raise UnknownNameError(f"protocol of task {self.spec.id!r}", name, self.spec.protocols)
        spec = self.spec.protocols[name]
        rules = tuple(self.spec.aggregate if spec.aggregate is None else spec.aggregate)
        score = self.spec.score if spec.score is None else spec.score
        return TaskProtocol(name, spec, rules, score, self._sandbox)

    def check(self) -> None:
        """Build every protocol; raise TaskFileError for an unknown reader, scorer or option."""
        for name in self.protocols:
            try:
                _ = self.protocol(name).grader
            except SpatialEvalError as error:
                key = ("protocols", name)
                raise TaskFileError(str(error), file=self.file, line=self.lines.of(key), key=".".join(key)) from error

    def rows(self, data: Path | None = None) -> Iterator[dict[str, Any]]:
        """Yield the raw rows that the data section keeps."""
        reader = self._reader
        for stored in read_rows(self.spec.data, data, task=self.name, params=self.params):
            yield from (row for row in reader.questions(stored) if reader.wanted(row))

    def samples(self, data: Path | None = None, media: Path | None = None, *, partial: bool = False) -> list[Sample]:
        """Return every sample, in the order of the data.

        Args:
            data: local file or folder to read instead of the hub.
            media: folder of media files; the data's own folder when left out.
            partial: accept fewer or more rows than the task file expects.

        Raises:
            MissingDataError: when the data are not here.
            DataError: when rows, columns or counts are not as the task file says.
        """
        root = media_root(self.spec.data, data, media)
        samples = [self._reader.sample(row, root) for row in self.rows(data)]
        self._check_samples(samples, partial=partial)
        return samples

    def sample_of(self, row: dict[str, Any], media: Path | None = None) -> Sample:
        """Return the sample of one raw row."""
        return self._reader.sample(row, media)

    def identity(self) -> dict[str, Any]:
        """Return what can change a sample or a prompt, apart from the data themselves."""
        data = self.spec.data.model_dump(mode="json", exclude={"bring", "expect", "files"})
        return {
            "id": self.spec.id,
            "variant": self.variant,
            "scores": self.spec.version.scores,
            "data": {**data, "params": {**self.spec.data.params, **self.params}},
            "sample": self.spec.sample.model_dump(mode="json"),
            "tables": self.spec.tables,
            "prompts": self._prompts_digest(),
        }

    @cached_property
    def _sandbox(self) -> Any:
        return sandbox(self.file.parent / "prompts", prompts_folder())

    @cached_property
    def _reader(self) -> RowReader:
        return RowReader(self.spec, self._sandbox, self.file, self.lines)

    def _prompts_digest(self) -> str | None:
        """Return a digest of the templates the task can include as its own: beside its file, and prompts/<task id>/."""
        folders = (self.file.parent / "prompts", prompts_folder() / self.spec.id)
        files = [
            (file.relative_to(folder).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest())
            for folder in folders
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        ]
        return hashlib.sha256(json.dumps(files).encode()).hexdigest() if files else None

    def _check_samples(self, samples: list[Sample], *, partial: bool) -> None:
        if not samples:
            raise DataError(f"task {self.name!r}: the data hold no rows (after data.where). Check --data.")
        repeated = [name for name, count in Counter(s.id for s in samples).items() if count > 1]
        if repeated:
            raise DataError(
                f"task {self.name!r}: {len(repeated)} sample ids are not unique, such as {repeated[0]!r}. "
                "Mend sample.id in the task file."
            )
        scorers = self.protocol().grader.scorers
        judge = self.protocol().spec.judge
        judged = set(judge.answers) if judge and judge.when == "always" else set()
        unscored = {s.answer for s in samples} - set(scorers) - judged
        if unscored:
            raise DataError(
                f"{self.file}: `score` names no scorer for answer type {', '.join(sorted(unscored))}; add one."
            )
        if partial or self.params:
            return
        expect = self.spec.data.expect
        counts = Counter(s.category for s in samples)
        hint = self._count_hint(len(samples))
        if expect.rows is not None and len(samples) != expect.rows:
            raise DataError(f"task {self.name!r} expects {expect.rows:,} rows and found {len(samples):,}. {hint}")
        for category in {*expect.categories, *(counts if expect.categories else ())}:
            wanted, found = expect.categories.get(category, 0), counts[category]
            if wanted != found:
                raise DataError(
                    f"task {self.name!r} expects {wanted:,} rows of category {category!r} and found {found:,}. {hint}"
                )
        split = Counter(f"{name}={value}" for s in samples for name, values in s.facets.items() for value in values)
        for name, wanted in expect.facets.items():
            if wanted != split[name]:
                raise DataError(
                    f"task {self.name!r} expects {wanted:,} rows of {name} and found {split[name]:,}. {hint}"
                )

    def _count_hint(self, found: int) -> str:
        """Say what to do about a wrong number of rows: name the variant that has just that many, if there is one."""
        names = {name: variant.data.get("expect", {}).get("rows") for name, variant in self.spec.variants.items()}
        alike = [f"{self.spec.id}:{name}" for name, rows in names.items() if rows == found and name != self.variant]
        if alike:
            return f"That is the number of rows of {' or '.join(alike)}: ask for that, or pass other data."
        return "Bring the complete data, or accept what is there with --partial."


def load_task(text: str) -> Task:
    """Return the task that `text` names: `vsr`, `vsr:random`, `maze(size=7)`, or the path of a task file.

    Raises:
        UnknownNameError: for an unknown task, variant or parameter.
        TaskFileError: when the file is wrong.
    """
    name, params = parse_spec(text)
    head, colon, variant = name.partition(":")
    file = find_task(head)
    spec, lines = load_spec(file, variant if colon else None)
    if params and not spec.data.source.startswith("generate:"):
        raise UsageError(f"{text!r}: only generated tasks have parameters; {spec.id!r} reads {spec.data.source}.")
    task = Task(text, spec, file, lines, variant if colon else None, params)
    task.check()
    return task


def with_protocol_settings(protocol: TaskProtocol, **changes: Any) -> TaskProtocol:
    """Return the protocol with generation settings replaced: those that are not None; "none" means not sent at all.

    A `max_tokens` is the cap of every call then, of those of strategies with room of their own, too.
    """
    given = {key: None if value == "none" else value for key, value in changes.items() if value is not None}
    generate = protocol.spec.generate.model_copy(update=given)
    spec = protocol.spec.model_copy(update={"generate": generate})
    return replace(protocol, spec=spec, cap=changes.get("max_tokens"))
