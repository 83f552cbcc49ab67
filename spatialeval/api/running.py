"""`run`: models x tasks x strategies x protocols, asked, resumed and scored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - notebooks and docs read the hints
from typing import TYPE_CHECKING, Any, Literal, overload

from spatialeval.api.asking import Answering, command_of, listed, named_model, specs_of
from spatialeval.api.loops import outside_loop
from spatialeval.api.shown import Shown
from spatialeval.errors import UsageError
from spatialeval.models.base import open_model
from spatialeval.run.execute import estimate, execute
from spatialeval.run.plan import MANY_CALLS
from spatialeval.run.prepare import prepare

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from spatialeval.models.base import Model
    from spatialeval.run.prepare import RunSpec
    from spatialeval.run.summary import Summary
    from spatialeval.stats import Estimate


@dataclass(frozen=True)
class Run(Shown):
    """One finished run.

    Attributes:
        folder: where its results are.
        summary: its numbers: `summary.score`, `summary.categories`, `summary.parts`, `summary.counts`.
        notes: what should be said besides.
    """

    folder: Path
    summary: Summary
    notes: tuple[str, ...] = ()

    __repr__ = Shown.__repr__

    def __fspath__(self) -> str:
        """Return the folder, so that a run stands wherever a path does."""
        return str(self.folder)

    @property
    def score(self) -> Estimate | None:
        """The headline, 0 to 1, with its 95 % interval."""
        return self.summary.score

    @property
    def complete(self) -> bool:
        """Whether every item was answered."""
        return self.summary.complete

    @property
    def samples(self) -> pd.DataFrame:
        """A row per asked item, as `load_results` has it."""
        from spatialeval.run.loading import load_results  # noqa: PLC0415 - loads pandas

        return load_results(self.folder).samples

    def print_on(self, console: Console) -> None:
        """Print the table of the run."""
        from spatialeval.report.table import print_summary  # noqa: PLC0415 - loads rich

        print_summary(self.summary, self.folder, console=console)


class Runs(Sequence[Run], Shown):
    """Finished runs, in the order they were asked. One alone prints its table, several an overview."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = tuple(runs)

    __repr__ = Shown.__repr__

    @overload
    def __getitem__(self, place: int) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Runs: ...
    def __getitem__(self, place: int | slice) -> Run | Runs:
        """Return one run, or some."""
        return Runs(self._runs[place]) if isinstance(place, slice) else self._runs[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._runs)

    @property
    def complete(self) -> bool:
        """Whether every item of every run was answered."""
        return all(run.complete for run in self._runs)

    @property
    def frame(self) -> pd.DataFrame:
        """A row per run: names, headline with interval, counts, tokens."""
        import pandas as pd  # noqa: PLC0415 - heavy

        from spatialeval.run.loading import run_row  # noqa: PLC0415 - loads pyarrow

        return pd.DataFrame([run_row(str(run.folder), run.summary) for run in self._runs])

    def print_on(self, console: Console) -> None:
        """Print the table of the run, or the overview of several."""
        from spatialeval.report.table import print_overview  # noqa: PLC0415 - loads rich

        if len(self._runs) == 1:
            self._runs[0].print_on(console)
        elif self._runs:
            print_overview([run.summary for run in self._runs], console=console)


def run(
    task: str | Path | Sequence[str | Path],
    model: Answering | Sequence[Answering],
    *,
    strategy: str | Sequence[str] = "plain",
    protocol: str | Sequence[str] | None = None,
    data: str | Path | None = None,
    media: str | Path | None = None,
    partial: bool = False,
    limit: int | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    temperature: float | Literal["none"] | None = None,
    base_url: str | Sequence[str] | None = None,
    timeout: float = 300.0,
    concurrency: int | None = None,
    batch_size: int = 16,
    option: Mapping[str, Any] | None = None,
    judge: Answering | None = None,
    judge_option: Mapping[str, Any] | None = None,
    out: str | Path = "results",
    fresh: bool = False,
    recover: bool = False,
    yes: bool = False,
    progress: bool = False,
    **more: Any,
) -> Runs:
    """Ask models the questions of tasks, and return the finished runs. The same call resumes where it stopped.

    A plain function is a model: `run("scenes:easy(rows=20)", lambda request: "B")`. What it answered is kept under its
    name; a function that has changed is refused there, and `fresh=True` starts over.

    Args:
        task: `vsr`, `vsr:random`, `maze(size=7)`, a suite or a task file; or several.
        model: `openai:gpt-4o`, `hf:PATH`, `embedded`, `random` ..., a `Model`, or a function; or several.
        strategy: how to ask, with any views: `plain`, `cot`, `plain+blind`; or several.
        protocol: of the task; None means its own default.
        data: local file or folder of rows, instead of the hub.
        media: folder of images or videos.
        partial: accept data with other counts than the task file expects.
        limit: most samples per task; raising it asks only new ones.
        seed: of the choice that `limit` makes.
        max_tokens: instead of the protocol's token cap.
        temperature: instead of the protocol's; "none" sends none.
        base_url: root of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.
        timeout: seconds for one reply.
        concurrency: most requests in flight.
        batch_size: of local models.
        option: settings of the model's backend.
        judge: the model that judges replies, for protocols that have replies judged.
        judge_option: how to reach it: base_url, timeout, concurrency, batch_size, or a setting of its backend.
        out: where run folders go.
        fresh: move what a run folder holds aside and start over.
        recover: first save what can be read of a damaged journal.
        yes: make more than 20,000 calls of a model that costs money.
        progress: show how it goes on standard error.
        more: any other key of an experiment file or of a model in one (docs/running.md), such as `cache`.

    Raises:
        RunInterrupted: after Ctrl-C; everything answered is kept.
        SpatialEvalError: whatever is wrong with the names, the data, the folder or the model; answers are kept too.
    """
    given = {name: value for name, value in locals().items() if name not in {"more", "yes", "progress"}} | more
    models = [named_model(each) for each in listed(model)]
    if not models or len({name for name, _ in models}) < len(models):
        raise UsageError("name at least one model, and each once; a function's name is its own, or FunctionModel's.")
    judging = named_model(judge) if judge is not None else (None, None)
    names = [name for name, _ in models]
    specs = specs_of({**given, "model": names, "judge": judging[0]}, command_of(run, given))
    opened = dict(models)
    return outside_loop(
        lambda: Runs([_one(spec, opened[spec.model], judging[1], yes=yes, progress=progress) for spec in specs])
    )


def _one(spec: RunSpec, model: Model | None, judge: Model | None, *, yes: bool, progress: bool) -> Run:
    from spatialeval.run.progress import progress as display  # noqa: PLC0415 - loads rich

    model = model or open_model(spec.model, spec.options)
    ready = prepare(spec)
    if model.hosted and not yes and (calls := asyncio.run(estimate(spec, ready)).calls) > MANY_CALLS:
        raise UsageError(f"that is up to {calls:,} calls of {spec.model}, which cost money. Say yes=True to make them.")
    with display(f"{spec.task} {spec.model} {spec.strategy}") if progress else nullcontext(lambda _: None) as events:
        outcome = asyncio.run(execute(spec, events=events, model=model, judge=judge, ready=ready))
    return Run(outcome.folder, outcome.summary, outcome.notes)
