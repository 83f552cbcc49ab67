"""The leaderboard as LaTeX tables (booktabs), every text escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spatialeval.report.cells import percent
from spatialeval.report.html.files import marks, place, references
from spatialeval.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spatialeval.report.html.board import Board, BoardRun, BoardTask

_ESCAPES = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "-": "-{}", "'": "'{}", "`": "`{}",
    "\N{EN DASH}": "--", "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
}  # fmt: skip
_HEAD = """\
% Written by spatialeval {version}. Needs \\usepackage{{booktabs}} and \\usepackage[T1]{{fontenc}}.
% Scores in percent with 95 % intervals; rank: the places that a run may have.
"""


def as_latex(board: Board) -> str:
    """Return a table per task, the best run first, with its reference rows below a rule."""
    return _HEAD.format(version=board.version) + "\n".join(
        line for task in board.tasks for line in _table(task, board.of(task.name))
    )


def escaped(text: str) -> str:
    """Return `text` so that LaTeX shows it as it is: no command in it runs, and ligatures are not made."""
    return re.sub(r"[\\~^<>|\"'`&%$#_{}\u2013\u00b7]|-(?=-)", lambda found: _ESCAPES[found[0]], printable(text))


def _table(task: BoardTask, runs: list[BoardRun]) -> Iterable[str]:
    yield r"\begin{table}"
    yield r"  \centering"
    yield f"  \\caption{{{escaped(task.title)} ({escaped(task.name)})}}"
    yield f"  \\label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', task.name)}}}"
    yield r"  \begin{tabular}{rlllrlr}"
    yield r"    \toprule"
    yield r"    rank & model & protocol & strategy & score & 95\,\% interval & $n$ \\"
    yield r"    \midrule"
    yield from map(_line, runs)
    if told := references(task, runs):
        yield r"    \midrule"
        yield from (f"    & \\emph{{{escaped(name)}}} & & & {percent(value)} & & \\\\" for name, value in told)
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"
    yield ""


def _line(run: BoardRun) -> str:
    score = run.score
    remarks = [*([run.kind] if run.kind != "model" else []), *marks(run)]
    model = escaped(run.model) + (f" ({escaped(', '.join(remarks))})" if remarks else "")
    span = "" if score is None or score.low is None else f"[{percent(score.low)}, {percent(score.high)}]"
    cells = [
        escaped(place(run.rank)), model, escaped(run.protocol), escaped(run.strategy),
        "--" if score is None else percent(score.mean), span, f"{score.n:,}" if score else "",
    ]  # fmt: skip
    return f"    {' & '.join(cells)} \\\\"
