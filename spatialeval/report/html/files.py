"""The leaderboard as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

from spatialeval.report.cells import NOTHING, percent
from spatialeval.report.cells import score as shown
from spatialeval.report.html.names import apart
from spatialeval.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spatialeval.report.html.board import Board, BoardRun, BoardTask, Rank

CSV_COLUMNS = (
    "task", "model", "kind", "protocol", "strategy", "setting", "headline", "score", "low", "high", "se", "n",
    "rank_best", "rank_worst", "ranked", "complete", "partial", "verified", "scored", "unparsed", "truncated", "failed",
    "missing", "chance", "majority", "human", "prompt_tokens", "completion_tokens", "scores_version", "data", "folder",
)  # fmt: skip
_FORMULA = re.compile(r"\s*[=+\-@]|[\t\r\n]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")


def as_json(board: Board) -> str:
    """Return the board as JSON; docs/leaderboard.schema.json describes it."""
    return json.dumps(board.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"


def as_csv(board: Board) -> str:
    """Return one line per run. Names that a spreadsheet would take for a formula begin with an apostrophe."""
    humans = {task.name: task.human for task in board.tasks}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for run in board.runs:
        writer.writerow([_csv_cell(value) for value in _values(run, humans[run.task])])
    return out.getvalue()


def as_markdown(board: Board) -> str:
    """Return a table per task, the best run first, with its reference rows at the end."""
    return "\n".join(
        ["# Leaderboard", "", _LEGEND, "", *(line for task in board.tasks for line in _section(board, task))]
    )


_LEGEND = (
    "Scores in percent with 95 % intervals. Rank: the places that a run has in 95 % of 2,000 draws of the questions, "
    "the same ones for all; where runs do not share their questions, as far as the intervals tell. Runs whose ranges "
    "meet are tied. Only complete runs of models on the same data under the same protocol are ranked."
)


def place(rank: Rank | None) -> str:
    """Return a rank range: `1 of 3`, `2 to 4 of 5, tied`, or a dash."""
    if rank is None:
        return NOTHING
    ends = str(rank.best) if rank.best == rank.worst else f"{rank.best} to {rank.worst}"
    return f"{ends} of {rank.of}{', tied' if rank.tied else ''}"


def marks(run: BoardRun) -> list[str]:
    """Return what a reader of the score must know, in a word each."""
    answered = run.total - run.counts.missing - run.counts.failed
    lacking = f"incomplete: {answered:,} of {run.total:,}" if answered < run.total else "incomplete"
    told = {lacking: not run.complete, "partial": run.partial, "unverified protocol": not run.verified}
    return [word for word, holds in told.items() if holds]


def coverage(run: BoardRun) -> str | None:
    """Return how many of the questions its views can ask, where these are not all."""
    left = sum(each.samples for each in run.skipped)
    return f"asks {run.samples:,} of {run.samples + left:,}" if left else None


def reasons(run: BoardRun) -> str:
    """Return why its views leave questions out, the most frequent reason first."""
    ranked = sorted(run.skipped, key=lambda each: -each.samples)
    return "; ".join(f"{each.samples:,} ({each.reason})" for each in ranked)


def _values(run: BoardRun, human: float | None) -> Iterable[object]:
    score, rank, counts = run.score, run.rank, run.counts
    yield from (run.task, run.model, run.kind, run.protocol, run.strategy, run.setting, run.headline)
    yield from (score.mean, score.low, score.high, score.se, score.n) if score else (None,) * 5
    yield from (rank.best, rank.worst, rank.of) if rank else (None,) * 3
    yield from (run.complete, run.partial, run.verified)
    yield from (counts.scored, counts.unparsed, counts.truncated, counts.failed, counts.missing)
    yield from (run.chance, run.majority, human, run.tokens.prompt, run.tokens.completion)
    yield from (run.scores_version, run.data, run.folder)


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else value
    text = printable(value)
    return f"'{text}" if _FORMULA.match(value) else text


def _section(board: Board, task: BoardTask) -> Iterable[str]:
    yield f"## {_md(task.name)}: {_md(task.title)}"
    yield ""
    yield "| rank | model | protocol | strategy | score | n | unparsed | truncated | failed | remarks |"
    yield "|---|---|---|---|---:|---:|---:|---:|---:|---|"
    runs = board.of(task.name)
    for run in runs:
        counts = run.counts
        n = run.score.n if run.score else 0
        covered = coverage(run)
        told = [*([run.kind] if run.kind != "model" else []), *marks(run), *([covered] if covered else [])]
        told += apart(run, runs)
        told += [f"stands for {run.same} more of the same"] if run.same else []
        cells = [
            place(run.rank), _md(run.model), _md(run.protocol), _md(run.strategy), shown(run.score), f"{n:,}",
            f"{counts.unparsed:,}", f"{counts.truncated:,}", f"{counts.failed:,}", _md("; ".join(told)),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield from (f"|  | *{name}* |  |  | {percent(value)} |  |  |  |  |  |" for name, value in references(task, runs))
    yield ""


def references(task: BoardTask, runs: list[BoardRun]) -> list[tuple[str, float]]:
    """Return the reference rows of a task: chance, the best constant answer, people.

    Runs on other data or under another protocol may differ in the first two; then the range's ends are given.
    """
    found: list[tuple[str, float]] = []
    runs = [run for run in runs if run.kind != "changed"]
    for name, values in (
        ("chance", {run.chance for run in runs if run.chance is not None}),
        ("best constant answer", {run.majority for run in runs if run.majority is not None}),
    ):
        ends = sorted({round(min(values), 4), round(max(values), 4)}) if values else []
        labels = [name] if len(ends) == 1 else [f"{name}, lowest", f"{name}, highest"]
        found += zip(labels, ends, strict=False)
    if task.human is not None:
        found.append(("human, published", task.human))
    return found


def _md(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", printable(text)).replace(r"\<", "&lt;").replace(r"\>", "&gt;").replace(r"\&", "&amp;")
