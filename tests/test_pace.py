"""How fast a run asks: played in a world with a clock of its own, against servers with limits that are known."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from pace_world import Server, World, ask_all

from spatialeval.errors import ModelError
from spatialeval.models.base import FunctionModel
from spatialeval.run.control import CAP, Bucket, Width
from spatialeval.run.pace import Pace
from spatialeval.run.retry import RetryPolicy


@pytest.fixture
def world():
    return World()


def gate(world, start=16, cap=CAP, **changes):
    return Pace(Width(start, cap), clock=world.clock, later=world.later, **changes)


def refusal(retry_after=None):
    return ModelError("slow down", kind="rate_limited", transient=True, retry_after=retry_after)


async def test_a_fixed_width_is_kept_full_and_never_passed(world):
    server = Server(world, latency=0.05)
    seconds = await ask_all(world, gate(world, 64, 64), server, 2000)
    assert server.widest == 64
    assert seconds == pytest.approx(0.05 * 32)  # ceil(2000 / 64) rounds


async def test_an_adaptive_width_begins_modestly_and_reaches_the_cap_where_more_is_faster(world):
    server, pace = Server(world, latency=0.05), gate(world)
    seconds = await ask_all(world, pace, server, 3000)
    assert sum(at == 0.0 for at in server.times) == 16
    assert server.widest == CAP
    assert seconds < 0.05 * 3000 / 64


async def test_a_busy_server_ends_the_growth(world):
    server, pace = Server(world, latency=0.05, lanes=32), gate(world)
    seconds = await ask_all(world, pace, server, 2000)
    assert 32 <= pace.width.limit <= 96
    assert seconds < 1.1 * 0.05 * 2000 / 32


async def test_what_is_not_used_does_not_grow(world):
    pace = gate(world)
    await ask_all(world, pace, Server(world), 500, workers=4)
    assert pace.width.limit == 16


@pytest.mark.parametrize(("start", "cap"), [(16, CAP), (64, 64)])
async def test_a_limit_of_100_a_second_costs_at_most_5_percent_more_requests(world, start, cap):
    server = Server(world, latency=0.05, per_second=100)
    seconds = await ask_all(world, gate(world, start, cap), server, 1000)
    assert server.seen - 1000 == server.refused <= 50
    assert seconds < 2 * 1000 / 100


async def test_a_limit_that_is_not_told_is_found_too(world):
    server = Server(world, latency=0.05, per_second=100, tells=False)
    await ask_all(world, gate(world), server, 1000)
    assert server.refused <= 50


@pytest.mark.parametrize(("per_second", "requests"), [(10, 600), (400, 4000)])
async def test_other_limits_are_learnt_as_well(world, per_second, requests):
    server = Server(world, latency=0.05, per_second=per_second)
    seconds = await ask_all(world, gate(world), server, requests)
    assert server.refused <= 0.05 * requests
    assert seconds < 2.5 * requests / per_second


async def test_a_limit_on_requests_at_once_shrinks_the_width(world):
    server, pace = Server(world, latency=0.05, most=40), gate(world)
    await ask_all(world, pace, server, 2000)
    assert pace.width.limit <= 64
    assert server.refused <= 100


async def test_nothing_is_sent_before_the_moment_that_the_server_names(world):
    pace, sent = gate(world), []

    async def one(number):
        slot = await pace.enter()
        sent.append(world.now)
        pace.leave(slot, error=refusal(7.0) if number == 0 else None, tokens=None if number == 0 else 1)

    await world.play(*(one(number) for number in range(40)))
    assert sent[0] == 0.0
    assert all(at == 0.0 or at >= 7.0 for at in sent)
    assert min(at for at in sent if at) == 7.0


async def test_a_pause_holds_no_slot(world):
    pace = gate(world, 2, 2)
    slots = [await pace.enter(), await pace.enter()]
    for slot in slots:
        pace.leave(slot, error=refusal(5.0))
    assert (pace.in_flight, pace.pause) == (0, 5.0)


async def test_requests_that_were_refused_together_count_once(world):
    pace = gate(world)
    slots = [await pace.enter() for _ in range(16)]
    world.now = 0.1
    for slot in slots:
        pace.leave(slot, error=refusal())
    assert pace.width.limit == 12
    assert pace.pause == 1.0


async def test_pauses_of_our_own_grow_and_then_one_request_at_a_time_finds_out(world):
    pace, sent = gate(world), []

    async def one():
        for _ in range(5):
            slot = await pace.enter()
            sent.append(world.now)
            await world.sleep(0.5)
            pace.leave(slot, error=refusal())

    await world.play(*(one() for _ in range(4)))
    times = sorted(set(sent))
    assert [sent.count(at) for at in times[:2]] == [4, 4]
    assert all(sent.count(at) == 1 for at in times[2:])
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps[:5] == [1.5, 2.5, 4.5, 8.5, 16.5]


async def test_nothing_but_refusals_for_very_long_is_hopeless_and_frees_whoever_waits(world):
    pace = gate(world, 1, 1, patience=100.0)

    async def one():
        slot = await pace.enter()
        while not pace.hopeless:
            pace.leave(slot, error=refusal(60.0))
            slot = await pace.enter()
        pace.leave(slot, error=refusal(60.0))

    async def other():
        await world.sleep(110.0)
        with pytest.raises(ModelError, match="slow down"):
            await pace.enter()

    await world.play(one(), other())
    assert pace.in_flight == 0


async def test_first_come_first_served(world):
    pace, order = gate(world, 1, 1), []

    async def one(number):
        slot = await pace.enter()
        order.append(number)
        await world.sleep(1)
        pace.leave(slot, tokens=1)

    await world.play(*map(one, range(10)))
    assert order == list(range(10))


async def test_whoever_is_cancelled_leaves_no_trace(world):
    pace = gate(world, 1, 1)
    slot = await pace.enter()
    waiting = [asyncio.create_task(pace.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    pace.leave(slot, tokens=1)  # admits the second one, which is cancelled before it hears of that
    waiting[1].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pace.leave(await waiting[2], tokens=1)
    assert pace.in_flight == 0


async def test_a_stopping_run_lets_everybody_through(world):
    pace = gate(world, 1, 1)
    pace.leave(await pace.enter(), error=refusal(300.0))
    waiting = [asyncio.create_task(pace.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    pace.open()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def test_requests_a_minute_are_kept(world):
    server = Server(world, latency=0.05)
    await ask_all(world, gate(world, requests=Bucket(10.0, 10.0)), server, 600)
    for begin in range(50):
        assert sum(begin <= at < begin + 1 for at in server.times) <= 20  # what was saved up, and a second's worth
    assert server.times[-1] == pytest.approx(59.0, abs=0.2)


@pytest.mark.parametrize("guess", [100.0, 1000.0, 4000.0])
async def test_tokens_a_minute_are_kept_whatever_was_guessed(world, guess):
    server = Server(world, latency=0.05)
    pace = gate(world, tokens=Bucket(60_000 / 60, 60_000 / 60))
    seconds = await ask_all(world, pace, server, 200, tokens=(guess, 1000.0))
    assert seconds == pytest.approx(200, rel=0.1)


async def test_a_refused_request_gives_its_tokens_back(world):
    pace = gate(world, tokens=Bucket(10.0, 100.0))
    pace.leave(await pace.enter(80.0), error=refusal(0.0))
    assert pace.tokens.level == 100.0
    pace.leave(await pace.enter(80.0), error=ModelError("late", kind="timeout", transient=True))
    assert pace.tokens.level == 20.0


def test_a_bucket_may_owe_and_then_waits():
    bucket = Bucket(2.0, 4.0)
    assert bucket.wait(100.0, 0.0) == 0.0  # more than it ever holds: a full one is enough
    bucket.take(10.0, 0.0)
    assert bucket.wait(1.0, 0.0) == 3.5
    assert bucket.wait(1.0, 3.5) == 0.0


def test_the_gate_of_a_model_is_as_wide_as_the_user_or_the_model_says():
    model = FunctionModel(lambda _: "A", concurrency=7)
    pace = Pace.of(model, RetryPolicy())
    assert (pace.width.limit, pace.width.cap, pace.requests, pace.tokens) == (7, 7, None, None)
    model.adaptive, model.rpm, model.tpm = True, 30.0, 6000.0
    pace = Pace.of(model, RetryPolicy())
    assert (pace.width.limit, pace.width.cap) == (7, CAP)
    assert (pace.requests.rate, pace.requests.burst, pace.tokens.rate) == (0.5, 1.0, 100.0)
