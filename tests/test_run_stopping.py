"""A run that ends early: it stops cleanly, for whatever reason, and what was answered is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import pytest
from run_fakes import GRADER, QUICK, Counting, FakeProtocol, TwoSteps, make_items, no_sleep, run, timeout

from spatialeval.errors import ModelError, StorageError, UsageError
from spatialeval.messages import Response
from spatialeval.models.base import FunctionModel, Model
from spatialeval.run.events import Retrying, Stopping
from spatialeval.run.journal import Journal
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.stopping import Stop
from spatialeval.strategies import Strategy


async def test_a_backend_that_raises_something_odd_fails_its_sample_only(tmp_path):
    class Odd(Model):
        spec = "odd:1"

        async def ask(self, request):
            if request.sample.id == "s1":
                raise ZeroDivisionError("by zero")
            return Response("A")

    records = await run(make_items(3), tmp_path, model=Odd())
    assert [record.failure for record in records] == [None, "model_error", None]
    assert records[1].message == "odd:1 raised ZeroDivisionError: by zero"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), r"strategy 'faulty' raised KeyError \('x'\) at .*test_run_stopping"),
        (UsageError("option"), "option"),
    ],
)
async def test_a_fault_in_a_strategy_ends_the_run_and_keeps_the_answers(tmp_path, error, said):
    @dataclass(frozen=True)
    class Faulty(Strategy):
        name: ClassVar[str] = "faulty"

        async def run(self, sample, protocol, ask):
            reply = await ask(protocol.request(sample))
            if sample.id == "s20":
                raise error
            return reply

    model = Counting()
    with pytest.raises(UsageError, match=said):
        await run(make_items(200), tmp_path, model, strategy=Faulty())
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        kept = journal.kept()
    assert 17 <= len(kept) < 30
    assert "s20" not in kept
    await run(make_items(200), tmp_path, model)
    assert set(model.asked.values()) == {1}


async def test_wrong_keys_end_the_run_after_a_few_samples(tmp_path):
    refused = Counting(lambda key, times: ModelError("401: no such key.", kind="auth"))
    with pytest.raises(ModelError, match=r"8 samples in a row failed with 'auth'.*401.*Check the key") as caught:
        await run(make_items(500), tmp_path, refused)
    assert caught.value.kind == "auth"
    assert refused.asked.total() <= 8 + 3
    records = await run(make_items(500), tmp_path)
    assert {record.state for record in records} == {"scored"}


async def test_single_refused_keys_between_answers_do_not_end_the_run(tmp_path):
    some = Counting(lambda key, times: ModelError("403", kind="auth") if int(key[1:]) % 4 else None)
    records = await run(make_items(60), tmp_path, some, model=FunctionModel(some, concurrency=1))
    assert Counter(record.state for record in records) == {"failed": 45, "scored": 15}


async def test_a_dead_server_ends_the_run(tmp_path):
    dead = Counting(lambda key, times: ModelError("connection refused.", kind="unreachable", transient=True))
    with pytest.raises(ModelError, match=r"20 samples in a row.*Check that the server runs"):
        await run(make_items(500), tmp_path, dead)
    assert dead.asked.total() <= 3 * (20 + 3)


async def test_a_stop_lets_requests_in_flight_finish_and_takes_no_more(tmp_path):
    stop, events, model = Stop(), [], Counting()

    async def reply(request):
        if request.sample.id == "s7":
            stop.set("SIGINT")
        await asyncio.sleep(0.01)
        return model(request)

    records = await run(make_items(100), tmp_path, reply, stop=stop, events=events.append)
    assert {f"s{i}" for i in range(8)} <= {record.key for record in records}
    assert len(records) == model.asked.total() <= 8 + 3
    assert Stopping("SIGINT", 4) in events
    assert len(await run(make_items(100), tmp_path, model)) == 100
    assert set(model.asked.values()) == {1}


async def test_a_stop_does_not_wait_for_a_pause_between_attempts(tmp_path):
    stop = Stop()

    def reply(request):
        asyncio.get_running_loop().call_later(0.02, stop.set, "SIGINT")
        raise timeout(retry_after=200.0)

    patient = RetryPolicy()
    start = asyncio.get_running_loop().time()
    assert await run(make_items(2), tmp_path, reply, stop=stop, retry=patient, sleep=asyncio.sleep) == []
    assert asyncio.get_running_loop().time() - start < 5


async def test_a_stop_gives_up_on_hanging_requests_after_the_grace_period(tmp_path):
    stop = Stop()

    async def reply(request):
        stop.set("SIGTERM")
        await asyncio.sleep(3600)

    start = asyncio.get_running_loop().time()
    assert await run(make_items(2), tmp_path, reply, stop=stop, grace=0.05) == []
    assert asyncio.get_running_loop().time() - start < 5


async def test_a_stop_ends_a_strategy_between_its_steps_and_keeps_the_first(tmp_path):
    stop, model = Stop(), Counting()

    async def reply(request):
        stop.set("SIGINT")
        return model(request)

    assert await run(make_items(1), tmp_path, reply, stop=stop, strategy=TwoSteps()) == []
    (record,) = await run(make_items(1), tmp_path, model, strategy=TwoSteps())
    assert model.asked["s0"] == 2
    assert record.state == "scored"


async def test_a_journal_that_cannot_be_written_ends_the_run_at_once(tmp_path):
    async def hang_or_answer(request):
        if request.sample.id != "s3":
            await asyncio.sleep(3600)
        return "A"

    with Journal.open(tmp_path / "journal.sqlite") as journal:
        journal._writing.execute("PRAGMA query_only = 1")
        from spatialeval.run.runner import run_items
        from spatialeval.strategies.plain import Plain

        with pytest.raises(StorageError, match="read-only"):
            await run_items(
                make_items(10),
                strategy=Plain(),
                protocol=FakeProtocol(),
                grader=GRADER,
                model=FunctionModel(hang_or_answer, concurrency=4),
                journal=journal,
                retry=QUICK,
                events=lambda event: None,
            )


async def test_retries_are_told(tmp_path):
    model, events = Counting(lambda key, times: timeout(retry_after=7.0) if times < 3 else None), []
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await no_sleep(0)

    (record,) = await run(make_items(1), tmp_path, model, events=events.append, sleep=sleep)
    assert [e for e in events if isinstance(e, Retrying)] == [
        Retrying("s0", "no reply in 1 s", 1, 7.0),
        Retrying("s0", "no reply in 1 s", 2, 7.0),
    ]
    assert slept == [7.0, 7.0]
    assert record.attempts == record.calls[0].attempts == 3


async def test_a_hanging_call_that_a_failed_strategy_left_behind_does_not_outlive_the_run(tmp_path):
    @dataclass(frozen=True)
    class Both(Strategy):
        name: ClassVar[str] = "both"

        async def run(self, sample, protocol, ask):
            requests = [protocol.request(sample, instruction=word) for word in ("fails", "hangs")]
            return (await asyncio.gather(*map(ask, requests)))[0]

    stop, ended = Stop(), []

    async def reply(request):
        if request.messages[0].text.endswith("fails"):
            raise ModelError("refused", kind="bad_request")
        stop.set("SIGINT")
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(request.sample.id)

    assert await run(make_items(1), tmp_path, reply, stop=stop, grace=0.05, strategy=Both()) == []
    await asyncio.sleep(0)
    assert ended == ["s0"]
