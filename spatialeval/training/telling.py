"""A finished loop in words and numbers: a table in Markdown, the same as JSON, and one HTML report of all its runs."""

from __future__ import annotations

from dataclasses import asdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from spatialeval.report.cells import NOTHING, percent
from spatialeval.run.files import write_atomically, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spatialeval.training.loop import Gain, Line, Loop

_KINDS = {"in": "as trained", "held_out": "held out", "ood": "out of distribution", "other": "other"}


def markdown(loop: Loop) -> str:
    """Return the table: a row per exam and model; scores in percent, differences in points with 95 % intervals."""
    many = max((len(line.scores) for line in loop.lines), default=1) > 1
    seeds = f", seeds {', '.join(map(str, loop.seeds))}" if many else ""
    k = next((line.exam.samples for line in loop.lines if line.exam.samples > 1), None)
    drawn = ["Pass@1", f"Pass@{k}"] if k else []
    heads = ["exam", "kind", "model", "score", *drawn, "unread", "over base", "over the stage before"]
    rows = [_row(line, k) for line in loop.lines]
    head = [f"# {loop.recipe}{seeds}", "", _line(heads), _line(["---"] * len(heads)), *map(_line, rows), ""]
    costs = [f"{stage}: {' + '.join(f'{value:,.0f}' for value in told)} s" for stage, told in loop.seconds.items()]
    return "\n".join([*head, f"Training took {'; '.join(costs)}.", "", _EXPLAINED.strip(), ""])


_EXPLAINED = """
`score` is the mean over all questions with greedy decoding; with several seeds their mean, the single ones behind it.
Differences are paired by question, a question's worth being its mean over the seeds; `tie` where the interval holds
zero. p is McNemar's or a randomisation test's, corrected by Holm over all differences of this table.
"""


def write(loop: Loop, folder: Path) -> Path:
    """Write `loop.md` and `loop.json`; return the first. Raises StorageError when that cannot be done."""
    told = [
        {**asdict(line), "exam": line.exam.model_dump(mode="json"), "gains": [asdict(gain) for gain in line.gains]}
        for line in loop.lines
    ]
    content: dict[str, Any] = {
        "format": 1, "recipe": loop.recipe, "seeds": loop.seeds, "models": loop.models, "seconds": loop.seconds,
        "lines": told,
    }  # fmt: skip
    write_json(folder / "loop.json", content)
    write_atomically(folder / "loop.md", markdown(loop).encode())
    return folder / "loop.md"


def _row(line: Line, k: int | None) -> list[str]:
    views = "" if line.exam.strategy == "plain" else f" {line.exam.strategy}"
    gains = {gain.over: _gain(gain) for gain in line.gains}
    over_base = gains.pop("base", NOTHING)
    before = next(iter(gains.values()), NOTHING)
    drawn = [_mean(line.pass_1), _mean(line.pass_k)] if k else []
    cells = [f"{line.exam.task}{views}", _KINDS[line.exam.kind], line.model, _mean(line.scores), *drawn]
    return [*cells, percent(fmean(line.unread)) if line.unread else NOTHING, over_base, before]


def _mean(values: Sequence[float]) -> str:
    if not values:
        return NOTHING
    single = f" ({', '.join(percent(value) for value in values)})" if len(values) > 1 else ""
    return percent(fmean(values)) + single


def _gain(gain: Gain) -> str:
    told = gain.paired
    if told.low is None or told.high is None:
        return f"{100 * told.difference:+.1f}"
    tie = " tie" if told.tie else f" p={gain.p:.2g}"
    return f"{100 * told.difference:+.1f} [{100 * told.low:+.1f}, {100 * told.high:+.1f}]{tie}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
