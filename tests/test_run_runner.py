"""The runner asks every item once, keeps what it got, and stops without losing anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from run_fakes import GRADER, QUICK, FakeProtocol, TwoSteps, answering, letter, make_items, no_sleep, run

from spatialeval.errors import MediaError, ModelError, RunChangedError, StorageError, UsageError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Response, Settings
from spatialeval.models.base import FunctionModel, Model
from spatialeval.run.events import Finished, Retrying, Started, Stopping
from spatialeval.run.journal import Journal
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.runner import in_groups
from spatialeval.run.stopping import Stop
from spatialeval.strategies import Strategy


class Counting:
    """A model function that remembers what it was asked, and may fail as told."""

    def __init__(self, fail=None):
        self.asked, self.fail = Counter(), fail or (lambda sample_id, times: None)

    def __call__(self, request):
        sample_id = request.sample.id
        self.asked[sample_id] += 1
        error = self.fail(sample_id, self.asked[sample_id])
        if error:
            raise error
        return answering(request)


def timeout(**facts):
    return ModelError("no reply in 1 s", kind="timeout", transient=True, **facts)


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


# Media


@dataclass(frozen=True)
class WithPicture(FakeProtocol):
    def request(self, sample, *, instruction=None, settings=None):
        plain = super().request(sample)
        return Request((Message("user", (*map(Image, sample.media), *plain.messages[0].parts)),), self.settings, sample)


def with_picture(folder, *names):
    return [
        replace(item, sample=replace(item.sample, media=(Media("image", name, folder / name),)))
        for item, name in zip(make_items(len(names)), names, strict=True)
    ]


async def test_a_missing_picture_fails_its_own_sample_until_it_is_there(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    items, model = with_picture(tmp_path, "a.png", "b.png"), Counting()
    records = await run(items, tmp_path, model, protocol=WithPicture())
    assert [(r.state, r.failure) for r in records] == [("scored", None), ("failed", "media")]
    assert "b.png" in records[1].message
    assert records[1].attempts == 0
    (tmp_path / "b.png").write_bytes(b"b")
    records = await run(with_picture(tmp_path, "a.png", "b.png"), tmp_path, model, protocol=WithPicture())
    assert [record.state for record in records] == ["scored", "scored"]
    assert model.asked == {"s0": 1, "s1": 1}


async def test_a_picture_that_changed_after_its_answer_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    (tmp_path / "a.png").write_bytes(b"another")
    with pytest.raises(RunChangedError, match=r"1 answered samples.*'s0'.*--fresh"):
        await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    (tmp_path / "a.png").unlink()
    (record,) = await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    assert record.state == "scored"


async def test_media_are_read_beside_the_loop(tmp_path, monkeypatch):
    threads = set()

    def read(media):
        import threading

        threads.add(threading.current_thread() is threading.main_thread())
        return b"x"

    monkeypatch.setattr(Media, "read", read)
    await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    assert threads == {False}


async def test_a_picture_that_only_the_model_cannot_read_fails_its_sample(tmp_path):
    def corrupt(request):
        raise MediaError("image 'a.png' is corrupt")

    class Direct(Model):
        spec = "direct"

        async def ask(self, request):
            return corrupt(request)

    (record,) = await run(make_items(1), tmp_path, model=Direct())
    assert (record.state, record.failure) == ("failed", "media")


async def test_replies_that_are_no_valid_text_are_made_so(tmp_path):
    (record,) = await run(make_items(1), tmp_path, lambda request: "A\ud800", strategy=TwoSteps())
    assert record.reply.startswith("A")
    assert record.reply.encode()


# Stopping


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


@pytest.mark.parametrize("error", [KeyError("x"), UsageError("option")])
async def test_a_fault_in_a_strategy_ends_the_run_and_keeps_the_answers(tmp_path, error):
    @dataclass(frozen=True)
    class Faulty(Strategy):
        name: ClassVar[str] = "faulty"

        async def run(self, sample, protocol, ask):
            reply = await ask(protocol.request(sample))
            if sample.id == "s20":
                raise error
            return reply

    model = Counting()
    with pytest.raises(type(error)):
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
