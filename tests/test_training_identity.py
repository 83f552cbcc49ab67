"""What a stage is, beyond its keys: the terms behind the name of a set, and how many processes make its batches."""

from __future__ import annotations

import json

import pytest
from training_recipes import grpo, write_recipe

from spatialeval.errors import RunChangedError, UsageError
from spatialeval.models.hf.model import EMBEDDED
from spatialeval.rewards.sets import load_set
from spatialeval.training import stages
from spatialeval.training.load import load_recipe
from spatialeval.training.stages import _begin, _identity, askable


def begun(folder):
    """Begin a stage with a set of rewards, or go on with it; return its folder."""
    found = load_recipe(write_recipe(folder, base="embedded", rewards="sat_answer", stages=grpo()))
    stage = found.recipe.stages[0]
    rows, _ = askable(found, stage, 0)
    place = folder / "stage"
    place.mkdir(exist_ok=True)
    _begin(place, _identity(found, stage, 0, str(EMBEDDED), rows), str(EMBEDDED), rows)
    return place


def test_a_set_of_rewards_that_changed_is_another_stage(tmp_path, monkeypatch):
    begun(tmp_path)
    begun(tmp_path)
    held = load_set("sat_answer")
    terms = [term.model_copy(update={"weight": 0.5}) for term in held.rewards]
    monkeypatch.setattr(stages, "load_set", lambda _: held.model_copy(update={"rewards": terms}))
    with pytest.raises(RunChangedError, match="rewards"):
        begun(tmp_path)


def test_a_stage_goes_on_in_as_many_processes_as_it_was_begun_with(tmp_path, monkeypatch):
    folder = begun(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "4")
    begun(tmp_path)  # nothing was trained yet
    assert json.loads((folder / "stage.json").read_text())["processes"] == 4
    (folder / "checkpoint-2").mkdir()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="begun by 4 processes, and this is 2"):
        begun(tmp_path)
    told = json.loads((folder / "stage.json").read_text())
    (folder / "stage.json").write_text(json.dumps({**told, "ended": "now"}))
    begun(tmp_path)
