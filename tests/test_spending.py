"""What counts against a budget where little is known: before the first answer, and where a server tells no tokens."""

from __future__ import annotations

import asyncio
import json

import pytest
from command import at, letters, serving, spatialeval, summary_of
from run_fakes import make_items, no_sleep, run, timeout

from spatialeval.messages import Response, Usage
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.base import FunctionModel
from spatialeval.models.prices import read_price
from spatialeval.run.budget import Budget
from spatialeval.run.journal import Journal
from spatialeval.run.spending import known_cost, spent
from spatialeval.run.stopping import Stop

REAL = Usage(prompt_tokens=1500, completion_tokens=2)
"""A prompt of 3 tokens by its text."""


class Crowd(FunctionModel):
    """Sixteen at once; remembers how many were in flight before the first answer."""

    def __init__(self, usage=REAL, fail=0):
        super().__init__(self._reply, concurrency=16)
        self.usage, self.fail, self.sent, self.now, self.most, self.first = usage, fail, 0, 0, 0, None

    async def _reply(self, request):
        self.sent, self.now = self.sent + 1, self.now + 1
        number, self.most = self.sent, max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        if number <= self.fail:
            raise timeout()
        self.first = self.first or self.sent - self.fail
        return Response("A", usage=self.usage)


@pytest.mark.parametrize("fail", [0, 2])
async def test_before_the_first_answer_one_request_finds_out_what_the_others_take(tmp_path, fail):
    model, budget, stop = Crowd(fail=fail), Budget(max_tokens=16_000), Stop()
    await run(make_items(50), tmp_path, model=model, budget=budget, stop=stop, sleep=no_sleep)
    assert model.first == 1
    assert (model.sent - fail, budget.tokens) == (10, 15_020)
    assert model.most > 1


async def test_a_batch_is_filled_before_anything_is_answered(tmp_path):
    full = asyncio.Event()

    class Collecting(Crowd):
        collects = True

        async def ask(self, request):
            self.sent += 1
            if self.sent == 8:
                full.set()
            await full.wait()
            return Response("A", usage=REAL)

    budget = Budget(max_tokens=10**6)
    async with asyncio.timeout(20):
        await run(make_items(8), tmp_path, model=Collecting(), budget=budget, sleep=no_sleep)
    assert budget.tokens == 8 * 1502
    assert open_model("openai:gpt-4o", ModelOptions(extra={"batch": True})).collects


async def test_a_run_that_stops_before_its_first_answer_leaves_nobody_waiting(tmp_path):
    model, budget, stop = Crowd(), Budget(max_tokens=5), Stop()
    async with asyncio.timeout(20):
        await run(make_items(8), tmp_path, model=model, budget=budget, stop=stop, sleep=no_sleep)
    assert (model.sent, stop.stopping) == (0, True)


async def test_what_a_server_did_not_tell_counts_as_guessed_in_later_sessions_too(tmp_path):
    model, budget = Crowd(usage=Usage()), Budget(max_tokens=100, max_cost=1)
    model.free, model.quote = False, read_price("in=10,out=100", "m")
    await run(make_items(50), tmp_path, model=model, budget=budget, stop=Stop(), sleep=no_sleep)
    assert budget.tokens > 50
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        before = spent(journal, model, None)
        assert known_cost(journal, model, None) is None
    assert before.tokens == pytest.approx(budget.tokens)
    assert before.cost == pytest.approx(budget.cost)
    asked, again = model.sent, Budget(max_tokens=100)
    again.begin(tmp_path, before.tokens, before.cost)
    await run(make_items(50), tmp_path, model=model, budget=again, stop=Stop(), sleep=no_sleep)
    assert model.sent <= asked + 1


def test_failed_samples_are_not_among_those_that_are_answered(tmp_path):
    with serving() as server:
        run_it = ("run", *letters(tmp_path), *at(server), "--out", tmp_path / "out", "-c", 1)
        task = tmp_path / "letters.yaml"
        task.write_text(
            task.read_text().replace("row.target }}?", "row.target }}?{{ '[fault:400]' if row.id == 'r0' }}")
        )
        ran = spatialeval(*run_it, "--max-total-tokens", 60)
    assert ran.code == 3, ran
    answered = server.total - 1
    assert answered > 0
    assert f"{answered} of 12 samples are answered and kept in" in ran.text
    assert "1 failed" in ran.text
    assert f"to ask the other {12 - answered}, which" in ran.text


def test_answers_from_a_cache_of_answers_used_no_tokens_and_no_prefix_cache(tmp_path):
    with serving() as server:
        command = ("run", *letters(tmp_path), *at(server), "--cache", tmp_path / "cache", "--price", "in=1,out=1")
        first = spatialeval(*command, "--out", tmp_path / "one")
        second = spatialeval(*command, "--out", tmp_path / "two", "--max-total-tokens", 1)
    assert (first.code, second.code, server.total) == (0, 0, 12)
    assert "came from a prefix cache" in first.text
    assert "came from a prefix cache" not in second.text
    assert "12 calls were answered from a cache of answers" in second.text
    totals = [json.loads(next((tmp_path / out).rglob("manifest.json")).read_text())["totals"] for out in ("one", "two")]
    assert [held["prompt_tokens"] for held in totals] == [12 * 11, 0]
    assert [held["cached_tokens"] for held in totals] == [12 * 5, 0]
    assert totals[1]["cost_usd"] == 0.0
    summary = summary_of(tmp_path / "two")
    assert (summary["tokens"], summary["cached_answers"]) == ({"prompt": 0, "completion": 0, "cached": 0}, 12)
    assert spatialeval("report", tmp_path / "two", "-o", tmp_path / "page").code == 0
    page = (tmp_path / "page" / "report.html").read_text()
    assert "12 calls, whose tokens are not counted" in page
    assert "from a prefix cache" not in page
