"""`compare`, `ablate` and `robust`: differences, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - notebooks and docs read the hints
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.api.asking import Answering, listed, named_model, specs_of
from spatialeval.api.loops import outside_loop
from spatialeval.api.shown import Shown
from spatialeval.run import ablation as arms
from spatialeval.run import comparison, gap, robustness

if TYPE_CHECKING:
    import os

    import pandas as pd
    from rich.console import Console

    from spatialeval.run.ablation import Ablation
    from spatialeval.run.comparison import Comparison
    from spatialeval.run.gap import Gap
    from spatialeval.run.robustness import Robustness
    from spatialeval.samples import Sample
    from spatialeval.tasks import Task


@dataclass(frozen=True, repr=False)
class Compared(Shown):
    """Finished runs against the first of them.

    Attributes:
        comparison: `others[0].rows` holds a difference per category and part, `others[0].flips` the flipped questions.
        gaps: with `why`, the steps from one headline to the other, for each other run.
    """

    comparison: Comparison
    gaps: tuple[Gap, ...] = ()

    @property
    def flips(self) -> pd.DataFrame:
        """A row per question that two runs score differently, with what each read and replied."""
        import pandas as pd  # noqa: PLC0415 - heavy

        return pd.DataFrame(
            [
                {
                    "run": other.name, "id": flip.id, "category": flip.category, "gained": flip.gained,
                    "question": flip.question, "target": flip.target,
                    "base_read": flip.base.read, "other_read": flip.other.read,
                    "base_score": flip.base.score, "other_score": flip.other.score,
                    "base_reply": flip.base.reply, "other_reply": flip.other.reply,
                }
                for other in self.comparison.others
                for flip in other.flips
            ]
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return everything the tables show, JSON-able."""
        from spatialeval.report.comparison import as_json  # noqa: PLC0415 - loads rich

        return as_json(self.comparison, self.gaps)

    def print_on(self, console: Console) -> None:
        """Print the tables of `spatialeval compare`."""
        from spatialeval.report.comparison import print_comparison, print_gap  # noqa: PLC0415 - loads rich

        print_comparison(self.comparison, console)
        for found, other in zip(self.gaps, self.comparison.others, strict=False):  # no gap where nobody asked why
            print_gap(found, (self.comparison.name, other.name), console)


def compare(
    *runs: str | os.PathLike[str],
    why: bool = False,
    anyway: bool = False,
    task: str | Task | None = None,
    data: str | Path | None = None,
    media: str | Path | None = None,
    partial: bool = False,
    samples: Sequence[Sample] | None = None,
) -> Compared:
    """Compare finished runs with the first of them, on the questions that both answered.

    Args:
        runs: at least two: folders, or what `run` returned.
        why: split the gap into reader, scoring, aggregation and replies; needs the task's data.
        anyway: compare runs of other data or other scoring on the questions they share.
        task: where the name in the results is not found.
        data: local file or folder of rows, instead of the hub; also tells rows over facets and sets of questions.
        media: folder of images or videos (not read).
        partial: accept data with other counts than the task file expects.
        samples: of the task, instead of `data`.

    Raises:
        UsageError: for fewer than two runs, for runs of different data or scoring (unless `anyway`), and for runs
            without a common question.
        StorageError: when a file of a run is damaged.
    """
    from spatialeval.run.stored import open_run  # noqa: PLC0415 - loads pyarrow
    from spatialeval.tasks import load_task  # noqa: PLC0415 - only where a task is needed

    folders = [Path(run) for run in runs]
    needed = why or data is not None or samples is not None
    if isinstance(task, str) or (needed and task is None and folders):
        task = load_task(task if isinstance(task, str) else open_run(folders[0]).summary.about.task)
    known = None if task is None or isinstance(task, str) else task
    if samples is None and needed and known is not None:
        samples = known.samples(Path(data) if data else None, Path(media) if media else None, partial=partial)
    found = comparison.compare(*folders, anyway=anyway, task=known, samples=samples)
    gaps: tuple[Gap, ...] = ()
    if why and known is not None and samples is not None:
        gaps = tuple(gap.explain(found.base, other.run, known, samples, anyway=anyway) for other in found.others)
    return Compared(found, gaps)


@dataclass(frozen=True, repr=False)
class Ablated(Shown):
    """What each way of asking is worth.

    Attributes:
        ablations: one per task.
    """

    ablations: tuple[Ablation, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """Return everything the tables show, JSON-able."""
        from spatialeval.report.ablation import as_json  # noqa: PLC0415 - loads rich

        return [as_json(each) for each in self.ablations]

    def print_on(self, console: Console) -> None:
        """Print the tables of `spatialeval ablate`."""
        from spatialeval.report.ablation import print_ablation  # noqa: PLC0415 - loads rich

        for each in self.ablations:
            print_ablation(each, console)


def ablate(
    model: Answering,
    task: str | Sequence[str],
    strategies: Sequence[str],
    *,
    own_caps: bool = False,
    own_readers: bool = False,
    **asking: Any,
) -> Ablated:
    """Ask a model the same samples in several ways, and say what each is worth. The same call resumes.

    Args:
        model: its name, a `Model`, or a function.
        task: a task or a suite, or several.
        strategies: the first is what the others are compared with.
        own_caps: leave every arm its own token cap.
        own_readers: read every arm as its strategy says, not all alike.
        asking: any other argument of `run`; results are kept in `results/ablate` unless `out` says otherwise.

    Raises:
        UsageError: for fewer than two strategies, or the same one twice.
        SpatialEvalError: whatever an arm's run raises.
    """
    name, opened = named_model(model)
    specs = specs_of({"out": "results/ablate", **asking, "model": name, "task": listed(task)})
    caps: arms.Readers = "own" if own_caps else "same"
    readers: arms.Readers = "own" if own_readers else "same"
    return outside_loop(
        lambda: Ablated(
            tuple(
                arms.ablate(replace(spec, strategy="plain"), strategies, readers=readers, caps=caps, model=opened)
                for spec in specs
            )
        )
    )


@dataclass(frozen=True, repr=False)
class Robust(Shown):
    """How much of a score survives changed pictures, wordings and orders.

    Attributes:
        tasks: one per task.
    """

    tasks: tuple[Robustness, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """Return everything the tables show, JSON-able."""
        from spatialeval.report.robustness import as_json  # noqa: PLC0415 - loads rich

        return [as_json(each) for each in self.tasks]

    def print_on(self, console: Console) -> None:
        """Print the tables of `spatialeval robust`."""
        from spatialeval.report.robustness import print_robustness  # noqa: PLC0415 - loads rich

        for each in self.tasks:
            print_robustness(each, console)


def robust(
    model: Answering,
    task: str | Sequence[str],
    *,
    strategy: str = "plain",
    transforms: Sequence[str] | None = None,
    **asking: Any,
) -> Robust:
    """Ask a model the same samples unchanged and under every transform that their task allows, and compare.

    Args:
        model: its name, a `Model`, or a function.
        task: a task or a suite, or several.
        strategy: how to ask; without views.
        transforms: None takes all that apply.
        asking: any other argument of `run`; results are kept in `results/robust` unless `out` says otherwise.

    Raises:
        UsageError: for a strategy with views, or when no transform applies.
        SpatialEvalError: whatever a run raises.
    """
    name, opened = named_model(model)
    specs = specs_of({"out": "results/robust", **asking, "model": name, "task": listed(task)})
    return outside_loop(
        lambda: Robust(
            tuple(robustness.robust(replace(spec, strategy=strategy), transforms, model=opened) for spec in specs)
        )
    )
