"""A report of runs: leaderboard.md, .csv, .json and one HTML file that works from disk and loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval.report.html.browse import INSIDE, make_samples
from spatialeval.report.html.files import as_csv, as_json, as_markdown
from spatialeval.report.html.making import make_board, task_of
from spatialeval.report.html.page import render
from spatialeval.report.html.runs import find_runs, shown_once
from spatialeval.run.files import write_atomically
from spatialeval.run.storage import unwritable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spatialeval.report.html.board import Board

__all__ = ["write_report"]


def write_report(
    places: Sequence[Path],
    out: Path,
    *,
    samples: bool = False,
    media: Path | None = None,
    media_limit: int = 20_000_000,
    inside: int = INSIDE,
) -> Board:
    """Write the report of all runs below `places` into folder `out`, and return the leaderboard.

    Args:
        places: folders; runs are looked for in them and below.
        out: made when it is not there.
        samples: also put every question and answer into the page.
        media: folder of the pictures that were sent, for small ones in the page.
        media_limit: bytes of small pictures in the page, at most.
        inside: bytes of samples in the page, at most; more of them lie in files beside it.

    Raises:
        UsageError: when there is no such folder, or no run with results.
        StorageError: when a file cannot be read or written.
    """
    found = shown_once(find_runs(places))
    board = make_board(found)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    browser = make_samples(board, found.runs, media, media_limit, out, inside) if samples else None
    page = render(board, found.runs, browser, {task.name: task_of(task.name) for task in board.tasks})
    for name, text in (
        ("leaderboard.json", as_json(board)),
        ("leaderboard.csv", as_csv(board)),
        ("leaderboard.md", as_markdown(board)),
        ("report.html", page),
    ):
        write_atomically(out / name, text.encode())
    return board
