"""One row becomes one Sample: the templates of the `sample` section, evaluated in the sandbox and checked."""

from __future__ import annotations

import math
import typing
from typing import TYPE_CHECKING, Any

import jinja2

from spatialeval.data.media import resolve_media
from spatialeval.errors import DataError, TaskFileError, nearest
from spatialeval.samples import Answer, AnswerType, Sample
from spatialeval.templates import RowView, Sandbox, compile_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spatialeval.tasks.schema import TaskSpec
    from spatialeval.yamlfile import Lines

_ANSWERS = typing.get_args(AnswerType)


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

    def wanted(self, row: dict[str, Any]) -> bool:
        """Return whether the data section's `where` keeps the row."""
        return bool(self._value("where", self._where, row)) if self._where else True

    def sample(self, row: dict[str, Any], root: Path | None) -> Sample:
        """Return the Sample of one row; media files are looked for under `root`.

        Raises:
            DataError: naming the task file, its line and key, and the row's value.
        """
        values = {name: self._value(name, get, row) for name, get in self._fields.items()}
        answer = values["answer"]
        if answer not in _ANSWERS:
            raise self._error("answer", f"gives {answer!r}; answer types are {', '.join(_ANSWERS)}.", row)
        choices = self._texts("choices", values.get("choices"), row)
        labels = self._texts("labels", values.get("labels"), row)
        identity = str(values["id"])
        return Sample(
            id=identity,
            answer=answer,
            question=str(values["question"]),
            target=self._target(answer, values["target"], choices, labels, row),
            choices=choices,
            labels=labels,
            media=tuple(self._media(values, root, row)),
            category=str(values["category"]),
            group=self._group(values.get("group"), identity),
            meta=values.get("meta") or {},
        )

    def _value(self, name: str, get: Callable[[dict[str, Any]], Any], row: dict[str, Any]) -> Any:
        try:
            return get({"row": RowView(row), "tables": self._tables})
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

    def _target(
        self, answer: AnswerType, value: Any, choices: tuple[str, ...], labels: tuple[str, ...], row: dict[str, Any]
    ) -> Answer:
        """Return the gold answer in its one form; a missing or impossible one is an error, never a default."""
        if value is None or value == "":
            raise self._error("target", "is empty; a question without a gold answer cannot be scored.", row)
        if answer == "number":
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                raise self._error("target", f"{value!r} is not a number.", row) from None
            if not math.isfinite(number):
                raise self._error("target", f"{value!r} is not a finite number, which no answer can equal.", row)
            return number
        text = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        text = str(text).strip()
        allowed = {
            "choice": tuple(chr(65 + i) for i in range(len(choices))),
            "yesno": ("yes", "no"),
            "label": labels,
        }.get(answer)
        if answer == "choice" and not 2 <= len(choices) <= 26:
            raise self._error("choices", f"gives {len(choices)} options for a question of answer type choice.", row)
        if answer == "label" and not labels:
            raise self._error("labels", "is needed for answer type label: the closed list of answers.", row)
        if allowed is not None and text not in allowed:
            raise self._error("target", f"{text!r} is none of {', '.join(allowed)}.", row)
        return text

    def _media(self, values: dict[str, Any], root: Path | None, row: dict[str, Any]) -> list[Any]:
        media = []
        try:
            name = "images"
            media += resolve_media(values.get(name), kind="image", name=name, root=root)
            name = "video"
            media += resolve_media(values.get(name), kind="video", name=name, root=root)
        except DataError as error:
            raise self._error(name, str(error), row) from error
        return media

    def _error(self, name: str, message: str, row: dict[str, Any]) -> DataError:
        section = "data" if name == "where" else "sample"
        place = f"row {row.get('_index', '?')} of {row.get('_file', 'the data')}"
        line = self.lines.of((section, name))
        wrong = TaskFileError(f"{message.rstrip()} ({place})", file=self.file, line=line, key=f"{section}.{name}")
        return DataError(str(wrong))
