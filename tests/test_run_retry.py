"""Retrying: only what can pass, as often and as long as the policy says."""

from __future__ import annotations

import random

import pytest

from spatialeval.errors import ModelError
from spatialeval.messages import Response
from spatialeval.run.retry import RetryPolicy, ask_with_retry


def failing(errors):
    """A send that raises these errors in turn, then answers."""
    left = list(errors)

    async def send():
        if left:
            raise left.pop(0)
        return Response("A"), 0.5

    return send


def passing_error(retry_after=None):
    return ModelError("busy", kind="server_error", transient=True, retry_after=retry_after)


def refusal(retry_after=None):
    return ModelError("slow down", kind="rate_limited", transient=True, retry_after=retry_after)


async def attempt(errors, policy, name="s1|0"):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    return await ask_with_retry(failing(errors), policy, sleep=sleep, name=name), slept


async def test_what_can_pass_is_asked_again_after_growing_waits():
    tried, slept = await attempt([passing_error()] * 4, RetryPolicy(jitter=0.0, base=1.0, cap=5.0))
    assert (tried.response, tried.attempts) == (Response("A"), 5)
    assert slept == [1.0, 2.0, 4.0, 5.0]


async def test_what_cannot_pass_is_sent_once():
    error = ModelError("no", kind="bad_request")
    tried, slept = await attempt([error], RetryPolicy())
    assert (tried.error, tried.attempts, slept) == (error, 1, [])


async def test_the_last_error_is_returned_when_the_attempts_are_used_up():
    errors = [passing_error() for _ in range(3)]
    tried, slept = await attempt([*errors, passing_error()], RetryPolicy(attempts=3))
    assert tried.error is errors[2]
    assert (tried.attempts, len(slept)) == (3, 2)


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 0.0), (7.5, 7.5), (9999.0, 300.0)])
async def test_the_servers_own_wait_is_honoured_up_to_a_bound(asked, waited):
    _, slept = await attempt([passing_error(asked)], RetryPolicy())
    assert slept == [waited]


async def test_waiting_altogether_is_bounded():
    tried, slept = await attempt([passing_error(100.0)] * 5, RetryPolicy(longest_wait=250.0))
    assert (tried.attempts, slept) == (3, [100.0, 100.0])
    assert tried.error is not None


async def test_jitter_is_the_same_for_the_same_call_and_differs_between_calls():
    policy = RetryPolicy(jitter=0.5, attempts=3)
    waits = [(await attempt([passing_error()] * 2, policy, name))[1] for name in ("a", "a", "b")]
    assert waits[0] == waits[1] != waits[2]
    assert 1.0 <= waits[0][0] <= 1.5
    assert 2.0 <= waits[0][1] <= 3.0


def test_a_wait_grows_without_overflow():
    assert RetryPolicy(jitter=0.0).delay(900, passing_error(), random.Random(0)) == 60.0


async def test_refusals_for_the_rate_are_no_attempts_and_no_waits_of_the_call():
    tried, slept = await attempt([*[refusal(1.0)] * 20, passing_error(), *[refusal()] * 20], RetryPolicy(attempts=2))
    assert (tried.response, tried.attempts, tried.latency) == (Response("A"), 42, 0.5)
    assert len(slept) == 1


async def test_one_request_that_is_refused_again_and_again_is_given_up():
    tried, slept = await attempt([refusal(0.0)] * 9, RetryPolicy(refusals=5))
    assert (tried.attempts, tried.error.kind, slept) == (5, "rate_limited", [])


async def test_refusals_end_when_waiting_is_hopeless():
    tried = await ask_with_retry(failing([refusal()] * 9), RetryPolicy(), sleep=None, hopeless=lambda: True)
    assert tried.attempts == 1


async def test_a_spent_quota_is_not_waited_for():
    spent = ModelError("insufficient_quota", kind="rate_limited")
    tried, _ = await attempt([spent], RetryPolicy())
    assert (tried.attempts, tried.error) == (1, spent)
