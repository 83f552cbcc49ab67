"""Runs against a server that misbehaves: every fault ends as what it is, and no failure is ever scored."""

from __future__ import annotations

import json
import time
from collections import Counter
from copy import copy
from dataclasses import replace

import pytest
from fault_server import FaultServer
from run_crash_worker import TASK

from spatialeval.errors import ModelError
from spatialeval.models import ModelOptions
from spatialeval.models.openai import OpenAIModel
from spatialeval.run.events import Retrying
from spatialeval.run.execute import RunSpec, execute
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.retry import RetryPolicy

# What becomes of a fault that never ends, and how often its request is sent (attempts=3) ...
ALWAYS = {
    "429": ("failed", "rate_limited", 3),
    "500": ("failed", "server_error", 3),
    "400": ("failed", "bad_request", 1),
    "401": ("failed", "auth", 1),
    "drop": ("failed", "unreachable", 3),
    "truncated": ("failed", "malformed", 3),
    "hang": ("failed", "timeout", 3),
    "empty": ("unparsed", None, 1),
    "null": ("failed", "no_content", 1),
    "filter": ("failed", "content_filter", 1),
    "refusal": ("failed", "content_filter", 1),
    "length": ("truncated", None, 1),
}
# ... and of one that happens once: what can pass is asked again at once, the rest stands until the next command.
PASSES = {"429", "500", "drop", "truncated", "hang"}
ONCE = {fault: ("scored", None, 2) if fault in PASSES else ended for fault, ended in ALWAYS.items()}
FINE = 20
HANGS = "[fault:hang]"


class Patient(OpenAIModel):
    """Gives up nothing but what hangs: server and run share a loop, which a busy machine may hold up for long."""

    async def ask(self, request):
        given = copy(self)
        given.timeout = 1.0 if HANGS in request.messages[-1].text else self.timeout
        return await OpenAIModel.ask(given, request)


def right_or_wrong(prompt):
    """Right for every row but each fifth one."""
    number = int(prompt.split("row")[1].split()[0])
    return f"The answer is ({'ABCD'[(number + (number % 5 == 0)) % 4]})"


def spec_of(folder, server, faults, **changes):
    """A run over one row per fault and 20 rows without."""
    (folder / "letters.yaml").write_text(TASK)
    marks = [*(f"[fault:{fault}]" for fault in faults), *[""] * FINE]
    rows = [
        {"id": f"row{i} {mark}", "target": "ABCD"[i % 4], "category": f"c{i % 3}", "group": ""}
        for i, mark in enumerate(marks)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = RunSpec(
        task=str(folder / "letters.yaml"),
        model="openai:m",
        options=ModelOptions(base_url=server.base_url, concurrency=8),
        data=folder / "rows.jsonl",
        out=folder / "results",
        retry=RetryPolicy(attempts=3, base=0.01, cap=0.02, refusals=3),
    )
    return replace(spec, **changes)


def records_of(outcome):
    with Journal.open(outcome.folder / FILE_NAME, readonly=True) as journal:
        return {record.key: record for record in journal.records()}


def ending(record):
    return record.state, record.failure, record.attempts


def by_fault(records, faults):
    return {fault: next(r for key, r in records.items() if f"[fault:{fault}]" in key) for fault in faults}


def assert_scores_are_true(outcome, records):
    """Every scored sample has its own truth, and the mean is over answered samples alone."""
    truths = []
    for record in records.values():
        number = int(record.key.split()[0][3:])
        if record.state == "scored":
            assert record.score == float(number % 5 != 0)
        elif record.state == "failed":
            assert record.score is None
            assert record.message
            assert record.reply is None
            continue
        else:
            assert record.score == 0.0
        truths.append(record.score)
    micro = outcome.summary.row("overall")
    assert micro.score.mean == pytest.approx(sum(truths) / len(truths))
    assert micro.n == len(truths)
    assert outcome.summary.score == micro.score
    scored = [r.score for r in records.values() if r.state == "scored"]
    assert micro.answered_only.mean == pytest.approx(sum(scored) / len(scored))


@pytest.mark.parametrize("transport", ["aiohttp", "openai"])
@pytest.mark.parametrize(("mode", "expected"), [("always", ALWAYS), ("once", ONCE)])
async def test_every_fault_ends_as_what_it_is(tmp_path, monkeypatch, transport, mode, expected):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    async with FaultServer(right_or_wrong, mode=mode) as server:
        spec = spec_of(tmp_path, server, ALWAYS)
        spec = replace(spec, options=replace(spec.options, extra={"transport": transport}))
        outcome = await execute(spec, model=Patient("m", spec.options))
        records = records_of(outcome)
        faulty = by_fault(records, ALWAYS)
        assert {fault: ending(record) for fault, record in faulty.items()} == expected
        sent = {fault: n for prompt, n in server.counts.items() for fault in ALWAYS if f"[fault:{fault}]" in prompt}
        assert sent.pop("hang") <= expected["hang"][2]  # held up, a request may be given up before it is on its way
        assert sent == {fault: attempts for fault, (_, _, attempts) in expected.items() if fault != "hang"}
        fine = [record for key, record in records.items() if "fault" not in key]
        assert [ending(record) for record in fine] == [("scored", None, 1)] * FINE
        assert outcome.states == dict(Counter([s for s, _, _ in expected.values()] + ["scored"] * FINE))
        assert not outcome.complete
        assert outcome.summary.failures == dict(Counter(kind for _, kind, _ in expected.values() if kind))
        assert_scores_are_true(outcome, records)


async def test_the_next_command_asks_what_failed_and_nothing_else(tmp_path):
    async with FaultServer(right_or_wrong, mode="once") as server:
        spec = spec_of(tmp_path, server, ALWAYS)
        model = Patient("m", spec.options)
        await execute(spec, model=model)
        before = Counter(server.counts)
        outcome = await execute(spec, model=model)
        again = {prompt for prompt in server.counts if server.counts[prompt] > before[prompt]}
        assert sorted(f for f in ALWAYS for p in again if f"[fault:{f}]" in p) == sorted(
            ["400", "401", "null", "filter", "refusal"]
        )
        assert len(again) == 5
    assert outcome.complete
    records = records_of(outcome)
    answered = {fault: record.state for fault, record in by_fault(records, ALWAYS).items()}
    assert answered == {**dict.fromkeys(ALWAYS, "scored"), "empty": "unparsed", "length": "truncated"}
    assert_scores_are_true(outcome, records)


async def test_a_server_that_asks_to_wait_is_waited_for(tmp_path):
    events = []
    async with FaultServer(right_or_wrong, mode="once", retry_after="1") as server:
        start = time.monotonic()
        outcome = await execute(spec_of(tmp_path, server, ["429"]), events=events.append)
    assert time.monotonic() - start >= 1.0
    assert [event.delay for event in events if isinstance(event, Retrying)] == [1.0]
    assert outcome.complete


async def test_a_wrong_key_stops_the_run_before_most_of_it_is_asked(tmp_path):
    async with FaultServer(right_or_wrong) as server:
        spec = spec_of(tmp_path, server, ["401"] * 100)
        # Ids must differ: each row's number is part of its id, so 100 rows of one fault are 100 questions.
        with pytest.raises(ModelError, match="8 samples in a row failed with 'auth'"):
            await execute(spec)
        assert server.total <= 8 + 8


async def test_a_server_that_is_gone_stops_the_run_and_what_was_answered_is_kept(tmp_path):
    async with FaultServer(right_or_wrong) as server:
        spec = spec_of(tmp_path, server, [], limit=10)
        assert (await execute(spec)).states == {"scored": 10}
        port = server.port
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"id": f"row{i} ", "target": "A", "category": "c", "group": ""}) + "\n" for i in range(60))
    )
    other = replace(spec, out=tmp_path / "other", limit=None)
    with pytest.raises(ModelError, match=r"nothing answers at http://127.*--base-url"):
        await execute(other)
    async with FaultServer(right_or_wrong, port=port) as server:
        outcome = await execute(other)
        assert outcome.states == {"scored": 60}
        assert server.total == 60
