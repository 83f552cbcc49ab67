"""One row becomes one Sample: the templates of the `sample` section, evaluated in the sandbox and checked."""

from __future__ import annotations

import hashlib
import sys
import typing
from typing import TYPE_CHECKING, Any, TypeVar

import jinja2

from spatialeval.data.media import resolve_media
from spatialeval.errors import DataError, TaskFileError, nearest
from spatialeval.samples import Answer, AnswerType, Sample
from spatialeval.tasks.targets import TargetError, gold
from spatialeval.templates import RowView, Sandbox, compile_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spatialeval.data.media import Kind
    from spatialeval.media import Media
    from spatialeval.tasks.schema import TaskSpec
    from spatialeval.yamlfile import Lines

_ANSWERS = typing.get_args(AnswerType)

_MANY = 1000
"""Different options, labels and facets that are held once however many samples have them."""

_NOTHING: dict[str, Any] = {}
"""What samples without sets or further facts have, all the same one."""

T = TypeVar("T")


class RowReader:
    """Reads rows as one task file says.

    Args:
        spec: the task file's content.
        environment: the template sandbox.
        file: the task file, and `lines` the lines of its keys, for messages.
    """

    def __init__(self, spec: TaskSpec, environment: Sandbox, file: Path, lines: Lines) -> None:
        self.file, self.lines, self._tables = file, lines, spec.tables
        self._fields: dict[str, Callable[[dict[str, Any]], Any]] = {
            name: compile_value(value, environment) for name, value in spec.sample if value is not None
        }
        self._where = compile_value(spec.data.where, environment) if spec.data.where else None
        self._each = compile_value(spec.data.each, environment) if spec.data.each else None
        self._given: dict[Any, Any] = {}

    def questions(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that one stored row stands for: itself, or one per member of `each`."""
        if self._each is None:
            return [row]
        members = self._value("each", self._each, row)
        if not isinstance(members, list | tuple):
            raise self._error("each", f"must give a list, not {members!r}.", row)
        return [{**row, "each": member} for member in members]

    def wanted(self, row: dict[str, Any]) -> bool:
        """Return whether the data section's `where` keeps the row."""
        return bool(self._value("where", self._where, row)) if self._where else True

    def sample(self, row: dict[str, Any], root: Path | None) -> Sample:
        """Return the Sample of one row; media files are looked for under `root`.

        Raises:
            DataError: naming the task file, its line and key, and the row's value.
        """
        names = {"row": RowView(row), "tables": self._tables}
        values = {name: self._value(name, get, row, names) for name, get in self._fields.items()}
        answer = values["answer"]
        if answer not in _ANSWERS:
            raise self._error("answer", f"gives {answer!r}; answer types are {', '.join(_ANSWERS)}.", row)
        choices = self._texts("choices", values.get("choices"), row)
        target = self._gold(values, choices, row)
        labels = self._texts("labels", values.get("labels"), row)
        identity = str(values["id"])
        if values.get("shuffle"):
            choices, target = shuffled(choices, target, identity)
            target = tuple(sorted(target)) if answer == "set" and isinstance(target, tuple) else target
        mask = self._media(values, "mask", "image", root, row)
        return Sample(
            id=identity,
            answer=answer,
            question=str(values["question"]),
            target=target,
            choices=self._shared(choices, choices),
            labels=self._shared(labels, labels),
            media=tuple(
                self._media(values, "images", "image", root, row) + self._media(values, "video", "video", root, row)
            ),
            mask=mask[0] if mask else None,
            category=sys.intern(str(values["category"])),
            facets=self._facets(values, row),
            sets={name: str(value) for name, value in (values.get("sets") or {}).items() if value not in {None, ""}}
            or _NOTHING,
            group=self._group(values.get("group"), identity),
            meta=values.get("meta") or _NOTHING,
        )

    def _shared(self, key: tuple[Any, ...], value: T) -> T:
        """Return the value that was given out under this key, where it was among the first: all samples are held."""
        if len(self._given) < _MANY:
            held: T = self._given.setdefault(key, value)
            return held
        found: T = self._given.get(key, value)
        return found

    def _value(
        self,
        name: str,
        get: Callable[[dict[str, Any]], Any],
        row: dict[str, Any],
        names: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return get(names or {"row": RowView(row), "tables": self._tables})
        except jinja2.UndefinedError as error:
            missing = str(error).rsplit("attribute ", 1)[-1].strip("'")
            columns = [c for c in row if not c.startswith("_")]
            raise self._error(name, f"the rows have no column {missing!r}. {nearest(missing, columns)}", row) from error
        except (
            jinja2.TemplateError,
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            AttributeError,
            ArithmeticError,
            NameError,  # jinja writes 1e400 as the name `inf`
        ) as error:
            raise self._error(name, f"cannot be computed: {type(error).__name__}: {error}", row) from error

    @staticmethod
    def _group(value: Any, identity: str) -> str:
        return identity if value is None or value == "" else str(value)  # 0 is the name of a group

    def _texts(self, name: str, value: Any, row: dict[str, Any]) -> tuple[str, ...]:
        if value is None:
            return ()
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise self._error(name, f"must give a list of texts, not {value!r}.", row)
        return tuple(str(text) for text in value)

    def _gold(self, values: dict[str, Any], choices: tuple[str, ...], row: dict[str, Any]) -> Answer:
        labels = self._texts("labels", values.get("labels"), row)
        try:
            return gold(values["answer"], values["target"], choices, labels, open_place=bool(values.get("mask")))
        except (TargetError, TypeError, ValueError) as error:
            name = "choices" if "options for a question" in str(error) else "target"
            raise self._error(name, str(error), row) from error

    def _facets(self, values: dict[str, Any], row: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        """Return the values of each facet; a list counts the sample in each, none leaves it out."""
        found = {}
        for name, value in (values.get("facets") or {}).items():
            several = value if isinstance(value, list | tuple) else [value]
            found[name] = tuple(dict.fromkeys(str(one) for one in several if one is not None and one != ""))
            if any("=" in one for one in found[name]):
                raise self._error("facets", f"gives {found[name]}; a value must not hold '='.", row)
        return self._shared(("facets", *found.items()), found) if found else _NOTHING

    def _media(
        self, values: dict[str, Any], name: str, kind: Kind, root: Path | None, row: dict[str, Any]
    ) -> list[Media]:
        try:
            return list(resolve_media(values.get(name), kind=kind, name=name, root=root))
        except DataError as error:
            raise self._error(name, str(error), row) from error

    def _error(self, name: str, message: str, row: dict[str, Any]) -> DataError:
        section = "data" if name in {"where", "each"} else "sample"
        place = f"row {row.get('_index', '?')} of {row.get('_file', 'the data')}"
        line = self.lines.of((section, name))
        wrong = TaskFileError(f"{message.rstrip()} ({place})", file=self.file, line=line, key=f"{section}.{name}")
        return DataError(str(wrong))


def shuffled(choices: tuple[str, ...], target: Answer, seed: str) -> tuple[tuple[str, ...], Answer]:
    """Return the options in an order drawn from `seed`, and the letters of the target moved along.

    Sorting by digests needs no random generator whose sequence could change with a version of Python.
    """
    order = sorted(range(len(choices)), key=lambda place: hashlib.sha256(f"{seed}|{place}".encode()).digest())
    moved = {chr(65 + old): chr(65 + new) for new, old in enumerate(order)}
    if isinstance(target, tuple):
        return tuple(choices[old] for old in order), tuple(moved.get(str(one), one) for one in target)
    return tuple(choices[old] for old in order), moved.get(str(target), target)
