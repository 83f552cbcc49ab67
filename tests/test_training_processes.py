"""Two processes train together, as torchrun and accelerate launch start them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
from command import spatialeval
from training_recipes import GRPO, SFT, write_recipe

from spatialeval.errors import UsageError
from spatialeval.training import processes
from spatialeval.training.load import load_recipe, terms_of

pytestmark = pytest.mark.slow


def test_two_processes_share_the_work_and_one_of_them_writes(tmp_path):
    few = {"max_steps": 2, "save_steps": 2, "learning_rate": 1e-6}
    stages = [
        {"name": "sft", "method": "sft", "trl": {**SFT, **few}},
        {"name": "grpo", "method": "grpo", "filter": {"samples": 4}, "trl": {**GRPO, **few}},
    ]
    recipe = write_recipe(tmp_path, base="embedded", prompt={}, data=["scenes(rows=64)"], stages=stages)
    ran = launched("train", recipe, "--out", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.count("sft, seed 0: sft on 64 rows") == 1
    folder = tmp_path / "out" / "tiny" / "seed-0" / "grpo"
    assert ran.stdout.count("grpo: filter kept") == 1
    assert len((folder / "filter.jsonl").read_text().splitlines()) == 64  # one of them asked
    assert ran.stdout.count(f"grpo, seed 0: {folder / 'final'}") == 1
    assert [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()] == [1, 2, 2]
    files = sorted(file.name for file in (folder / "completions").iterdir())
    assert files == [f"step-00000{step}{rank}.parquet" for step in (0, 1) for rank in ("", ".rank-1")]
    shown = [rows_of(folder / "completions" / name) for name in files]
    assert all(len(rows) == 4 for rows in shown)
    logged = json.loads((folder / "log.jsonl").read_text().splitlines()[0])
    scores = [row["reward_score"] for rows in shown[:2] for row in rows]
    assert logged["rewards/score/mean"] == pytest.approx(sum(scores) / 8)
    again = spatialeval("train", recipe, "--out", tmp_path / "out")  # one process finds what two have trained
    assert again.out.count("trained before") == 2


def rows_of(file):
    import pyarrow.parquet as pq

    return pq.read_table(file).to_pylist()


def launched(*arguments):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port),
        "-m", "spatialeval", *map(str, arguments),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)


def test_a_loop_in_several_processes_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    ran = spatialeval("loop", write_recipe(tmp_path, base="embedded"))
    assert ran.code == 2
    assert "a loop runs in one process" in ran.text


@pytest.mark.parametrize(("count", "each", "refused"), [(2, 4, True), (2, 8, False), (1, 4, False)])
def test_rewards_that_look_at_a_group_need_whole_groups_on_a_process(count, each, refused, tmp_path, monkeypatch):
    from spatialeval.training import trainer

    file = write_recipe(tmp_path, rewards=["score", "in_group(use=score)"])
    found = load_recipe(file)
    job = SimpleNamespace(stage=found.recipe.stages[1], rows=range(24))
    functions = SimpleNamespace(terms=terms_of(found.recipe, job.stage))
    sizes = {"per_device_train_batch_size": each, "steps_per_generation": 1, "generation_batch_size": 8}
    config = SimpleNamespace(num_generations=8, **sizes)
    monkeypatch.setattr(processes, "count", lambda: count)
    with pytest.raises(UsageError, match="in_group looks at all") if refused else contextlib.nullcontext():
        trainer._check_groups(job, config, functions)


def test_one_process_waits_for_nobody():
    assert (processes.rank(), processes.count(), processes.is_main()) == (0, 1, True)
    processes.wait()
