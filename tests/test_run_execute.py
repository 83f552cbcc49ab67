"""One run from its description to its results, through a task file and rows on disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from run_fakes import QUICK

from spatialeval.errors import ModelError, RunChangedError, RunLockedError, StorageError, UnknownNameError, UsageError
from spatialeval.models.base import FunctionModel
from spatialeval.run.events import Finished
from spatialeval.run.execute import RunSpec, estimate, execute
from spatialeval.run.folder import locked
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.manifest import Manifest
from spatialeval.run.stopping import RunInterrupted

TASK = """
spec: 1
id: letters
about: {title: Letters, license: CC0, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  answer: choice
  question: "Which is {{ row.target }}?"
  choices: "{{ row.choices }}"
  target: "{{ row.target }}"
  category: "{{ row.category }}"
protocols:
  official:
    source: made up for a test
    question: "{{ question }}"
    instruction: " Answer with a letter."
    generate: {max_tokens: 16}
"""
ROWS = 40


class Truthful:
    """A model function that answers right and counts what it was asked."""

    def __init__(self):
        self.asked = Counter()

    def __call__(self, request):
        self.asked[request.sample.id] += 1
        return request.sample.target


@pytest.fixture
def spec(tmp_path):
    """A run of 40 rows; the model is given apart."""
    (tmp_path / "letters.yaml").write_text(TASK)
    rows = [
        {"id": f"r{i}", "target": "ABCD"[i % 4], "choices": ["w", "x", "y", "z"], "category": "ab"[i % 2]}
        for i in range(ROWS)
    ]
    write_rows(tmp_path / "rows.jsonl", rows)
    return RunSpec(
        task=str(tmp_path / "letters.yaml"),
        model="function:truthful",
        data=tmp_path / "rows.jsonl",
        out=tmp_path / "results",
        retry=QUICK,
        command=("spatialeval", "run", "letters", "--api-key", "topsecret1"),
    )


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def model_of(function):
    return FunctionModel(function, name="function:truthful", concurrency=4)


async def run(spec, function=None, **options):
    return await execute(spec, model=model_of(function or Truthful()), **options)


async def test_a_run_leaves_results_a_manifest_and_its_journal(spec):
    events = []
    outcome = await run(spec, events=events.append)
    assert outcome.folder == spec.out / "letters" / "function-truthful" / "official.plain"
    assert outcome.states == {"scored": ROWS}
    assert outcome.complete
    assert sum(isinstance(event, Finished) for event in events) == ROWS
    names = {path.name for path in outcome.folder.iterdir()}
    assert {"manifest.json", "journal.sqlite", "samples.parquet", "summary.json"} <= names
    manifest = Manifest.read(outcome.folder)
    (session,) = manifest.sessions
    assert session.status == "finished"
    assert manifest.totals["items"] == manifest.totals["calls"] == ROWS
    assert "topsecret1" not in (outcome.folder / "manifest.json").read_text()


async def test_the_same_command_asks_nothing_again(spec):
    model = Truthful()
    first, second = await run(spec, model), await run(spec, model)
    assert first.summary == second.summary
    assert set(model.asked.values()) == {1}
    assert [s.status for s in Manifest.read(first.folder).sessions] == ["finished", "finished"]


async def test_a_higher_limit_asks_only_what_is_new_and_a_lower_one_reports_fewer(spec):
    model = Truthful()
    assert (await run(replace(spec, limit=10), model)).states == {"scored": 10}
    ten = set(model.asked)
    assert (await run(replace(spec, limit=25), model)).states == {"scored": 25}
    assert ten < set(model.asked)
    assert set(model.asked.values()) == {1}
    assert (await run(replace(spec, limit=5), model)).states == {"scored": 5}
    assert model.asked.total() == 25


async def test_blind_and_plain_runs_have_folders_of_their_own(spec):
    plain, blind = await run(spec), await run(replace(spec, strategy="plain+blind"))
    assert blind.folder == plain.folder.with_name("official.plain+blind")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda spec: replace(spec, max_tokens=99), "protocol.generate.max_tokens: 16 -> 99"),
        (lambda spec: replace(spec, temperature=0.7), "protocol.generate.temperature: 0.0 -> 0.7"),
        (lambda spec: edit(spec.task, "with a letter", "by letter"), 'by letter."'),
        (lambda spec: edit(spec.task, "Which is", "What is"), "task.sample.question"),
        (lambda spec: edit(spec.data, '"target": "A"', '"target": "B"'), "data: "),
    ],
)
async def test_what_changed_is_refused_with_a_list_and_a_fresh_start_keeps_the_old_answers(spec, change, told):
    first = await run(spec)
    changed = change(spec) or spec
    model = Truthful()
    with pytest.raises(RunChangedError) as caught:
        await run(changed, model)
    assert told in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert not model.asked
    fresh = await run(replace(changed, fresh=True), model)
    assert (fresh.folder, model.asked.total()) == (first.folder, ROWS)
    with Journal.open(fresh.moved / FILE_NAME, readonly=True) as journal:
        assert len(journal.kept()) == ROWS


def edit(path, old, new):
    from pathlib import Path

    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


async def test_another_model_setting_is_refused(spec):
    class Served(FunctionModel):
        temperature_limit = 1

        def identity(self):
            return {"spec": self.spec, "revision": self.temperature_limit}

    model = Served(Truthful(), "function:truthful")
    await execute(spec, model=model)
    model.temperature_limit = 2
    with pytest.raises(RunChangedError, match=r"model\.revision: 1 -> 2"):
        await execute(spec, model=model)


async def test_failures_make_a_run_incomplete_until_they_are_answered(spec):
    def broken(request):
        if request.sample.id in {"r1", "r2"}:
            raise ModelError("HTTP 400", kind="bad_request")
        return request.sample.target

    outcome = await run(spec, broken)
    assert outcome.states == {"scored": ROWS - 2, "failed": 2}
    assert not outcome.complete
    model = Truthful()
    assert (await run(spec, model)).complete
    assert set(model.asked) == {"r1", "r2"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"task": "vsrr"}, UnknownNameError, "vsr"),
        ({"protocol": "oficial"}, UnknownNameError, "official"),
        ({"strategy": "plane"}, UnknownNameError, "plain"),
        ({"limit": 0}, UsageError, "at least 1"),
    ],
)
async def test_unknown_names_are_errors_before_anything_is_written(spec, change, error, words):
    with pytest.raises(error, match=words):
        await run(replace(spec, **change))
    assert not spec.out.exists()


async def test_an_unknown_model_is_an_error_before_anything_is_written(spec):
    with pytest.raises(UnknownNameError, match="no model named"):
        await execute(replace(spec, model="opnai:gpt"))
    assert not spec.out.exists()


async def test_a_second_run_in_the_same_folder_is_refused(spec):
    outcome = await run(spec)
    with locked(outcome.folder), pytest.raises(RunLockedError, match=f"process {os.getpid()}"):
        await run(spec)


async def test_a_damaged_journal_is_refused_and_recovering_asks_only_what_is_lost(spec):
    outcome = await run(spec)
    path = outcome.folder / FILE_NAME
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(StorageError, match=r"--recover.*--fresh"):
        await run(spec)
    assert path.read_bytes() == data[: len(data) // 2]
    model = Truthful()
    again = await run(replace(spec, recover=True), model)
    assert again.states == outcome.states
    assert 0 < model.asked.total() <= ROWS
    assert again.notes[0].startswith("recovered ")
    assert list(outcome.folder.glob("damaged-*"))


async def test_a_journal_without_its_manifest_is_refused(spec):
    outcome = await run(spec)
    (outcome.folder / "manifest.json").unlink()
    with pytest.raises(StorageError, match=r"no manifest\.json.*--fresh"):
        await run(spec)


async def test_a_model_that_cannot_start_is_closed_and_noted(spec):
    closed = []

    class Broken(FunctionModel):
        async def start(self):
            raise UsageError("no such server")

        async def close(self):
            closed.append(True)

    with pytest.raises(UsageError, match="no such server"):
        await execute(spec, model=Broken(Truthful(), "function:truthful"))
    assert closed == [True]
    folder = spec.out / "letters" / "function-truthful" / "official.plain"
    assert Manifest.read(folder).sessions[0].status == "stopped: UsageError"


async def test_a_plan_counts_what_would_be_asked_and_writes_nothing(spec):
    plan = await estimate(spec)
    assert (plan.items, plan.answered, plan.calls) == (ROWS, 0, ROWS)
    assert plan.first.messages[-1].text.startswith("Which is A?")
    letters = len(plan.first.messages[-1].text)
    assert plan.prompt_tokens == pytest.approx(ROWS * letters / 4, rel=0.1)
    assert plan.completion_tokens == ROWS * 16
    assert not spec.out.exists()
    await run(replace(spec, limit=15))
    plan = await estimate(spec)
    assert (plan.answered, plan.calls) == (15, ROWS - 15)


DISK = """
import asyncio, resource, sys
from pathlib import Path
from spatialeval.errors import StorageError
from spatialeval.models.base import FunctionModel
from spatialeval.run.execute import RunSpec, execute

resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # the disk takes no file larger than this
spec = RunSpec(task={task!r}, model="function:truthful", data=Path({data!r}), out=Path({out!r}))
try:
    asyncio.run(execute(spec, model=FunctionModel(lambda request: request.sample.target, "function:truthful", 2)))
except StorageError as error:
    print(error, file=sys.stderr)
    sys.exit(3)
"""


async def test_a_disk_that_is_full_stops_the_run_with_advice_and_what_was_answered_is_kept(spec):
    code = DISK.format(task=spec.task, data=str(spec.data), out=str(spec.out))
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert "the disk is full or failing" in done.stderr
    assert "Free some space" in done.stderr
    asked = await finish(spec)
    assert 0 < len(asked) < ROWS


# Signals


SCRIPT = """
import asyncio, sys
from pathlib import Path
from spatialeval.models.base import FunctionModel
from spatialeval.run.execute import RunSpec, execute
from spatialeval.run.stopping import RunInterrupted

async def slow(request):
    print(request.sample.id, flush=True)
    await asyncio.sleep({seconds} if request.sample.id != "r0" else 0)
    return request.sample.target

spec = RunSpec(task={task!r}, model="function:truthful", data=Path({data!r}), out=Path({out!r}))
try:
    asyncio.run(execute(spec, model=FunctionModel(slow, "function:truthful", 4)))
except RunInterrupted as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def start(spec, seconds):
    code = SCRIPT.format(seconds=seconds, task=spec.task, data=str(spec.data), out=str(spec.out))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def finish(spec):
    """Run to the end in this process; return the ids that were still asked."""
    model = Truthful()
    assert (await run(spec, model)).states == {"scored": ROWS}
    return set(model.asked)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_keeps_all_answers_says_so_and_exits_with_130(spec, number):
    with start(spec, 0.2) as process:
        first = {process.stdout.readline().strip() for _ in range(6)}
        process.send_signal(number)
        rest, message = await asyncio.to_thread(process.communicate, None, 20)
    sent = first | set(rest.split())
    assert process.returncode == 130, message
    assert f"Interrupted ({number.name}) with {len(sent)} of {ROWS} samples answered" in message
    assert "run the same command again" in message
    assert await finish(spec) == {f"r{i}" for i in range(ROWS)} - sent
    statuses = [s.status for s in Manifest.read(spec.out / "letters" / "function-truthful" / "official.plain").sessions]
    assert statuses == ["interrupted", "finished"]


async def test_a_second_interrupt_ends_at_once(spec):
    with start(spec, 60) as process:
        for _ in range(5):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, message = await asyncio.to_thread(process.communicate, None, 10)
    assert process.returncode == 130, message
    assert "with 1 of 40 samples answered" in message
    assert await finish(spec) == {f"r{i}" for i in range(1, ROWS)}


def test_an_interruption_carries_its_exit_code():
    assert RunInterrupted("x").exit_code == 130
