"""`report`, `export` and `power`: files to show to others, and how many questions it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.api.shown import Shown
from spatialeval.errors import UsageError
from spatialeval.run.power import measure, plan_power
from spatialeval.stats.power import Design
from spatialeval.text import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from rich.console import Console

    from spatialeval.report.html.board import Board
    from spatialeval.run.power import PowerPlan


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """A report that was written.

    Attributes:
        folder: where report.html and the leaderboards are.
        board: the leaderboard as data.
        plots: pictures that were drawn.
    """

    folder: Path
    board: Board
    plots: tuple[Path, ...] = ()

    def print_on(self, console: Console) -> None:
        """Print what was left out, and where the report is."""
        from rich.text import Text  # noqa: PLC0415 - only where something is shown

        from spatialeval.text import printable  # noqa: PLC0415 - beside its use

        for text in self.board.left_out:
            console.print(Text(printable(f"Left out: {text}")))
        runs, tasks = counted(len(self.board.runs), "run"), counted(len(self.board.tasks), "task")
        told = f"{runs} on {tasks}: {self.folder / 'report.html'}"
        console.print(Text(printable(told)), soft_wrap=True)


def report(
    *results: str | os.PathLike[str],
    out: str | Path = "report",
    samples: bool = False,
    media: str | Path | None = None,
    media_limit: int = 20,
    plots: str | Path | None = None,
) -> Report:
    """Write leaderboard.md, .csv, .json and one self-contained report.html of all runs in folders.

    Args:
        results: folders of runs, or what `run` returned.
        out: folder to write.
        samples: also put every question and answer into the page.
        media: folder of the pictures, for small ones in the page.
        media_limit: megabytes of small pictures at most.
        plots: also draw the leaderboard and more as SVG and PNG into this folder (needs matplotlib).

    Raises:
        UsageError: when there is no such folder, or no run with results.
        StorageError: when a file cannot be read or written.
    """
    from spatialeval.report.html import write_report  # noqa: PLC0415 - loads what pages need

    places = [Path(place) for place in results]
    if not places:
        raise UsageError("report takes at least one folder of runs.")
    board = write_report(
        places, Path(out), samples=samples, media=Path(media) if media else None, media_limit=media_limit * 1_000_000
    )
    drawn: Sequence[Path] = ()
    if plots is not None:
        from spatialeval.report.plots import plot_results  # noqa: PLC0415 - loads matplotlib

        drawn = plot_results(places, Path(plots))
    return Report(Path(out), board, tuple(drawn))


def export(
    *results: str | os.PathLike[str],
    format: str = "markdown",  # noqa: A002 - named as the option
    out: str | Path | None = None,
    model: str | None = None,
) -> str | None:
    """Return all runs in folders in the form that others take, or write it to a file.

    Args:
        results: folders of runs, or what `run` returned.
        format: `model-index` (YAML of a Hugging Face model card), `latex`, `markdown`, `csv`, `json`, or `parquet` (a
            row per asked item of all runs, which needs `out`).
        out: file to write.
        model: only the runs of this model.

    Returns:
        The text where `out` is left out.

    Raises:
        UsageError: for an unknown format or model, or when there is no run with results.
        StorageError: when a file cannot be read or written.
    """
    from spatialeval.report.export import export_results  # noqa: PLC0415 - loads what the formats need

    places = [Path(place) for place in results]
    return export_results(places, format, Path(out) if out is not None else None, model)


@dataclass(frozen=True, repr=False)
class Power(Shown):
    """How many questions show a difference.

    Attributes:
        plan: the numbers: `plan.rows[0].paired` questions show `plan.rows[0].difference`.
    """

    plan: PowerPlan

    def print_on(self, console: Console) -> None:
        """Print the table of `spatialeval power`."""
        from spatialeval.report.power import print_power  # noqa: PLC0415 - loads rich

        print_power(self.plan, console)


def power(
    *runs: str | os.PathLike[str],
    points: float | Sequence[float] = (),
    score: float | None = None,
    questions: int | None = None,
    correlation: float | None = None,
    differ: float | None = None,
    group_size: float | None = None,
    icc: float | None = None,
    icc_differences: float | None = None,
    power: float = 80.0,
    level: float = 5.0,
) -> Power:
    """Say how many questions show a difference, paired and unpaired. Shares are in percent, as the option's.

    Args:
        runs: one or two finished runs of a task that tell score, groups and correlations; the other arguments replace
            what they tell.
        points: differences to see, in points; 1, 2, 3, 5 and 10 when left out.
        score: true score of the first of two models, in percent; needed without runs.
        questions: also say what so many questions show; the runs' own when left out.
        correlation: of the two score lists; 0.5 when nothing tells it.
        differ: percent of questions on which the two differ, instead of the correlation.
        group_size: questions that share a picture.
        icc: how alike scores of one group are.
        icc_differences: how alike differences of one group are; `icc` when left out.
        power: percent of times that a true difference is to be seen.
        level: percent of times that it is seen where there is none.

    Raises:
        UsageError: for numbers that no comparison can have, and for runs without a common question.
    """
    if not runs and score is None:
        raise UsageError("power needs a finished run, or the score that is expected: --score 60.")
    found = measure([Path(run) for run in runs], level=level / 100, power=power / 100) if runs else None
    shared: dict[str, Any] = {"level": level / 100, "power": power / 100}
    shared |= {} if score is None else {"score": score / 100}
    shared |= {} if group_size is None else {"group_size": group_size}
    alike: dict[str, Any] = {} if icc is None else {"icc": icc}
    same: dict[str, Any] = alike if icc_differences is None else {"icc": icc_differences}
    same = dict(same) | ({} if correlation is None else {"correlation": correlation, "differ": None})
    same |= {} if differ is None else {"differ": differ / 100}
    try:
        paired = replace(found.design, **shared, **same) if found else Design(**shared, **same)
        apart = replace(found.apart, **shared, **alike) if found else Design(paired=False, **shared, **alike)
    except ValueError as error:
        raise UsageError(f"{error}. Correct the numbers.") from error
    asked = [points] if isinstance(points, (int, float)) else list(points)
    if any(not 0 < abs(each) <= 100 for each in asked):
        raise UsageError("points are a difference of scores in percent: not 0, and 100 at most.")
    at_hand = questions or (found.questions if found else None)
    return Power(plan_power(paired, apart, [each / 100 for each in asked], at_hand, found))
