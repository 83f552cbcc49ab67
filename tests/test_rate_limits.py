"""Rate limits on the wire: a server that counts what it gets, and what a whole run sends to it."""

from __future__ import annotations

import asyncio
import math
import time

import pytest
from aiohttp import web
from fault_server import FaultServer, completion, refusal
from run_letters import letters_run
from run_letters import write_rows as rows_to

from spatialeval.errors import ModelError
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.http_errors import status_error
from spatialeval.run.execute import execute
from spatialeval.run.journal import FILE_NAME, Journal


class Limited(FaultServer):
    """Takes so many requests in each window of its clock; refuses the others, and says when the window ends."""

    def __init__(self, per_window, window=1.0, tells=True):
        super().__init__(lambda prompt: prompt.partition("Which is ")[2][0], latency=0.02)
        self.per_window, self.window, self.tells = per_window, window, tells
        self.taken, self.refused, self.begun = 0, [], None
        self.early = 0
        self.until = 0.0

    async def _complete(self, request):
        body = await request.json()
        now = time.monotonic()
        self.counts["all"] += 1
        self.early += now < self.until
        if self.begun is None or now >= self.begun + self.window:
            self.begun, self.taken = now, 0
        if self.taken >= self.per_window:
            wait = math.ceil((self.begun + self.window - now) * 1000) / 1000
            self.refused.append(now)
            # Those that were on their way when the first one was refused could not know.
            asyncio.get_running_loop().call_later(0.05, self._close, now + wait)
            return refusal(429, "slow down", {"Retry-After": str(wait)} if self.tells else {})
        self.taken += 1
        await asyncio.sleep(self.latency)
        prompt = body["messages"][0]["content"]
        return web.json_response(completion(self.answer(prompt), "m"))

    def _close(self, until):
        self.until = max(self.until, until)


def rows(folder, count):
    spec = letters_run(folder)
    rows_to(
        folder / "rows.jsonl",
        [{"id": f"r{i}", "target": "ABCD"[i % 4], "choices": list("wxyz"), "category": "a"} for i in range(count)],
    )
    return spec


@pytest.mark.parametrize("tells", [True, False])
async def test_a_rate_limit_costs_few_requests_and_no_sample(tmp_path, tells):
    spec = rows(tmp_path, 400)
    async with Limited(per_window=100, tells=tells) as server:
        model = open_model("openai:m", ModelOptions(base_url=server.base_url))
        outcome = await execute(spec, model=model)
        assert outcome.states == {"scored": 400}
        assert server.total == 400 + len(server.refused)
        assert server.refused
        # at the first refusal nobody knows the limit: that costs what is in flight, and afterwards 5 % of requests
        assert len(server.refused) <= 0.05 * 400 + 32
        if tells:
            assert server.early == 0
    with Journal.open(outcome.folder / FILE_NAME, readonly=True) as journal:
        assert sum(record.attempts for record in journal.records()) == server.total


async def test_a_limit_that_the_user_names_is_never_exceeded(tmp_path):
    spec = rows(tmp_path, 100)
    async with Limited(per_window=100) as server:
        model = open_model("openai:m", ModelOptions(base_url=server.base_url, rpm=3000))
        outcome = await execute(spec, model=model)
        assert outcome.states == {"scored": 100}
        assert (server.total, server.refused) == (100, [])


async def test_a_spent_quota_ends_the_run_after_a_few_samples(tmp_path):
    spec = rows(tmp_path, 400)

    class Spent(FaultServer):
        async def _complete(self, request):
            self.counts["all"] += 1
            return web.json_response({"error": {"message": "You exceeded", "code": "insufficient_quota"}}, status=429)

    async with Spent() as server:
        model = open_model("openai:m", ModelOptions(base_url=server.base_url))
        with pytest.raises(ModelError, match=r"8 samples in a row.*quota"):
            await execute(spec, model=model)
        assert server.total <= 8 + 18


def test_a_spent_quota_cannot_pass_and_a_rate_limit_can():
    spent = status_error(429, {"retry-after": "1"}, b'{"error": {"code": "insufficient_quota", "message": "x"}}')
    assert (spent.kind, spent.transient, spent.retry_after) == ("rate_limited", False, None)
    assert status_error(429, {}, b"slow down").transient
