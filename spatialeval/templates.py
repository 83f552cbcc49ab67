"""Jinja2 in a sandbox: prompts are templates, and a row becomes a Sample by expressions. Neither can run code.

Task files come from strangers. The sandbox refuses private attributes, so a template can neither run code nor read
files other than prompts; nothing in it is random, so that a prompt is the same on every run. `**` and long repetitions
are refused, which catches slips, not malice: a template that wants to use up time or memory still can.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import jinja2
import jinja2.exceptions
import jinja2.sandbox

from spatialeval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_REPEAT = 1_000_000


class Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """The environment of every template in this package. Undefined names are errors, bytes stay as written."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(
            loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
        )
        del self.filters["random"], self.globals["lipsum"]
        self.filters.update(
            letter=letter,
            unletter=unletter,
            leading_letter=leading_letter,
            present=present,
            fromjson=fromjson,
            search=search,
        )
        self._compiled: dict[str, jinja2.Template] = {}
        self._globals = dict(self.globals)

    def compiled(self, source: str) -> jinja2.Template:
        """Return the template of `source`, compiled once: it takes longer than rendering a question."""
        if source not in self._compiled:
            self._compiled[source] = self.from_string(source)
        return self._compiled[source]

    def context(self, template: jinja2.Template, names: dict[str, Any]) -> jinja2.runtime.Context:
        """Return what a template is rendered in; jinja2 takes four times as long, because it asks for every global."""
        return self.context_class(self, {**self._globals, **names}, template.name, template.blocks)

    def rendered(self, source: str, names: dict[str, Any]) -> str:
        """Return the text of the template `source`; raise what rendering raises."""
        if "{" not in source and "\r" not in source:
            return source
        template = self.compiled(source)
        return "".join(template.root_render_func(self.context(template, names)))

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse powers and huge repetitions."""
        if operator == "**" or any(
            isinstance(a, str | list | tuple) and isinstance(b, int) and len(a) * b > MAX_REPEAT
            for a, b in ((left, right), (right, left))
        ):
            raise jinja2.exceptions.SecurityError(f"the operation {operator!r} is refused on these values")
        return super().call_binop(context, operator, left, right)


def letter(index: int) -> str:
    """Filter: 0 -> "A", 1 -> "B", ..."""
    return ascii_uppercase[index]


def unletter(option: str) -> str:
    """Filter: an option text without its leading letter: "A. chair", "(A) chair", "A) chair" -> "chair"."""
    return re.sub(r"^\s*(?:\([A-Za-z]\)|[A-Za-z][.):])\s*", "", option)


def leading_letter(text: str) -> str:
    r"""Filter: the option letter a gold text begins with, or "": "(B)", "D\n[Analysis] ...", "$\mathrm{C}$" -> B, D, C.

    A letter that begins a word ("Cylinder") is none.
    """
    found = re.match(r"[\s$(\\]*(?:(?:mathrm|text|mathbf|boxed)\s*\{\s*)?([A-H])(?![A-Za-z])", text)
    return found[1] if found else ""


def present(values: Iterable[Any]) -> list[Any]:
    """Filter: a list without what is absent: None, "", NaN and the text "nan" that tables write for it."""
    return [
        value
        for value in values
        if not (value is None or (isinstance(value, float) and math.isnan(value)))
        and str(value).strip().lower() not in {"", "nan"}
    ]


def fromjson(text: str) -> Any:
    """Filter: what a JSON text holds."""
    return json.loads(text)


def search(text: str, pattern: str) -> str:
    """Filter: the first group of the first match of a regular expression, the whole match without groups, or ""."""
    found = re.search(pattern, text)
    if not found:
        return ""
    return (found[1] or "") if found.re.groups else found[0]


@lru_cache(maxsize=64)
def sandbox(*folders: Path) -> Sandbox:
    """Return the (shared) environment that finds included templates in `folders`."""
    return Sandbox(folders)


def prompts_folder() -> Path:
    """Return the folder of shipped prompt templates."""
    return shipped("prompts")


def shipped(name: str) -> Path:
    """Return the folder `name` as it was shipped: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    inside = package / "_shipped" / name
    return inside if inside.is_dir() else package.parent / name


def render_prompt(name: str, **values: Any) -> str:
    """Render the shipped template `name`; raise UsageError when it does not exist."""
    try:
        return sandbox(prompts_folder()).get_template(name).render(**values)
    except jinja2.TemplateNotFound as error:
        raise UsageError(f"there is no prompt template {name!r} in {prompts_folder()}") from error


class RowView:
    """A row as templates see it: `row.column` is always the column, never a method of dict."""

    __slots__ = ("_row",)

    def __init__(self, row: dict[str, Any]) -> None:
        self._row = row

    def __getitem__(self, column: str) -> Any:
        return self._row[column]

    def __contains__(self, column: str) -> bool:
        return column in self._row


def compile_value(source: Any, environment: Sandbox) -> Callable[[dict[str, Any]], Any]:
    """Return a function from template variables to a value.

    A text without braces is itself; "{{ expression }}" alone gives the expression's own value (a list stays a list);
    any other template gives text; lists and mappings are compiled member by member.

    Raises:
        jinja2.TemplateError: when a template has a syntax error.
    """
    if isinstance(source, list):
        members = [compile_value(member, environment) for member in source]
        return lambda names: [member(names) for member in members]
    if isinstance(source, dict):
        pairs = {key: compile_value(value, environment) for key, value in source.items()}
        return lambda names: {key: value(names) for key, value in pairs.items()}
    if not isinstance(source, str) or not re.search(r"\{[{%#]", source):
        return lambda _names: source
    expression = _sole_expression(source, environment)
    if expression is None:
        return lambda names: environment.rendered(source, names)
    template = environment.compile_expression(expression, undefined_to_none=False)._template  # noqa: SLF001 - see context

    def evaluate(names: dict[str, Any]) -> Any:
        context = environment.context(template, names)
        for _ in template.root_render_func(context):
            pass
        value = context.vars["result"]
        if isinstance(value, jinja2.Undefined):
            str(value)  # StrictUndefined raises UndefinedError with the missing name
        return value

    column = _COLUMN.fullmatch(expression)
    return _column_or(column[1], evaluate) if column else evaluate


_COLUMN = re.compile(r"\s*row\.([A-Za-z]\w*)\s*")


def _column_or(column: str, evaluate: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Return the value of a column without rendering anything; `evaluate` says what is wrong where there is none."""

    def look_up(names: dict[str, Any]) -> Any:
        row = names.get("row")
        return row[column] if isinstance(row, RowView) and column in row else evaluate(names)

    return look_up


def _sole_expression(source: str, environment: Sandbox) -> str | None:
    """Return the expression of a template that is one {{ expression }} and nothing else."""
    body = environment.parse(source).body
    if len(body) != 1 or not isinstance(body[0], jinja2.nodes.Output) or len(body[0].nodes) != 1:
        return None
    if isinstance(body[0].nodes[0], jinja2.nodes.TemplateData):
        return None
    match = re.fullmatch(r"\s*\{\{-?(.*?)-?\}\}\s*", source, re.DOTALL)
    return match[1] if match else None
