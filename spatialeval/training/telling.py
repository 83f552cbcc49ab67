"""A finished loop in words and numbers: tables in Markdown, and the same as JSON."""

from __future__ import annotations

from dataclasses import asdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from spatialeval.report.cells import NOTHING, percent
from spatialeval.report.cells import score as shown
from spatialeval.run.files import write_atomically, write_json
from spatialeval.training.schema import BASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spatialeval.stats.estimate import Estimate
    from spatialeval.training.loop import Loop
    from spatialeval.training.outcomes import Gain, Line
    from spatialeval.training.schema import Exam

KINDS = {"in": "as trained", "held_out": "held out", "ood": "out of distribution", "other": "other"}


def exam_name(exam: Exam) -> str:
    """Return what an exam is called: its task, and how it is asked where that is not plainly."""
    return exam.task if exam.strategy == "plain" else f"{exam.task} {exam.strategy}"


def measure_name(measure: str, exam: Exam) -> str:
    """Return what a measure is called on an exam: `score`, `Pass@1`, `Pass@4`."""
    return {"score": "score", "pass_1": "Pass@1"}.get(measure, f"Pass@{exam.samples}")


def markdown(loop: Loop) -> str:
    """Return the tables; scores in percent, differences in points, both with 95 % intervals."""
    many = f", seeds {', '.join(map(str, loop.seeds))}" if len(loop.seeds) > 1 else ""
    drawn = ["Pass@1", "Pass@k"] if any(line.exam.samples > 1 for line in loop.lines) else []
    heads = ["exam", "kind", "model", "score", *drawn, "unread", "over base", "over the stage before"]
    scores = [_row(line, drawn=bool(drawn)) for line in loop.lines]
    single = ["by seed"] if many else []
    pairs = [(line, gain) for line in loop.lines for gain in line.gains]
    gains = [[*_gain_row(*pair), *(_by_seed(loop, *pair) for _ in single)] for pair in pairs]
    return "\n".join(
        [
            f"# {loop.found.recipe.id}{many}",
            "",
            *_table(heads, scores),
            "## Gains",
            "",
            *_table(["exam", "what", "model", "points, 95 % interval", "p (Holm)", "better", "worse", *single], gains),
            "## Cost",
            "",
            *_table(["stage", "seed", "seconds", "steps", "completions", "tokens"], _costs(loop)),
            *_table(["evaluations of", "seconds", "calls", "tokens in", "tokens out"], _exam_costs(loop)),
            EXPLAINED.replace("\n", " ").strip(),
            "",
        ]
    )


EXPLAINED = """
Score is the mean over all answered questions, decoded as the protocol says: greedily unless it names a temperature.
Pass@1 and Pass@k are of replies drawn at the temperature that the recipe gives; a reply counts as right where its score
is 1. With several seeds a question's worth is its mean over them; the values of the single seeds stand beside it.
Intervals hold 95 % and cover the choice of questions (questions of one scene or group counted as one), and so does p:
they speak of the models trained here, not of what another seed would train. Differences are paired by question; a tie
is an interval that holds zero. p is McNemar's or a randomisation test's, corrected by Holm over all gains listed here.
"""


def write(loop: Loop, folder: Path) -> Path:
    """Write `loop.md` and `loop.json`; return the first. Raises StorageError when that cannot be done."""
    content: dict[str, Any] = {
        "format": 1, "recipe": loop.found.recipe.id, "seeds": loop.seeds, "models": loop.models,
        "seconds": loop.seconds, "lines": [_line_json(line, folder) for line in loop.lines],
        "stages": [asdict(cost) for cost in loop.stage_costs], "exams": [asdict(cost) for cost in loop.exam_costs],
    }  # fmt: skip
    write_json(folder / "loop.json", content)
    write_atomically(folder / "loop.md", markdown(loop).encode())
    return folder / "loop.md"


def _line_json(line: Line, folder: Path) -> dict[str, Any]:
    places = [place.relative_to(folder).as_posix() for place in line.folders]
    return {**asdict(line), "exam": line.exam.model_dump(mode="json"), "folders": places}


def _row(line: Line, *, drawn: bool) -> list[str]:
    cells = [exam_name(line.exam), KINDS[line.exam.kind], line.model, _mean(line.estimates.get("score"), line.scores)]
    if drawn:
        k = f"@{line.exam.samples}: " if line.pass_k else ""
        cells += [_mean(line.estimates.get("pass_1"), line.pass_1)]
        cells += [k + _mean(line.estimates.get("pass_k"), line.pass_k)]
    before = line.gain("score", line.before)
    named = f" ({line.before})" if before else ""
    unread = percent(fmean(line.unread)) if line.unread else NOTHING
    return [*cells, unread, _gain(line.gain("score", BASE)), _gain(before) + named]


def _mean(mean: Estimate | None, seeds: Sequence[float]) -> str:
    single = f" ({', '.join(percent(value) for value in seeds)})" if len(seeds) > 1 else ""
    return shown(mean) + single


def _gain_row(line: Line, gain: Gain) -> list[str]:
    pair = f"{line.model} over {gain.over}"
    told = gain.paired
    cells = [measure_name(gain.measure, line.exam), pair, points(gain), p_value(gain.p), f"{told.better:,}"]
    return [exam_name(line.exam), *cells, f"{told.worse:,}"]


def _by_seed(loop: Loop, line: Line, gain: Gain) -> str:
    """Return the difference of the means under each seed, which shows how far chance in training moves it."""
    other = next(one for one in loop.lines if (one.exam, one.model) == (line.exam, gain.over))
    after, before = ({"score": one.scores, "pass_1": one.pass_1, "pass_k": one.pass_k} for one in (line, other))
    here, there = after[gain.measure], before[gain.measure]
    if gain.over == BASE:
        there = there * len(here)
    if len(here) != len(there):  # nothing was answered under a seed
        return NOTHING
    return ", ".join(f"{round(100 * (b - a), 1) + 0:+.1f}" for a, b in zip(there, here, strict=True))


def _gain(gain: Gain | None) -> str:
    if gain is None:
        return NOTHING
    return points(gain) + (" tie" if gain.paired.tie else f" p={p_value(gain.p)}")


def points(gain: Gain) -> str:
    """Return a difference in points with its interval: `+5.2 [+1.0, +9.4]`."""
    told = gain.paired
    ends = (told.difference, told.low, told.high)
    mean, low, high = (NOTHING if end is None else f"{round(100 * end, 1) + 0:+.1f}" for end in ends)  # + 0: no -0.0
    return mean if told.low is None else f"{mean} [{low}, {high}]"


def p_value(value: float) -> str:
    """Return a p value in as many digits as it deserves."""
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


def _costs(loop: Loop) -> list[list[str]]:
    return [
        [cost.stage, str(cost.seed), f"{cost.seconds:,.0f}", *map(_count, (cost.steps, cost.completions, cost.tokens))]
        for cost in loop.stage_costs
    ]


def _exam_costs(loop: Loop) -> list[list[str]]:
    return [
        [cost.model, f"{cost.seconds:,.0f}", *map(_count, (cost.calls, cost.prompt_tokens, cost.completion_tokens))]
        for cost in loop.exam_costs
    ]


def _count(number: int | None) -> str:
    return f"{number:,}" if number else NOTHING


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines] + [""]
