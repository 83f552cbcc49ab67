"""A trial makes a recipe small and keeps what can fail; the embedded model's recipe runs whole that way."""

from __future__ import annotations

import json

import pytest
from command import spatialeval
from training_recipes import grpo, write_recipe

from spatialeval.training.load import load_recipe
from spatialeval.training.trial import QUESTIONS, STEPS, made_small


def test_a_trial_keeps_batches_rewards_and_prompts_and_goes_to_a_folder_of_its_own(tmp_path):
    found = load_recipe(write_recipe(tmp_path, evaluate=[{"task": "maze"}, {"task": "maze:small", "limit": 3}]))
    small = made_small(found).recipe
    assert small.id == "tiny.trial"
    assert small.rewards == found.recipe.rewards
    assert small.prompt == found.recipe.prompt
    assert [exam.limit for exam in small.evaluate] == [QUESTIONS, 3]
    for before, after in zip(found.recipe.stages, small.stages, strict=True):
        batch = before.trl["per_device_train_batch_size"]
        assert after.trl["max_steps"] == STEPS < before.trl["max_steps"]
        assert after.trl["per_device_train_batch_size"] == batch
        assert after.trl["learning_rate"] == before.trl["learning_rate"]
        assert [source.limit for source in after.data] == [STEPS * batch]


@pytest.mark.slow
def test_the_loop_on_the_recipe_of_the_embedded_model_runs_from_end_to_end(tmp_path):
    ran = spatialeval("loop", "embedded", "--trial", "--out", tmp_path)
    assert ran.code == 0, ran.err
    folder = tmp_path / "embedded.trial"
    told = json.loads((folder / "loop.json").read_text())
    recipe = load_recipe("embedded").recipe
    assert told["models"] == ["base", *(stage.name for stage in recipe.stages)]
    assert len(told["lines"]) == len(recipe.evaluate) * len(told["models"])
    for stage in recipe.stages:
        done = json.loads((folder / f"seed-{recipe.seeds[0]}" / stage.name / "stage.json").read_text())
        assert done["ended"]
    assert (folder / "loop.md").read_text() in ran.out


@pytest.mark.parametrize(
    ("processes", "changed", "rows"),
    [
        (1, {"gradient_accumulation_steps": 8}, 8),
        (16, {"gradient_accumulation_steps": 8, "steps_per_generation": 32}, 16 * 32),
        (4, {"generation_batch_size": 96}, 4 * 96),
    ],
)
def test_a_trial_has_rows_for_all_that_is_generated_at_once(processes, changed, rows, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    small = made_small(load_recipe(write_recipe(tmp_path, stages=grpo(**changed)))).recipe
    each = 1 if "generation_batch_size" in changed else small.stages[0].trl["per_device_train_batch_size"]
    assert small.stages[0].data[0].limit == STEPS * each * rows
