"""How a run asks, from one text: `plain`, `cot(max_tokens=512)`, `plain+blind`. A strategy first, then any views."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from spatialeval.errors import UnknownNameError, UsageError
from spatialeval.foreign import blaming
from spatialeval.run.records import Item
from spatialeval.specs import parse_spec
from spatialeval.strategies import STRATEGIES
from spatialeval.views import VIEWS
from spatialeval.views.base import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spatialeval.registry import Registry
    from spatialeval.samples import Sample
    from spatialeval.strategies import Strategy
    from spatialeval.tasks import Task, TaskProtocol
    from spatialeval.views import View
    from spatialeval.views.base import Reduce

T = TypeVar("T")

_PLUS = re.compile(r"\+(?![^(]*\))")
"""A plus sign outside of parentheses."""


def parse_asking(text: str) -> tuple[Strategy, tuple[View, ...]]:
    """Return the strategy and the views, in order, that `text` names.

    Raises:
        UsageError: when the text is malformed or an option has a value of the wrong type.
        UnknownNameError: for an unknown strategy, view or option.
    """
    if len(several := _apart(text)) > 1:
        apart = " -s ".join(several)
        raise UsageError(f"{text!r} names {len(several)} ways of asking. Name each by itself: -s {apart}")
    first, *others = _PLUS.split(text)
    return _build(STRATEGIES, first, VIEWS), tuple(_build(VIEWS, other, STRATEGIES) for other in others)


def _apart(text: str) -> list[str]:
    """Return what commas outside of all parentheses keep apart."""
    depth, parts = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


class Expansion(NamedTuple):
    """What is asked, and what is left out: (view, reason) -> ids of samples that the view cannot change safely."""

    items: list[Item]
    skipped: dict[tuple[str, str], list[str]]


def expand(samples: Iterable[Sample], views: Sequence[View]) -> Expansion:
    """Return what is asked: each sample as the views show it, every view applied to what the one before it made.

    A sample that a view skips in any of its forms is left out whole: half a pair says nothing.
    """
    items: list[Item] = []
    skipped: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        made = _shown(sample, views)
        if isinstance(made, list):
            items += made
        else:
            skipped.setdefault(made, []).append(sample.id)
    return Expansion(items, skipped)


def _shown(sample: Sample, views: Sequence[View]) -> list[Item] | tuple[str, str]:
    """Return the items of one sample, or the view that skips it and why."""
    items = [Item(sample)]
    for view in views:
        before, items = items, []
        for item in before:
            with blaming("view", view):
                made = view.expand(item.sample)
            if isinstance(made, Skipped):
                return view.name, made.reason
            for key, shown in made.items():
                name = f"{item.view}+{key}" if item.view else key
                items.append(Item(shown, name, sample, (*item.steps, (view, key, item.sample))))
    return items


def bound_views(
    views: Iterable[View], task: Task, samples: Sequence[Sample], protocol: TaskProtocol
) -> tuple[View, ...]:
    """Return the views as the task's `robustness` section declares them, for the protocol's words."""
    bound = []
    for view in views:
        with blaming("view", view):
            bound.append(view.bound(samples, task.spec.robustness.rule(view.section)).asked_by(protocol))
    return tuple(bound)


def without_refused(found: Expansion, strategy: Strategy, views: Sequence[View], *, names: bool) -> Expansion:
    """Return what the strategy can ask of what the views made: one that maps the picture has nothing to ask blind.

    Args:
        found: what the views made.
        strategy: asks.
        views: which made it.
        names: whether the words of the request let options be called otherwise than by letters.
    """
    refused: dict[str, str] = {}
    with blaming("strategy", strategy):
        for item in found.items if views else ():
            named = item.sample.names != item.sample.letters and not names
            if reason := "its own words name letters" if named else strategy.refuses(item.sample):
                refused.setdefault(item.sample.id, reason)
    if not refused:
        return found
    skipped = {key: list(ids) for key, ids in found.skipped.items()}
    for name, reason in refused.items():
        skipped.setdefault((views[-1].name, f"{strategy.name}: {reason}"), []).append(name)
    return Expansion([item for item in found.items if item.sample.id not in refused], skipped)


def reduction(views: Sequence[View]) -> Reduce:
    """Return how the items of one sample count: the one rule of the views that have one.

    Raises:
        UsageError: when two views want different ones.
    """
    wanted = {view.reduce: view.name for view in views if view.reduce != "each"}
    if len(wanted) > 1:
        names = " and ".join(f"{name} ({how})" for how, name in wanted.items())
        raise UsageError(f"the views {names} count the forms of a sample in different ways. Run them apart.")
    return next(iter(wanted), "each")


def _build(registry: Registry[Any], text: str, other: Registry[Any]) -> Any:
    name, options = parse_spec(text)
    if name not in registry and name in other:
        right = f"plain+{name}" if other is VIEWS else name
        raise UsageError(
            f"{name!r} is a {other.kind}, not a {registry.kind}. A strategy comes first, then the views: {right!r}."
        )
    make = registry.get(name)
    known = {field.name: field for field in fields(make)} if is_dataclass(make) else {}
    for option, value in options.items():
        if option not in known:
            raise UnknownNameError(f"option of {registry.kind} {name!r}", option, known)
        default = known[option].default
        if not _fits(value, default):
            raise UsageError(
                f"{registry.kind} {name!r}: option {option!r} takes a value such as {default!r}, not {value!r}."
            )
        if option.endswith("max_tokens") and value < 1:
            raise UsageError(f"{registry.kind} {name!r}: {option} is 1 or more, not {value}.")
    try:
        return make(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{registry.kind} {text.strip()!r} cannot be made: {str(error).rstrip('.')}.") from error


def _fits(value: object, default: object) -> bool:
    """Tell whether `value` may replace `default`, where the default is of a plain type."""
    if not isinstance(default, bool | int | float | str):
        return True
    if isinstance(default, bool) or isinstance(value, bool):  # True is an int to Python, and not to people
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, int | float) if isinstance(default, float) else isinstance(value, type(default))
