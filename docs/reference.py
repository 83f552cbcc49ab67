"""Write the reference pages: readers and scorers, strategies and views, each with its options, from the code.

python docs/reference.py docs/scoring.md docs/asking.md
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spatialeval.errors import SpatialEvalError
from spatialeval.readers import READERS
from spatialeval.scorers import SCORERS
from spatialeval.strategies import STRATEGIES
from spatialeval.tasks import load_task, task_names
from spatialeval.tasks.offline import example_samples
from spatialeval.tasks.protocol import ANSWER_TYPES
from spatialeval.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spatialeval.registry import Registry

_MADE = "Made by `python docs/reference.py docs/scoring.md docs/asking.md` from the code; nothing here is typed.\n"

_SCORING = f"""\
# Readers and scorers

{_MADE}
A protocol names them under `parse` and `score`, by name alone or as `name: {{option: value}}`
([task files](task-files.md)). A reader finds the answer in a reply; a scorer says what it is worth, 0 to 1. Strict
readers are this package's own, one per answer type; every other reader does what a published evaluation does, with its
traps. "Used in" names the task files whose protocols use it ([catalogue](catalogue.md)).
"""

_ASKING = f"""\
# Strategies and views

{_MADE}
`spatialeval run -s STRATEGY+VIEW+VIEW` names one strategy and any number of views, with options in brackets:
`-s 'cot(max_tokens=512)+blind'`. A strategy says how to ask, a view changes what is shown, with a known effect on the
right answer. More in [running](running.md).

**Token caps.** One rule for all strategies, highest first: `--max-tokens` is the cap of every call, whatever else is
said; an option such as `max_tokens` that is not its default holds exactly, also where it is less than the protocol's
cap; a default gives way to the protocol's own cap where that is more. The identity of a run holds all three.
"""

_MOST = 6
"""Tasks named at one entry."""

_REDUCES = {
    "each": "each form counts by itself",
    "all": "a question is right when all its forms are",
    "any": "a question is right when any of its forms is",
    "mean": "a question is worth the mean of its forms",
    "majority": "a question is right when more of its forms are right than wrong",
    "vote": "the answer that most forms give, mapped back, is scored",
}


class Use(NamedTuple):
    """Where a reader or scorer serves."""

    task: str
    answer: str


def main(scoring: Path, asking: Path) -> None:
    """Write both pages."""
    scoring.write_text(scoring_page(), encoding="utf-8")
    asking.write_text(asking_page(), encoding="utf-8")


def scoring_page() -> str:
    """Return the page of readers and scorers."""
    return _joined(_scoring())


def asking_page() -> str:
    """Return the page of strategies and views."""
    return _joined(_asking())


def _joined(lines: Iterator[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _scoring() -> Iterator[str]:
    yield _SCORING
    yield "## Strict readers\n"
    strict = [name for name in READERS.names() if name.startswith("strict_")]
    for name in sorted(strict, key=lambda name: ANSWER_TYPES.index(name.removeprefix("strict_"))):
        yield from _entry(READERS, name, [f"answers: {name.removeprefix('strict_')}", *_used(_reading(), name)])
    yield "## Published readers\n"
    yield from _by_module(READERS, [name for name in READERS.names() if name not in strict], _reader_facts)
    yield "## Scorers\n"
    yield from _by_module(SCORERS, SCORERS.names(), _scorer_facts)


def _asking() -> Iterator[str]:
    yield _ASKING
    yield "## Strategies\n"
    for name in STRATEGIES.names():
        yield from _entry(STRATEGIES, name, _strategy_facts(STRATEGIES.get(name)))
    yield "## Views\n"
    for name in VIEWS.names():
        yield from _entry(VIEWS, name, _view_facts(VIEWS.get(name)))


def _by_module(registry: Registry[Any], names: list[str], facts: Any) -> Iterator[str]:
    """Yield entries under the first sentence of the module that holds them: its source, or what they have in common."""
    for module, members in groupby(
        sorted(names, key=lambda name: (_module(registry.get(name)).__name__, name)),
        key=lambda name: _module(registry.get(name)),
    ):
        yield f"### {_markdown(_first_paragraph(module.__doc__).rstrip('.'))}\n"
        for name in members:
            yield from _entry(registry, name, facts(name), level=4)


def _module(make: Any) -> Any:
    return sys.modules[make.__module__]


def _reader_facts(name: str) -> list[str]:
    kinds = {use.answer for use in _reading().get(name, ())}
    return [f"answers: {_kinds(kinds)}"] * bool(kinds) + _used(_reading(), name)


def _scorer_facts(name: str) -> list[str]:
    return [f"answers: {_kinds(SCORERS.get(name).answers)}", *_used(_scoring_uses(), name)]  # type: ignore[attr-defined]


def _strategy_facts(make: Any) -> list[str]:
    if any(_default(option) is None for option in _options(make)):
        return []
    made = make()
    reader = "the strict readers" if made.reader == "strict" else "the protocol's readers"
    return [f"calls per question: at most {made.calls}", f"the reply is read by {reader}"]


def _view_facts(make: Any) -> list[str]:
    facts = [] if any(_default(option) is None for option in _options(make)) else [_REDUCES[make().reduce]]
    return facts + ([f"needs `robustness: {make.section}` in the task file"] if make.section else [])


def _kinds(kinds: Any) -> str:
    return ", ".join(kind for kind in ANSWER_TYPES if kind in kinds)


def _used(uses: dict[str, list[Use]], name: str) -> list[str]:
    tasks = sorted({use.task for use in uses.get(name, ())})
    if not tasks:
        return ["used in no task file here"]
    more = f" and {len(tasks) - _MOST} more" if len(tasks) > _MOST else ""
    return [f"used in {', '.join(f'[{task}](catalogue.md#{task})' for task in tasks[:_MOST])}{more}"]


def _reading() -> dict[str, list[Use]]:
    return _uses()[0]


def _scoring_uses() -> dict[str, list[Use]]:
    return _uses()[1]


@cache
def _uses() -> tuple[dict[str, list[Use]], dict[str, list[Use]]]:
    """Return the uses of readers and of scorers by the protocols of the task files, for the answers of its examples."""
    readers: dict[str, list[Use]] = {}
    scorers: dict[str, list[Use]] = {}
    names = [{id(registry.get(name)): name for name in registry.names()} for registry in (READERS, SCORERS)]
    for task_name in task_names():
        try:
            task = load_task(task_name)
        except SpatialEvalError as error:
            raise SystemExit(str(error)) from error
        for protocol in map(task.protocol, task.protocols):
            for kind in {sample.answer for sample in example_samples(task)}:
                parts = (protocol.grader.readers[kind], protocol.grader.scorers.get(kind))
                for part, known, held in zip(parts, names, (readers, scorers), strict=True):
                    if id(type(part)) in known:
                        held.setdefault(known[id(type(part))], []).append(Use(task_name, kind))
    return readers, scorers


def _entry(registry: Registry[Any], name: str, facts: list[str], *, level: int = 3) -> Iterator[str]:
    make = registry.get(name)
    yield f"{'#' * level} {name}\n"
    for text in _paragraphs(make, name):
        yield _markdown(text) + "\n"
    if facts:
        yield "; ".join(facts)[:1].upper() + "; ".join(facts)[1:] + ".\n"
    if options := _options(make):
        meanings = _meanings(make)
        yield "| option | type | default | |"
        yield "| --- | --- | --- | --- |"
        for option in options:
            default = _default(option)
            shown = "required" if default is None else f"`{default}`"
            cells = (f"`{option.name}`", _type(option), shown, _markdown(meanings.get(option.name, "")))
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        yield ""


def _paragraphs(make: Any, name: str) -> list[str]:
    """Return what is said of a thing: of a module that holds it alone ("cot: ..."), and of itself."""
    held = _first_paragraph(_module(make).__doc__)
    own = _first_paragraph(make.__doc__)
    generated = own.startswith(f"{make.__name__}(")  # what dataclasses write for a class that says nothing
    texts = [held.removeprefix(f"{name}: ")] * held.startswith(f"{name}: ") + [own] * (not generated)
    return [text[:1].upper() + text[1:] for text in texts] or [held]


def _first_paragraph(doc: str | None) -> str:
    return " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split())


def _options(make: Any) -> list[Field[Any]]:
    return [option for option in fields(make) if option.init] if is_dataclass(make) else []


def _default(option: Field[Any]) -> str | None:
    """Return the default as YAML has it; None where there is none."""
    value = option.default
    if value is MISSING and option.default_factory is not MISSING:
        value = option.default_factory()
    if value is MISSING:
        return None
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(list(value)) if isinstance(value, tuple) else str(value) if value != "" else '""'


def _type(option: Field[Any]) -> str:
    text = option.type if isinstance(option.type, str) else getattr(option.type, "__name__", str(option.type))
    dot = " \N{MIDDLE DOT} "
    choices = re.sub(r"Literal\[([^]]*)\]", lambda found: found[1].replace("'", "").replace(", ", dot), text)
    return f"`{choices}`"


def _meanings(make: Any) -> dict[str, str]:
    """Return what the docstrings, its own and those it inherits, say of each option under `Attributes:`."""
    found: dict[str, str] = {}
    for one in reversed(getattr(make, "__mro__", (make,))):
        section = re.search(r"^Attributes:\n((?:[ ]+.*\n?|\n)+)", inspect.cleandoc(one.__doc__ or ""), re.MULTILINE)
        listed = section[1] if section else ""
        for name, text in re.findall(r"^ {4}(\w+): (.+\n?(?: {5,}.+\n?)*)", listed, re.MULTILINE):
            found[name] = " ".join(text.split())
    return found


def _markdown(text: str) -> str:
    """Return plain text whose signs mean nothing in Markdown, except where it is code already."""
    pieces = re.split(r"(`[^`]*`)", text)
    escape = re.compile(r"([\\*_<>\[\]])")
    return "".join(piece if place % 2 else escape.sub(r"\\\1", piece) for place, piece in enumerate(pieces))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
