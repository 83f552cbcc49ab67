"""The curves of a stage out of its log: what it earned, whether groups still differ, lengths, KL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spatialeval.errors import MissingDataError
from spatialeval.report.plots.curves import Panel, curves
from spatialeval.training.steps import read_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PANELS: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("loss", {"loss": "loss"}, False),
    ("reward, mean of the batch", {"reward": "all, weighted"}, False),
    ("each reward before its weight", {}, False),
    ("share of groups without spread", {"frac_reward_zero_std": "share"}, True),
    ("share of tokens clipped", {"clip_ratio/region_mean": "clipped"}, False),
    ("share of completions cut", {"completions/clipped_ratio": "cut"}, True),
    ("KL to the base", {"kl": "KL"}, False),
    ("tokens of a completion", {"completions/mean_length": "mean", "completions/max_length": "longest"}, False),
    ("entropy", {"entropy": "entropy"}, False),
    ("share of tokens predicted", {"mean_token_accuracy": "share"}, True),
)
"""Name, key of the log -> name of the curve, whether it is a share. Panels of which nothing was logged are left out."""


def draw(folder: Path, name: str, tell: Callable[[str], None]) -> list[Path]:
    """Write `curves.svg` and `curves.png` into the folder of a stage; say so where matplotlib is not installed.

    Args:
        folder: of the stage, with its log.
        name: of the stage, for the title.
        tell: hears when nothing can be drawn.
    """
    lines = read_log(folder)
    panels = [panel for panel in (_panel(lines, *told) for told in _PANELS) if panel.series]
    if not panels:
        return []
    steps = max(line["step"] for line in lines)
    try:
        return curves((folder, "curves"), panels, (name, f"{steps:,} steps, as TRL logs them"))
    except MissingDataError as error:
        tell(f"No curves: {error}")
        return []


def _panel(lines: Sequence[dict[str, Any]], title: str, keys: dict[str, str], share: bool) -> Panel:
    if not keys:  # the rewards, whatever they are called
        ends = ("rewards/", "/mean")
        found = {key for line in lines for key in line if key.startswith(ends[0]) and key.endswith(ends[1])}
        keys = {key: key.removeprefix(ends[0]).removesuffix(ends[1]) for key in sorted(found)}
    series = {}
    for key, name in keys.items():
        points = [(line["step"], line[key]) for line in lines if isinstance(line.get(key), int | float)]
        if points:
            series[name] = ([step for step, _ in points], [value for _, value in points])
    return Panel(title, series, share)
