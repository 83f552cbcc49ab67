"""Curves of a stage are drawn from its log; where matplotlib is missing, the stage goes on without them."""

from __future__ import annotations

import json
import sys

from spatialeval.training.curves import draw
from spatialeval.training.steps import lines_until, read_log


def write_log(folder, *lines):
    (folder / "log.jsonl").write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    )


def rewarded(step):
    share = {"frac_reward_zero_std": 0.25, "completions/clipped_ratio": 0.5, "kl": 0.01 * step}
    means = {"rewards/score/mean": 0.1 * step, "rewards/score/std": 9.0, "rewards/tags/mean": 1.0}
    lengths = {"completions/mean_length": 12.0, "completions/max_length": 20.0}
    return {"step": step, "loss": 0.5, "reward": 0.2 * step, **share, **means, **lengths}


def test_each_quantity_of_the_log_has_its_panel(tmp_path):
    write_log(tmp_path, *(rewarded(step) for step in range(1, 6)), {"step": 5, "train_runtime": 3.0})
    told = []
    files = draw(tmp_path, "maze, grpo, seed 0", told.append)
    assert [file.name for file in files] == ["curves.svg", "curves.png"]
    drawn = (tmp_path / "curves.svg").read_text()
    for text in (
        "maze, grpo, seed 0", "5 steps", "each reward before its weight", "score", "tags", "KL to the base",
        "share of completions cut", "share of groups without spread", "tokens of a completion", "longest",
    ):  # fmt: skip
        assert f">{text}" in drawn, text
    assert "entropy" not in drawn  # nothing of it was logged
    assert told == []


def test_without_matplotlib_a_note_says_what_to_install(tmp_path, monkeypatch):
    write_log(tmp_path, rewarded(1))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = []
    assert draw(tmp_path, "grpo", told.append) == []
    assert told == ["No curves: Plots need matplotlib: pip install 'spatialeval[plots]'."]


def test_a_stage_without_a_log_has_no_curves(tmp_path):
    assert draw(tmp_path, "sft", lambda _: None) == []


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    write_log(tmp_path, {"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}, '{"step": 3, "lo')
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2]
    assert [line["step"] for line in lines_until(tmp_path, 1)] == [1]
