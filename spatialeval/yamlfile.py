"""Reading YAML with the line of every key, so that an error can say where it is. Safe: no tags, no duplicate keys.

`checked` validates what was read against a pydantic model; its errors name file, line, key and the nearest valid key.
"""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from spatialeval.errors import TaskFileError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES = 5_000_000
_MAX_NODES = 200_000

_WANTED = {
    "int_": "must be a whole number",
    "float_": "must be a number",
    "bool_": "must be true or false",
    "string_type": "must be a text (in quotes)",
    "dict_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
}
"""How a type is called to people; by the beginning of pydantic's name for the complaint."""

KeyPath = tuple[str | int, ...]


class Lines:
    """The line of each key path in one file."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines

    def of(self, path: Sequence[str | int]) -> int | None:
        """Return the 1-based line of `path`, or of its nearest parent that stands in the file."""
        for end in range(len(path), 0, -1):
            line = self._lines.get(tuple(path[:end]))
            if line:
                return line
        return None


def read_yaml(file: Path) -> tuple[dict[str, Any], Lines]:
    """Return the mapping in `file` and the lines of its keys; raise TaskFileError when it is none."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise TaskFileError(f"cannot be read: {error.strerror}. Check the path.", file=file) from error
    if len(text) > _MAX_BYTES:
        raise TaskFileError(f"has {len(text):,} bytes; the limit is {_MAX_BYTES:,}.", file=file)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise TaskFileError(
            f"is not valid YAML: {error.problem} ({error.context or 'here'}). "
            f"{_hint(error, text)}Check brackets, quotes and indentation in this line and above it.",
            file=file,
            line=line,
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TaskFileError(f"is not valid YAML: {error}", file=file) from error
    lines: dict[KeyPath, int] = {}
    data = _Builder(file, lines).build(root, ())
    if not isinstance(data, dict):
        raise TaskFileError("must be a mapping: lines of `key: value`.", file=file, line=1)
    return data, Lines(lines)


def _hint(error: yaml.MarkedYAMLError, text: bytes) -> str:
    """Return what the parser's words mean where they say it badly."""
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark
    if "cannot start any token" in problem and mark and b"\t" in text.splitlines()[mark.line][: mark.column + 1]:
        return "A tab stands where only spaces may: YAML is indented with spaces. "
    if "quoted scalar" in context:
        opened = f" in line {error.context_mark.line + 1}" if error.context_mark else ""
        return f"A quote that is opened{opened} is never closed. "
    return ""


class _Builder:
    """Turns YAML nodes into plain data. Aliases are refused beyond a size at which they could explode."""

    def __init__(self, file: Path, lines: dict[KeyPath, int]) -> None:
        self.file, self.lines, self.nodes = file, lines, 0
        self.scalars = yaml.SafeLoader("")

    def build(self, node: yaml.Node | None, path: KeyPath) -> Any:
        if node is None:
            return None
        self.nodes += 1
        line = node.start_mark.line + 1
        if self.nodes > _MAX_NODES:
            raise TaskFileError("is too large (aliases count as often as they are used).", file=self.file, line=line)
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            dotted = ".".join(map(str, (*path, key)))
            if key in data:
                raise TaskFileError("stands twice; remove one.", file=self.file, line=line, key=dotted)
            self.lines[*path, key] = line
            data[key] = self.build(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        try:
            return self.scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise TaskFileError(
                f"the value {node.value!r} cannot be used: {error}", file=self.file, line=line
            ) from error


def checked(model: type[M], raw: dict[str, Any], file: Path, lines: Lines, prefix: KeyPath = ()) -> M:
    """Return raw data as an instance of a model.

    Args:
        model: the pydantic model of the file.
        raw: the file's content.
        file: named in errors.
        lines: the lines of its keys.
        prefix: keys under which changed parts of `raw` stand in the file (a variant), searched first for lines.

    Raises:
        TaskFileError: for the first problem; the further ones follow in its message, a line each.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = [_explain(model, problem, file, lines, prefix) for problem in _most_telling(error.errors())]
        first = problems[0]
        rest = "".join(f"\n{problem}" for problem in problems[1:])
        raise TaskFileError(first.reason + rest, file=file, line=first.line, key=first.key) from None


def _most_telling(problems: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop the branches of a union that were tried in vain: keep, per key, the deepest complaint."""
    seen: dict[KeyPath, ErrorDetails] = {}
    for problem in problems:
        place = _place(problem["loc"])
        seen.setdefault(place, problem)
    places = list(seen)
    return [seen[p] for p in places if not any(q != p and q[: len(p)] == p for q in places)]


def _place(loc: KeyPath) -> KeyPath:
    """Return where an error is, as keys of the file: pydantic mixes in the names of types it tried."""
    return tuple(step for step in loc if isinstance(step, int) or not _is_type_name(step))


def _is_type_name(step: str) -> bool:
    return step in {"str", "int", "float", "bool", "none", "list", "dict", "[key]"} or any(c in step for c in "[(,")


def _explain(model: type[BaseModel], problem: ErrorDetails, file: Path, lines: Lines, prefix: KeyPath) -> TaskFileError:
    place = _place(problem["loc"])
    line = lines.of((*prefix, *place)) if prefix and len(place) > 1 else None
    if line is None or (prefix and line == lines.of(prefix)):
        line = lines.of(place)
    key = ".".join(map(str, place))
    message = problem["msg"]
    if problem["type"] == "extra_forbidden":
        valid = sorted(_fields_at(model, place[:-1]))
        message = f"is not a key here. {nearest(str(place[-1]), valid)}"
    elif problem["type"] == "missing":
        message = "is required and missing."
    elif problem["type"] == "list_type":
        message = f"must be a list: write [{problem.get('input')}]."
    elif problem["type"] == "too_short":
        message = "must not be empty."
    elif problem["type"] == "value_error" and isinstance(problem.get("input"), dict):  # of a section: it says all
        message = problem["msg"].removeprefix("Value error, ").rstrip(".") + "."
    else:
        value = problem.get("input")
        shown = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
        wanted = next((text for kind, text in _WANTED.items() if problem["type"].startswith(kind)), None)
        message = f"{wanted or message[0].lower() + message[1:]}, but it is {shown}."
    return TaskFileError(message.strip(), file=file, line=line, key=key)


def _fields_at(model: type[BaseModel], place: KeyPath) -> set[str]:
    """Return the valid keys of the section at `place`, found by walking the annotations."""
    annotations: list[Any] = [model]
    for step in place:
        annotations = [inner for a in annotations for inner in _step(a, step)]
    return {name for a in annotations for m in _models(a) for name in m.model_fields}


def _step(annotation: Any, step: int | str) -> Iterator[Any]:
    for model in _models(annotation):
        if step in model.model_fields:
            yield model.model_fields[str(step)].annotation
    for part in _members(annotation):
        origin, args = typing.get_origin(part), typing.get_args(part)
        if origin is dict and isinstance(step, str):
            yield args[1]
        if origin is list and isinstance(step, int):
            yield args[0]


def _members(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [m for a in typing.get_args(annotation) for m in _members(a)]
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [m for m in _members(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
