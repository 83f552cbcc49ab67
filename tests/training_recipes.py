"""Tiny recipes and a tiny text model: a stage of a few steps takes a second once torch is loaded."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
MAZES = "maze(size=3, min_path=1, max_path=4, rows=24, seed=7)"
SFT = {"max_steps": 4, "per_device_train_batch_size": 4, "learning_rate": 1e-2, "save_steps": 2}
GRPO = {**SFT, "num_generations": 2, "max_completion_length": 6, "temperature": 1.0}

PLAIN = {
    "spec": 1,
    "id": "tiny",
    "title": "Tiny",
    "base": "base",
    "prompt": {"protocol": "tokens"},
    "data": [MAZES],
    "rewards": ["score", {"use": "length(most=4)", "weight": 0.5}],
    "stages": [{"name": "sft", "method": "sft", "trl": SFT}, {"name": "grpo", "method": "grpo", "trl": GRPO}],
}


def write_recipe(folder, **changed):
    """Write the plain recipe with other keys; return its file."""
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump({**copy.deepcopy(PLAIN), **changed}, sort_keys=False))
    return file


def grpo(**trl):
    """Return a list of one GRPO stage."""
    return [{"name": "grpo", "method": "grpo", "trl": {**GRPO, **trl}}]


def write_base(folder):
    """Write a text model of one layer that knows the tokens of mazes."""
    spec = importlib.util.spec_from_file_location("tiny_text_make", REPOSITORY / "training" / "tiny_text" / "make.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    made.make(folder, size=3, hidden=32, layers=1, seed=0)
    return folder
