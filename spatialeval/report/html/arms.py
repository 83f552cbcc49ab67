"""What each way of asking and each changed question is worth in the runs at hand, by the code of ablate and robust."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from spatialeval.errors import SpatialEvalError
from spatialeval.report.html.remade import Remade, consistency
from spatialeval.run.ablation import Difference, by_question, compare_graded
from spatialeval.run.contrast import Setting, differing
from spatialeval.run.results import read_samples
from spatialeval.run.robustness import Survival, survived
from spatialeval.run.stored import StoredRun, StoredScores
from spatialeval.tasks.aggregate import EVERYTHING
from spatialeval.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spatialeval.report.html.board import BoardRun
    from spatialeval.report.html.runs import Run
    from spatialeval.run.units import Unit
    from spatialeval.tasks import Task

_COLUMNS = ("key", "sample_id", "category", "group", "state", "score")
_READ = ("key", "sample_id", "score", "group", "read")
_HELD = 2
_EXPECTED = ("strategy", "prompt", "token cap", "tokens", "version")
"""Settings that differ between strategies by their nature, or that say nothing about answers."""


@dataclass(frozen=True)
class Arms:
    """Several strategies of one model on one task; the first is what the others are compared with.

    Attributes:
        runs: of the strategies.
        rows: for each run, its difference to the first one by category and part.
        headline: the difference on the part that stands for the task, per run.
        differing: what else is not the same in the runs.
    """

    runs: tuple[BoardRun, ...]
    rows: tuple[tuple[Difference, ...], ...]
    headline: tuple[Difference, ...]
    differing: tuple[Setting, ...]


@dataclass(frozen=True)
class Survived:
    """What is left of a run's score when its questions are changed."""

    plain: BoardRun
    changed: BoardRun
    told: Survival


class Stored:
    """The runs of one task on disk. Few are held at a time: a run's questions are many objects."""

    def __init__(self, sources: Mapping[str, Run], task: Task | None) -> None:
        self._sources, self._task = sources, task
        self.remade = Remade(task)
        self.scores: Callable[[BoardRun], StoredScores] = lru_cache(_HELD)(self._scores)

    def folders(self, shown: BoardRun) -> tuple[Path, ...]:
        """Return the folders that a run, or one that it stands for, lies in: what one command made lies in one."""
        return self._sources[shown.id].parents

    def run(self, shown: BoardRun, columns: Sequence[str] = ()) -> StoredRun:
        """Return a run with some columns of its rows, or without rows."""
        run = self._sources[shown.id]
        rows = read_samples(run.place, columns).to_pylist() if columns else ()
        return StoredRun(run.place, run.summary, run.manifest, tuple(rows))

    def _scores(self, shown: BoardRun) -> StoredScores:
        run = self.run(shown, _COLUMNS)
        rules = run.rules
        if rules is None and self._task:
            rules = list(self._task.protocol(shown.protocol).rules)
        return StoredScores(run, None, (), rules)


def arms_of(runs: Sequence[BoardRun], stored: Stored) -> list[Arms]:
    """Return the comparisons of strategies that the runs of one task allow: one per model and protocol."""
    found = []
    for members in _groups(runs, stored):
        try:
            held = [stored.scores(run) for run in members]
            rows = compare_graded(held)
        except SpatialEvalError:  # a vote, or samples that cannot be read; the page says so beside the run
            continue
        name = next((part.name for part in held[0].parts() if part.headline), held[0].parts()[-1].name)
        headline = tuple(next(cell for cell in reversed(row) if cell.name == name) for row in rows)
        if any(cell.paired for cell in headline[1:]):
            settings = differing([stored.run(run) for run in members])
            kept = tuple(one for one in settings if not one.name.startswith(_EXPECTED))
            found.append(Arms(tuple(members), rows, headline, kept))
    return found


def _groups(runs: Sequence[BoardRun], stored: Stored) -> Iterator[list[BoardRun]]:
    """Yield the runs of different strategies alone, `plain` first; where one occurs twice, those of one folder."""
    alike: defaultdict[tuple[object, ...], list[BoardRun]] = defaultdict(list)
    for run in runs:
        if run.kind == "model" and "+" not in run.strategy and run.score is not None:
            alike[run.protocol, run.model, run.data, run.scores_version].append(run)
    for members in alike.values():
        if _different(members):
            yield _plain_first(members)
            continue
        beside: defaultdict[Path, list[BoardRun]] = defaultdict(list)
        for run in members:
            for folder in stored.folders(run):
                beside[folder].append(run)
        groups = [some for some in beside.values() if _different(some)]
        yield from (_plain_first(some) for place, some in enumerate(groups) if some not in groups[:place])


def _different(runs: Sequence[BoardRun]) -> bool:
    return 1 < len(runs) == len({run.strategy for run in runs})


def _plain_first(runs: Sequence[BoardRun]) -> list[BoardRun]:
    return sorted(runs, key=lambda run: run.strategy != "plain")


def survivals_of(runs: Sequence[BoardRun], stored: Stored) -> list[Survived]:
    """Return what every run on changed questions is to the run of the same model on the unchanged ones."""
    found = []
    for changed in runs:
        strategy, _, view = changed.strategy.partition("+")
        if changed.kind != "changed" or "+" in view:
            continue
        fitting = [run for run in runs if run.strategy == strategy and _alike(run, changed)]
        # Of several such runs the one beside it was made together with it.
        here = set(stored.folders(changed))
        plain = next((run for run in fitting if here & set(stored.folders(run))), next(iter(fitting), None))
        if plain is None:
            continue
        try:
            found.append(Survived(plain, changed, _survival(view, plain, changed, stored)))
        except SpatialEvalError:  # samples that cannot be read; the page says so beside the run
            continue
    return found


def _alike(run: BoardRun, other: BoardRun) -> bool:
    names = ("protocol", "model", "data", "scores_version")
    return all(getattr(run, name) == getattr(other, name) for name in names)


def _survival(view: str, plain: BoardRun, changed: BoardRun, stored: Stored) -> Survival:
    made = VIEWS.get(view.partition("(")[0])
    run = stored.run(changed, _READ)
    asked = Counter(row["sample_id"] for row in run.rows)
    forms: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in stored.scores(changed).questions.values():
        forms[unit.question].append(unit)
    facts = Survival(
        name=view,
        kind=getattr(made, "kind", "control"),
        family=getattr(made, "family", view),
        applied=len(asked),
        total=plain.total,
        skipped=dict(run.summary.skipped),
        failed=changed.counts.failed + changed.counts.missing,
    )
    whole = {name: units for name, units in forms.items() if len(units) == asked[name]}
    found = survived(facts, by_question(stored.scores(plain).units(EVERYTHING)), whole)
    items = stored.remade.items(changed) if facts.kind != "control" else {}
    return replace(found, consistent=consistency(stored.run(plain, _READ).rows, run.rows, items)) if items else found
