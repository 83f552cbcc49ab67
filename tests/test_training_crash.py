"""A stage that is killed, or whose disk is full, loses nothing that a whole checkpoint holds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import training_rewards  # noqa: F401 - registers its rewards
from command import spatialeval
from training_recipes import GRPO, SFT, write_base, write_recipe

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("training_worker.py")
COUNTED_ANEW = ("num_tokens",)
"""What TRL's SFT counts from where it was resumed."""
TIMES = ("step_time", "train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss")


@pytest.fixture(scope="module", params=["sft", "sft with muon", "grpo", "sft of pictures", "grpo of pictures"])
def method(request):
    return request.param


@pytest.fixture(scope="module")
def recipe(method, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipe")
    write_base(folder / "base")
    trainer, _, optimizer = method.removesuffix(" of pictures").partition(" with ")
    arguments = {**(SFT if trainer == "sft" else GRPO), "max_steps": 6}
    if method.endswith("pictures"):
        arguments["learning_rate"] = 1e-4  # a trained model, which the rate of the random one ruins
        arguments |= {"temperature": 4.0} if trainer == "grpo" else {}  # or all replies to a question are the same
    stage = {"name": "only", "method": trainer, "optimizer": optimizer or None, "trl": arguments}
    pictures = {"base": "embedded", "prompt": {}, "data": ["scenes(rows=24, seed=31)"]}
    changed = pictures if method.endswith("pictures") else {}
    return write_recipe(folder, rewards=["by_chance"], stages=[stage], **changed)


@pytest.fixture(scope="module")
def uninterrupted(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("uninterrupted")
    assert spatialeval("train", recipe, "--out", out).code == 0
    return stage(out)


def stage(out):
    return out / "tiny" / "seed-0" / "only"


def worker(how, recipe, out):
    command = [sys.executable, str(WORKER), how, str(recipe), str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)


def steps(folder):
    """The log without times and counts: what each step did."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES + COUNTED_ANEW} for line in lines]


def completions(folder):
    import pyarrow.parquet as pq

    return [pq.read_table(file).to_pylist() for file in sorted((folder / "completions").glob("*.parquet"))]


def test_a_stage_killed_in_the_middle_of_a_checkpoint_goes_on_with_the_same_steps(recipe, uninterrupted, tmp_path):
    died = worker("killed", recipe, tmp_path)
    assert died.returncode == -signal.SIGKILL, died.stderr
    half = stage(tmp_path) / "checkpoint-4"
    assert (half / "model.safetensors").exists()
    assert not (half / "trainer_state.json").exists()
    assert not (stage(tmp_path) / "final").exists()
    assert spatialeval("train", recipe, "--out", tmp_path).code == 0
    assert steps(stage(tmp_path)) == steps(uninterrupted)
    assert len(steps(uninterrupted)) == 7  # six steps and the summary
    assert all(line["grad_norm"] > 0 for line in steps(uninterrupted)[:6])
    assert completions(stage(tmp_path)) == completions(uninterrupted)
    weights = [(folder / "final" / "model.safetensors").read_bytes() for folder in (stage(tmp_path), uninterrupted)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("method", ["grpo"], indirect=True, scope="module")
def test_a_full_disk_ends_with_one_message_and_keeps_the_checkpoint_before(recipe, uninterrupted, tmp_path):
    stopped = worker("full_disk", recipe, tmp_path)
    assert stopped.returncode == 2, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "cannot be written" in stopped.stderr
    assert "same command again" in " ".join(stopped.stderr.split())
    kept = stage(tmp_path) / "checkpoint-2"
    assert json.loads((kept / "trainer_state.json").read_text())["global_step"] == 2
    resumed = spatialeval("train", recipe, "--out", tmp_path)
    assert resumed.code == 0
    assert steps(stage(tmp_path)) == steps(uninterrupted)


def test_a_finished_stage_is_not_trained_again(recipe, uninterrupted):
    before = (uninterrupted / "log.jsonl").stat().st_mtime_ns
    again = spatialeval("train", recipe, "--out", uninterrupted.parents[2])
    assert "trained before" in again.out
    assert (uninterrupted / "log.jsonl").stat().st_mtime_ns == before
