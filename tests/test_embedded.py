"""The model that ships with the package, through the ordinary path: it knows easy scenes, and the quick start runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from command import spatialeval as command

import spatialeval
from spatialeval.models import ModelOptions
from spatialeval.run.execute import RunSpec, execute

pytest.importorskip("torch", reason="the embedded model needs the hf extra")
pytestmark = pytest.mark.slow

FOLDER = Path(spatialeval.__file__).parent / "embedded" / "tiny"
OTHER_SEED = 77  # neither trained on nor reported


def run(task, strategy, out):
    spec = RunSpec(task=task, model="embedded", strategy=strategy, options=ModelOptions(batch_size=32), out=out)
    return asyncio.run(execute(spec)).summary


@pytest.mark.parametrize("strategy", ["plain", "cot"])
def test_it_answers_easy_scenes_and_falls_off_on_hard_ones(tmp_path, strategy):
    easy = run(f"scenes:easy(rows=180,seed={OTHER_SEED})", strategy, tmp_path)
    hard = run(f"scenes:hard(rows=180,seed={OTHER_SEED})", strategy, tmp_path)
    assert easy.complete
    kinds = {row.name: row.score.mean for row in easy.categories}
    # 30 questions a kind: below 80 % would be three standard errors under the reported scores of 90 %.
    assert sum(mean >= 0.8 for mean in kinds.values()) >= 4, kinds
    assert easy.row("mean of kinds").score.mean - hard.row("mean of kinds").score.mean > 0.2


def test_without_the_picture_it_guesses(tmp_path):
    blind = run(f"scenes:easy(rows=120,seed={OTHER_SEED})", "plain+blind", tmp_path)
    assert blind.row("left_right").score.mean < 0.8


def test_the_scores_beside_the_checkpoint_reach_ninety_percent_in_four_kinds():
    told = json.loads((FOLDER / "scores.json").read_text())
    assert told["wording"] == "test"
    easy = [c for c in told["cells"] if (c["level"], c["strategy"], c["form"]) == ("easy", "plain", "mixture")]
    good = {cell["kind"] for cell in easy if cell["right"] / cell["asked"] >= 0.9 and cell["asked"] >= 100}
    assert len(good) >= 4, easy
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 7_000_000


def test_the_quick_start_runs_everything_and_says_where_the_results_are(tmp_path):
    done = command("quickstart", "--out", str(tmp_path / "quick"))
    assert done.code == 0, done.err
    for name in ("scenes:easy", "scenes:medium", "scenes:hard", "maze:small", "plain", "cot"):
        assert name in done.out
    assert f"spatialeval show {tmp_path / 'quick'}" in done.out
