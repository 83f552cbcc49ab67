"""How much of a score survives a changed picture, wording or order.

Everything is said on the questions that a transform could change safely, compared with the same questions unchanged and
never with the score of the whole task. The measures are those of FlipEval (both right) and of paired tests (the gap,
with its interval), and how often the two answers agree, right or wrong, under the transform's own label map.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from spatialeval.errors import UsageError
from spatialeval.run.ablation import Arm, asked_arm, by_question
from spatialeval.run.execute import RunSpec, execute
from spatialeval.run.families import trained_families
from spatialeval.run.prepare import NothingToAskError, Prepared, prepare
from spatialeval.run.questions import back
from spatialeval.stats import Estimate, estimate
from spatialeval.stats.paired import Paired, paired
from spatialeval.tasks.aggregate import EVERYTHING
from spatialeval.views import VIEWS
from spatialeval.views.ruled import UNDECLARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spatialeval.models.base import Model
    from spatialeval.run.events import Event
    from spatialeval.run.records import Item
    from spatialeval.run.units import Unit
    from spatialeval.samples import Answer


@dataclass(frozen=True)
class Survival:
    """What a transform leaves of a score.

    Attributes:
        name: the view.
        kind: invariant, equivariant, contrastive, or control, which makes no claim about the answer.
        family: transforms that teach each other.
        applied: samples that the transform changed, of `total`.
        total: samples asked.
        skipped: reason -> samples it could not change safely.
        plain: score of those samples as they are (ID).
        changed: their score once changed (OOD); of several forms, their mean.
        both: share of samples right as they are and in every form; for graded scores the lower of the two.
        consistent: share of the forms, of those that both answers could be read of, whose answer agrees with the
            unchanged one under the label map; None for controls.
        gap: changed minus plain, paired.
        bias: total variation between the letters given and the letters that were right, unchanged and changed; None
            for questions without options.
        failed: items without an answer.
    """

    name: str
    kind: str
    family: str
    applied: int
    total: int
    skipped: Mapping[str, int]
    plain: Estimate | None = None
    changed: Estimate | None = None
    both: Estimate | None = None
    consistent: Estimate | None = None
    gap: Paired | None = None
    bias: tuple[float, float] | None = None
    failed: int = 0


@dataclass(frozen=True)
class Robustness:
    """All transforms of one task.

    Attributes:
        task: its name.
        protocol: under which it was asked.
        strategy: how.
        plain: the arm without a transform.
        rows: one per transform that applies to some sample.
        inapplicable: transform -> why it applies to none.
        trained: the families that the checkpoint was trained on; None where nothing is said about it.
    """

    task: str
    protocol: str
    strategy: str
    plain: Arm
    rows: tuple[Survival, ...]
    inapplicable: Mapping[str, str]
    trained: frozenset[str] | None = None


def transforms() -> list[str]:
    """Return the names of the views that make a claim about the answer, and of the controls.

    Those that ask a sample unchanged too are left out: their other half is a transform of its own.
    """
    made = {name: VIEWS.get(name)() for name in VIEWS.names()}
    return [name for name, view in made.items() if hasattr(view, "kind") and not getattr(view, "pair", False)]


def robust(
    base: RunSpec,
    names: Sequence[str] | None = None,
    *,
    model: Model | None = None,
    events: Callable[[str], Callable[[Event], None]] = lambda _: lambda _: None,
    agree: Callable[[Sequence[Prepared]], None] = lambda _: None,
) -> Robustness:
    """Ask a task unchanged and under each transform, and compare. Resumes like any run.

    Args:
        base: task, model, strategy and everything else that is shared; its strategy has no views.
        names: the transforms; None takes all that apply to some sample.
        model: used instead of the one that `base.model` names.
        events: given the strategy, returns what hears about its run.
        agree: given all that will be asked before anything is; raises to stop it.

    Raises:
        UsageError: for a strategy with views, or when no transform applies.
        SpatialEvalError: whatever a run raises.
    """
    if "+" in base.strategy:
        raise UsageError(f"robust adds the views itself; name a strategy alone, not {base.strategy!r}.")
    trained = trained_families(base.model)
    ready = prepare(base)
    views, inapplicable = _applicable(ready, names or transforms())
    if not views:
        reasons = "; ".join(f"{name}: {why}" for name, why in inapplicable.items())
        hint = ""
        if undeclared := [name for name, why in inapplicable.items() if UNDECLARED in why]:
            key = getattr(VIEWS.get(undeclared[0].partition("(")[0]), "section", "")
            hint = f" Say where it may be applied with `robustness: {key}` in {ready.task.file} (docs/task-files.md)."
        raise UsageError(f"no transform applies to {ready.task.name!r}: {reasons}.{hint}")
    agree([ready, *views])
    plain = _run(base, ready, model, events)
    rows = [_survival(ready, plain, view, _run(view.spec, view, model, events)) for view in views]
    return Robustness(ready.task.name, ready.protocol.name, base.strategy, plain, tuple(rows), inapplicable, trained)


def _applicable(ready: Prepared, names: Iterable[str]) -> tuple[list[Prepared], dict[str, str]]:
    """Return the prepared runs of transforms that change some sample, and why the others change none."""
    views, inapplicable = [], {}
    for name in names:
        try:
            view = prepare(replace(ready.spec, strategy=f"{ready.spec.strategy}+{name}"), ready)
        except NothingToAskError as error:
            inapplicable[name] = error.reasons
            continue
        if any(item.sample != item.origin for item in view.items):
            views.append(view)
        else:
            inapplicable[name] = "changes nothing"
    return views, inapplicable


def _run(spec: RunSpec, ready: Prepared, model: Model | None, events: Callable[[str], Callable[[Event], None]]) -> Arm:
    outcome = asyncio.run(execute(spec, events=events(spec.strategy), model=model, ready=ready))
    return asked_arm(spec.strategy, ready, outcome, strict=False)


def _survival(ready: Prepared, plain: Arm, view: Prepared, arm: Arm) -> Survival:
    name = view.views[-1].name
    applied = {item.origin.id for item in view.items if item.origin is not None}
    facts = Survival(
        name=name,
        kind=getattr(view.views[-1], "kind", "control"),
        family=getattr(view.views[-1], "family", name),
        applied=len(applied),
        total=len(ready.items),
        skipped=dict(Counter({reason: len(ids) for (_, reason), ids in view.skipped.items()})),
        failed=arm.effort.failed,
    )
    before = by_question(plain.tally.units(EVERYTHING))
    forms = _forms(view.items, arm.tally.graded)
    found = survived(facts, before, {key: [unit for _, unit in held] for key, held in forms.items()})
    common = [key for key in forms if key in before]
    if not common:
        return found
    return replace(
        found,
        consistent=None if facts.kind == "control" else _consistent(common, before, forms),
        bias=_bias(common, before, forms, {item.key: item for item in ready.items}),
    )


def survived(facts: Survival, before: Mapping[str, Unit], forms: Mapping[str, Sequence[Unit]]) -> Survival:
    """Return the facts with the scores unchanged and changed, both right, and the gap.

    Args:
        facts: what is known of the transform.
        before: sample id -> what it is worth unchanged.
        forms: sample id -> what its changed forms are worth, of samples all of whose forms have an answer.
    """
    common = [key for key in forms if key in before]
    if not common:
        return facts
    groups = [before[key].cluster for key in common]
    first = [before[key].value for key in common]
    second = [fmean(unit.value for unit in forms[key]) for key in common]
    lowest = [min(before[key].value, *(unit.value for unit in forms[key])) for key in common]
    return replace(
        facts,
        plain=estimate(first, groups),
        changed=estimate(second, groups),
        both=estimate(lowest, groups),
        gap=paired(first, second, groups),
    )


def _forms(items: Sequence[Item], graded: Mapping[str, Unit]) -> dict[str, list[tuple[Item, Unit]]]:
    """Return sample id -> its changed forms, of samples all of whose forms have an answer; unchanged ones left out."""
    found: dict[str, list[tuple[Item, Unit | None]]] = {}
    for item in items:
        if item.origin is not None and item.sample != item.origin:
            found.setdefault(item.origin.id, []).append((item, graded.get(item.key)))
    return {
        key: [(item, unit) for item, unit in forms if unit is not None]
        for key, forms in found.items()
        if all(unit is not None for _, unit in forms)
    }


def _consistent(
    keys: Sequence[str], before: Mapping[str, Unit], forms: Mapping[str, list[tuple[Item, Unit]]]
) -> Estimate | None:
    rows = [
        (float(_same(before[key].answer, back(item, unit.answer))), before[key].cluster)
        for key in keys
        for item, unit in forms[key]
        if before[key].answer is not None and unit.answer is not None
    ]
    return estimate([value for value, _ in rows], [cluster for _, cluster in rows]) if rows else None


def _same(one: Answer | None, other: Answer) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-6 * max(1.0, abs(one))
    return one == other


def _bias(
    keys: Sequence[str],
    before: Mapping[str, Unit],
    forms: Mapping[str, list[tuple[Item, Unit]]],
    items: Mapping[str, Item],
) -> tuple[float, float] | None:
    plain = [(items[before[key].key].sample, before[key].answer) for key in keys if before[key].key in items]
    changed = [(item.sample, unit.answer) for key in keys for item, unit in forms[key]]
    found = [
        [(str(answer), str(sample.target)) for sample, answer in pairs if sample.answer == "choice" and answer]
        for pairs in (plain, changed)
    ]
    return (variation(found[0]), variation(found[1])) if all(found) else None


def variation(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the total variation between the letters given and those that were right, 0 to 1."""
    given, right = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    return sum(abs(given[letter] - right[letter]) for letter in {*given, *right}) / (2 * len(pairs))
