"""The terminal tables: one run by category and part, and several runs one below the other.

Plain text without colours where the output is no terminal. Numbers never wrap; names fold where the width is small.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from spatialeval.report.cells import NOTHING, count, interval, percent, plain
from spatialeval.report.notes import notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from spatialeval.run.summary import Counts, Row, Summary
    from spatialeval.stats import Estimate

WIDE = 100
"""Terminal columns from which headers stand on one line and columns two blanks apart."""

_PLAIN_WIDTH = 120
"""Columns of output that is no terminal and whose width nobody set."""


class Run(NamedTuple):
    """A summary and the folder that it was read from."""

    summary: Summary
    folder: Path | None = None


class _Head(NamedTuple):
    wide: str
    narrow: str


_NUMBERS = (
    _Head("n", "n"),
    _Head("score", "score"),
    _Head("95 % interval", "95 %\ninterval"),
    _Head("chance", "chance"),
    _Head("majority", "majo-\nrity"),
    _Head("unparsed", "un-\nparsed"),
    _Head("truncated", "trun-\ncated"),
    _Head("failed", "failed"),
)
_MISSING = _Head("missing", "miss-\ning")


def make_console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """Return a console on `file` (standard output when left out) that takes every text literally."""
    from rich.console import Console  # noqa: PLC0415 - only commands that print tables pay for it

    console = Console(file=file, width=width, markup=False, emoji=False, highlight=False)
    if width is None and not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PLAIN_WIDTH
    return console


def print_run(console: Console, summary: Summary, folder: Path | None = None) -> None:
    """Print one run: its names, the table by category and part, remarks, and where its results are."""
    from rich.padding import Padding  # noqa: PLC0415 - see make_console
    from rich.text import Text  # noqa: PLC0415

    console.print()
    console.print(Text(plain(summary.about.title), style="bold"))
    console.print(Text(_names(summary)))
    console.print(run_table(summary, console.width))
    for note in notes(summary):
        console.print(Padding(Text(note.text, style="bold red" if note.grave else "dim"), (0, 1)))
    if folder is not None:
        console.print(Text(f" Results: {folder}"), soft_wrap=True)
    console.print()


def print_overview(console: Console, runs: Iterable[Run]) -> None:
    """Print the headline scores of several runs, and the remarks without which they would be misread."""
    from rich.padding import Padding  # noqa: PLC0415 - see make_console
    from rich.text import Text  # noqa: PLC0415

    runs = list(runs)
    console.print(overview_table([run.summary for run in runs], console.width))
    for run in runs:
        if grave := [note.text for note in notes(run.summary) if note.grave]:
            place = f" ({run.folder})" if run.folder else ""
            console.print(
                Padding(Text(f"{_short_names(run.summary)}{place}: {' '.join(grave)}", style="bold red"), (0, 1))
            )


def run_table(summary: Summary, width: int) -> Table:
    """Return the table of one run: its categories, its parts, and the headline set apart at the end."""
    counts = summary.counts
    table = _table(["category"], width, missing=counts.missing > 0)
    aside = [row for row in summary.parts if not row.headline]
    headline = [row for row in summary.parts if row.headline]
    for section, style in ((summary.categories, ""), (aside, ""), (headline, "bold")):
        for row in section:
            table.add_row(plain(row.name), *_row(row, missing=counts.missing > 0), style=style)
        table.add_section()
    return table


def overview_table(summaries: Sequence[Summary], width: int) -> Table:
    """Return one line per run with its headline score: models and strategies under their task and protocol."""
    from rich.text import Text  # noqa: PLC0415 - see make_console

    missing = any(summary.counts.missing for summary in summaries)
    table = _table(["task", "model", "strategy"], width, missing=missing)
    ordered = sorted(summaries, key=lambda summary: (summary.about.task, summary.about.protocol))
    before = None
    for summary in ordered:
        about = summary.about
        asked = f"{about.task} {about.protocol}"
        if before not in {None, asked}:
            table.add_section()
        row = next((row for row in summary.parts if row.headline), None)
        cells = _row(row, missing=missing) if row else [Text(NOTHING)] * len(table.columns[3:])
        # A run without any score still says how its questions ended.
        ends = _ends(summary.counts, missing=missing)
        cells[-len(ends) :] = ends
        mark = "" if summary.complete else " INCOMPLETE"
        table.add_row(plain(asked) if asked != before else "", plain(about.model), plain(about.strategy) + mark, *cells)
        before = asked
    return table


def _table(names: Sequence[str], width: int, *, missing: bool) -> Table:
    """Return an empty table: name columns that fold, then number columns that do not."""
    from rich import box  # noqa: PLC0415 - see make_console
    from rich.table import Table  # noqa: PLC0415

    wide = width >= WIDE
    blanks = 1 if wide else 0
    table = Table(box=box.SIMPLE, padding=(0, blanks, 0, 1), pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", min_width=8, vertical="top")
    for head in (*_NUMBERS, *([_MISSING] if missing else ())):
        table.add_column(head.wide if wide else head.narrow, justify="right", no_wrap=True)
    for column in table.columns:
        column.header_style = "bold"
    return table


def _row(row: Row, *, missing: bool) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415 - see make_console

    baselines = [Text(percent(value), style="dim") for value in (row.chance, row.majority)]
    return [Text(count(row.n)), *_score(row.score), *baselines, *_ends(row.counts, missing=missing)]


def _score(estimate: Estimate | None) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415 - see make_console

    if estimate is None:
        return [Text(NOTHING), Text(NOTHING)]
    return [Text(percent(estimate.mean)), Text(NOTHING if estimate.low is None else interval(estimate))]


def _ends(counts: Counts, *, missing: bool) -> list[Text]:
    """Return the counts of answers that were not read and of questions without answer, in colour unless zero."""
    from rich.text import Text  # noqa: PLC0415 - see make_console

    ends = [(counts.unparsed, "yellow"), (counts.truncated, "yellow"), (counts.failed, "bold red")]
    ends += [(counts.missing, "bold red")] if missing else []
    return [Text(count(number), style=style if number else "dim") for number, style in ends]


def _names(summary: Summary) -> str:
    about = summary.about
    verified = "" if about.verified else " (not verified)"
    names: dict[str, Any] = {
        "task": about.task,
        "protocol": f"{about.protocol}{verified}",
        "strategy": about.strategy,
        "model": about.model,
    }
    return " \N{MIDDLE DOT} ".join(f"{key} {plain(str(value))}" for key, value in names.items())


def _short_names(summary: Summary) -> str:
    about = summary.about
    return plain(f"{about.task} {about.protocol}, {about.model}, {about.strategy}")
