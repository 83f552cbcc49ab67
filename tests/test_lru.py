"""LRU: bounded, and made by one thread whatever the number that asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from spatialeval.lru import LRU


def test_the_least_used_is_dropped_above_the_limit():
    made = []
    held = LRU(5, len)

    def get(key):
        return held.get(key, lambda: made.append(key) or key * 2)

    assert [get(key) for key in "abacab"] == ["aa", "bb", "aa", "cc", "aa", "bb"]
    assert made == ["a", "b", "c", "b"]
    assert (held.held, len(held)) == (4, 2)


def test_a_value_over_the_limit_is_kept_until_the_next():
    held = LRU(1, len)
    assert held.get("big", lambda: "xxxx") == held.get("big", lambda: "made again") == "xxxx"
    held.get("next", lambda: "yyyy")
    assert (held.held, len(held)) == (4, 1)


def test_those_who_ask_while_it_is_made_wait_for_the_same_value():
    held, made, all_wait = LRU(9, len), [], threading.Event()

    def make():
        all_wait.wait(10)
        made.append("x")
        return ["x"]

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(held.get, "key", make) for _ in range(8)]
        while any(not each.running() for each in asked):
            pass
        all_wait.set()
        values = {id(each.result()) for each in asked}
    assert len(values) == len(made) == 1


def test_a_failure_reaches_all_who_wait_and_is_not_kept():
    held, all_wait = LRU(9, len), threading.Event()

    def fail():
        all_wait.wait(10)
        raise ValueError("no")

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(held.get, "key", fail) for _ in range(4)]
        while any(not each.running() for each in asked):
            pass
        all_wait.set()
        assert [type(each.exception()) for each in asked] == [ValueError] * 4
    with pytest.raises(ValueError, match="no"):
        held.get("key", fail)
    assert held.get("key", lambda: "now") == "now"
