"""openai with batch: a process that is killed at any step goes on where it was, and nothing is carried out twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from batch_server import BatchServer, Plan
from batch_worker import SETTINGS, ask
from run_crash_worker import TASK
from run_fakes import TwoSteps, answering, letter, make_items, run

from spatialeval.cli.main import INTERRUPTED
from spatialeval.run.manifest import Manifest

COUNT = 12
TESTS = Path(__file__).parent


async def worker(folder, server):
    arguments = [sys.executable, TESTS / "batch_worker.py", folder, server.base_url, str(COUNT)]
    return await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)


async def truth(folder):
    records = await run(make_items(COUNT), folder, answering, strategy=TwoSteps())
    return [[r.key, r.state, r.score, r.reply, len(r.calls)] for r in records]


async def test_a_run_killed_at_every_step_ends_like_any_other_and_carries_nothing_out_twice(tmp_path):
    first = ["upload", "create", "created", "look", "content"]
    second = ["upload", "created", "look", "content"]  # by then, the answers to the first calls are in the journal
    async with BatchServer(letter) as server:
        for step in [*first, *second]:
            process = await worker(tmp_path, server)
            server.kill = (step, process.pid)
            await process.communicate()
            assert process.returncode == -signal.SIGKILL, step
        last = await worker(tmp_path, server)
        printed, _ = await last.communicate()
    assert json.loads(printed.splitlines()[-1]) == await truth(tmp_path / "direct")
    assert len(server.batches) == 2
    assert len(server.executed) == 2 * COUNT
    assert set(server.executed.values()) == {1}


async def test_answers_that_a_lost_journal_had_are_not_asked_again(tmp_path):
    async with BatchServer(letter) as server:
        before = await ask(tmp_path, server.base_url, make_items(5))
        (tmp_path / "journal.sqlite").unlink()
        after = await ask(tmp_path, server.base_url, make_items(5))
    assert [record.reply for record in after] == [record.reply for record in before]
    assert len(server.batches) == 1


async def test_a_changed_request_is_not_answered_by_an_old_batch(tmp_path):
    async with BatchServer(letter, (Plan(looks=10**6),)) as server:
        waiting = asyncio.create_task(ask(tmp_path, server.base_url, make_items(3)))
        await until(lambda: server.batches)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        items = make_items(5)[2:]  # the first of them is in the batch that takes for ever
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await ask(tmp_path, server.base_url, items)
        assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [3, 2]


async def until(true):
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)


def command(folder, server, model):
    (folder / "letters.yaml").write_text(TASK)
    rows = [{"id": f"r{i}", "target": "A", "category": "c", "group": f"g{i}"} for i in range(4)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    experiment = {
        "models": [{"spec": "openai:m", "base_url": server.base_url, **model}],
        "tasks": [{"task": "letters.yaml", "data": "rows.jsonl"}],
        "out": str(folder / "results"),
    }
    (folder / "experiment.yaml").write_text(json.dumps(experiment))
    run_command = "from spatialeval.cli.main import main; main()"
    return [sys.executable, "-c", run_command, "run", str(folder / "experiment.yaml")]


async def start(arguments):
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    return await asyncio.create_subprocess_exec(*arguments, **pipes)


async def test_ctrl_c_leaves_the_batch_running_and_the_same_command_takes_its_answers(tmp_path):
    async with BatchServer(letter, (Plan(looks=10**6),)) as server:
        batched = {"batch": True, "extra": {"batch": SETTINGS}}
        process = await start(command(tmp_path, server, batched))
        await until(lambda: "look" in server.steps)
        os.kill(process.pid, signal.SIGINT)
        said = (await process.communicate())[0].decode()
        assert process.returncode == INTERRUPTED, said
        (batch,) = server.batches
        assert f"1 batch with 4 requests ({batch}) goes on" in said
        assert "the same command" in said
        process = await start(command(tmp_path, server, {}))
        said = (await process.communicate())[0].decode()
        assert (process.returncode, "Add --batch" in said) == (2, True), said
        server.plan_of[batch].looks = 0
        process = await start(command(tmp_path, server, batched))
        said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said
    assert len(server.batches) == 1
    (folder,) = (tmp_path / "results").rglob("manifest.json")
    manifest = Manifest.read(folder.parent)
    assert [session.status for session in manifest.sessions] == ["interrupted", "stopped: UsageError", "finished"]
    assert manifest.totals["calls"] == 4
