"""The runner asks every item once, keeps what it got, and stops without losing anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from run_fakes import Counting, FakeProtocol, TwoSteps, letter, make_items, run, timeout

from spatialeval.errors import ModelError
from spatialeval.media import Media
from spatialeval.messages import Response, Settings
from spatialeval.models.base import FunctionModel
from spatialeval.run.events import Finished, Started
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.runner import in_groups
from spatialeval.strategies import Strategy


async def test_every_item_gets_the_score_of_its_reply(tmp_path):
    items = make_items(50)
    records = await run(items, tmp_path)
    assert [record.key for record in records] == [f"s{i}" for i in range(50)]
    for item, record in zip(items, records, strict=True):
        assert record.state == "scored"
        assert record.reply == letter(item.sample.question)
        assert record.score == float(record.reply == item.sample.target)
        assert record.calls[0].request["messages"][0]["parts"][0]["text"] == item.sample.question


async def test_a_finished_run_asks_nothing_again_and_tells_what_it_kept(tmp_path):
    model, events = Counting(), []
    first = await run(make_items(10), tmp_path, model)
    second = await run(make_items(10), tmp_path, model, events=events.append)
    assert first == second
    assert set(model.asked.values()) == {1}
    assert events[0] == Started(total=10, kept=10)
    assert [event.record.key for event in events[1:] if isinstance(event, Finished) and event.kept] == [
        f"s{i}" for i in range(10)
    ]


async def test_more_items_ask_only_the_new_ones(tmp_path):
    model = Counting()
    await run(make_items(5), tmp_path, model)
    assert len(await run(make_items(8), tmp_path, model)) == 8
    assert set(model.asked.values()) == {1}


async def test_failed_items_are_asked_again_and_only_they(tmp_path):
    model = Counting(lambda key, times: timeout() if key == "s3" and times <= 3 else None)
    records = await run(make_items(6), tmp_path, model)
    assert [(r.state, r.failure, r.attempts) for r in records][3] == ("failed", "timeout", 3)
    assert records[3].reply is None
    records = await run(make_items(6), tmp_path, model)
    assert {record.state for record in records} == {"scored"}
    assert model.asked == {**{f"s{i}": 1 for i in range(6)}, "s3": 4}


async def test_answered_steps_of_a_failed_item_come_from_the_journal(tmp_path):
    def fail(key, times):
        return timeout() if key == "s1" and 2 <= times <= 4 else None

    model = Counting(fail)
    records = await run(make_items(3), tmp_path, model, strategy=TwoSteps())
    assert [record.state for record in records] == ["scored", "failed", "scored"]
    assert len(records[1].calls) == 1
    records = await run(make_items(3), tmp_path, model, strategy=TwoSteps())
    assert [len(record.calls) for record in records] == [2, 2, 2]
    assert model.asked == {"s0": 2, "s1": 1 + 3 + 1, "s2": 2}


async def test_a_step_that_now_asks_something_else_is_asked(tmp_path):
    model = Counting(lambda key, times: timeout() if times == 2 else None)
    once = RetryPolicy(attempts=1)
    await run(make_items(1), tmp_path, model, strategy=TwoSteps(), retry=once)
    longer = replace(FakeProtocol(), settings=Settings(max_tokens=99))
    (record,) = await run(make_items(1), tmp_path, model, strategy=TwoSteps(), retry=once, protocol=longer)
    assert model.asked["s0"] == 4
    assert [call.request["settings"]["max_tokens"] for call in record.calls] == [99, 99]


@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_replies_that_cannot_be_read_are_no_failures(tmp_path, finish):
    (record,) = await run(make_items(1), tmp_path, lambda request: Response("well", finish))
    assert (record.state, record.score) == ("truncated" if finish == "length" else "unparsed", 0.0)


async def test_never_more_requests_in_flight_than_the_model_takes_even_when_a_strategy_asks_at_once(tmp_path):
    @dataclass(frozen=True)
    class Five(Strategy):
        name: ClassVar[str] = "five"

        async def run(self, sample, protocol, ask):
            requests = [protocol.request(sample, instruction=str(i)) for i in range(5)]
            return (await asyncio.gather(*map(ask, requests)))[2]

    now, most = 0, 0

    async def slow(request):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return letter(request.messages[0].text)

    records = await run(make_items(10), tmp_path, slow, strategy=Five(), model=FunctionModel(slow, concurrency=3))
    assert most == 3
    assert [len(record.calls) for record in records] == [5] * 10
    # The third reply was the answer, not the last one.
    assert all(record.reply == record.calls[2].response["text"] for record in records)


async def test_calls_that_a_failing_strategy_leaves_behind_are_waited_for_and_kept(tmp_path):
    @dataclass(frozen=True)
    class Both(Strategy):
        name: ClassVar[str] = "both"

        async def run(self, sample, protocol, ask):
            quick, slow = protocol.request(sample), protocol.request(sample, instruction="slow")
            return (await asyncio.gather(ask(quick), ask(slow)))[0]

    async def reply(request):
        if request.messages[0].text.endswith("slow"):
            await asyncio.sleep(0.02)
            return "B"
        raise ModelError("refused", kind="bad_request")

    (record,) = await run(make_items(1), tmp_path, reply, strategy=Both())
    assert (record.state, record.failure, record.attempts) == ("failed", "bad_request", 2)
    assert [call.response["text"] for call in record.calls] == ["B"]


def test_items_of_one_group_stand_together_in_the_order_of_first_appearance():
    items = [
        replace(item, sample=replace(item.sample, group=g)) for item, g in zip(make_items(6), "abcab ", strict=True)
    ]
    assert [item.sample.id for item in in_groups(items)] == ["s0", "s3", "s1", "s4", "s2", "s5"]


def test_items_without_a_group_stand_by_their_picture():
    media = [Media("image", name, b"") for name in "xyx"]
    items = [replace(i, sample=replace(i.sample, media=(m,))) for i, m in zip(make_items(3), media, strict=True)]
    assert [item.sample.id for item in in_groups(items)] == ["s0", "s2", "s1"]


async def test_messages_of_failures_are_stored_without_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "plain-looking-value")

    def refuse(request):
        raise RuntimeError("bad key plain-looking-value \ud800")

    (record,) = await run(make_items(1), tmp_path, refuse)
    assert record.message == "function raised RuntimeError: bad key [hidden] \ufffd"


async def test_replies_that_are_no_valid_text_are_made_so(tmp_path):
    (record,) = await run(make_items(1), tmp_path, lambda request: "A\ud800", strategy=TwoSteps())
    assert record.reply.startswith("A")
    assert record.reply.encode()


async def test_a_backend_that_cancels_its_own_request_fails_that_item_and_no_other(tmp_path):
    def function(request):
        if request.sample.id == "s3":
            raise asyncio.CancelledError
        return letter(request.messages[0].text)

    records = await run(make_items(6), tmp_path, function)
    assert [record.failure for record in records] == [None, None, None, "model_error", None, None]
