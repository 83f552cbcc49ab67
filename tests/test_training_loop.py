"""The loop: base, SFT and GRPO on the embedded model, each evaluated; the same command does nothing again."""

from __future__ import annotations

import json

import pytest
from command import spatialeval
from training_recipes import GRPO, SFT, write_recipe

pytestmark = pytest.mark.slow


def test_a_loop_evaluates_trains_and_says_what_was_gained(tmp_path):
    few = {"max_steps": 2, "save_steps": 2, "learning_rate": 1e-5}
    file = write_recipe(
        tmp_path,
        base="embedded",
        prompt={},
        data=[{"task": "scenes(rows=16)"}],
        stages=[
            {"name": "sft", "method": "sft", "trl": {**SFT, **few}},
            {"name": "grpo", "method": "grpo", "trl": {**GRPO, **few}},
        ],
        evaluate=[
            {"task": "scenes(rows=12, seed=5)", "samples": 2, "temperature": 1.0, "max_tokens": 8},
            {"task": "scenes(rows=12, seed=5)", "kind": "ood", "strategy": "plain+mirror", "max_tokens": 8},
        ],
    )
    first = spatialeval("loop", file, "--out", tmp_path / "out")
    assert first.code == 0, first.err
    told = json.loads((tmp_path / "out" / "tiny" / "loop.json").read_text())
    assert [(line["exam"]["kind"], line["model"]) for line in told["lines"]] == [
        (kind, model) for kind in ("held_out", "ood") for model in ("base", "sft", "grpo")
    ]
    for line in told["lines"]:
        assert [gain["over"] for gain in line["gains"]] == {"base": [], "sft": ["base"]}.get(
            line["model"], ["base", "sft"]
        )
        for gain in line["gains"]:
            over = next(
                other for other in told["lines"] if other["exam"] == line["exam"] and other["model"] == gain["over"]
            )
            assert gain["paired"]["difference"] == pytest.approx(line["scores"][0] - over["scores"][0])
        assert len(line["pass_k"]) == (line["exam"]["samples"] > 1)
        assert all(k >= one for one, k in zip(line["pass_1"], line["pass_k"], strict=True))
    table = (tmp_path / "out" / "tiny" / "loop.md").read_text()
    assert "Pass@2" in table
    assert table in first.out
    again = spatialeval("loop", file, "--out", tmp_path / "out")
    assert again.code == 0, again.err
    assert again.out.count("trained before") == 2
    assert json.loads((tmp_path / "out" / "tiny" / "loop.json").read_text()) == told
