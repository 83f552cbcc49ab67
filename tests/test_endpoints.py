"""Several servers of one model: balance, affinity, rests and returns; on the wire, one that dies and comes back."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest
from command import letters, spatialeval, summary_of
from fault_server import FaultServer
from run_letters import letters_run

from spatialeval.errors import ModelError, UsageError
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.endpoints import Endpoint, Endpoints
from spatialeval.models.transport import Reply
from spatialeval.run.execute import execute
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.retry import RetryPolicy


class Fake:
    """A transport that says what it is told, and remembers who asked."""

    def __init__(self, status=200, headers=None, error=None):
        self.status, self.headers, self.error, self.asked = status, headers or {}, error, []
        self.go = asyncio.Event()
        self.go.set()

    async def post(self, path, body):
        self.asked.append(body)
        await self.go.wait()
        if self.error:
            raise self.error
        return Reply(self.status, self.headers, b"{}")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def servers():
    return [Fake() for _ in range(3)]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def several(servers, clock):
    return Endpoints([Endpoint(f"http://host{i}", server) for i, server in enumerate(servers)], clock)


def gone():
    return ModelError("connection refused", kind="unreachable", transient=True)


async def ask(several, count, group=None):
    replies = await asyncio.gather(
        *(several.post("/x", str(i).encode(), group(i) if group else None) for i in range(count)),
        return_exceptions=True,
    )
    return [reply for reply in replies if isinstance(reply, BaseException)]


async def test_requests_are_spread_evenly_over_servers_of_one_speed(several, servers):
    await ask(several, 30)
    assert [len(server.asked) for server in servers] == [10, 10, 10]


async def test_a_slow_server_gets_less(several, servers):
    servers[0].go.clear()
    for _ in range(20):
        tasks = [asyncio.create_task(several.post("/x", b"")) for _ in range(3)]
        await asyncio.wait(tasks, timeout=0.01)
    asked = [len(server.asked) for server in servers]
    servers[0].go.set()
    assert asked[0] < asked[1] / 2
    assert asked[0] < asked[2] / 2


async def test_requests_of_a_group_prefer_one_server_and_groups_are_spread(several, servers):
    for i in range(300):
        await several.post("/x", f"{i % 30}".encode(), f"video {i % 30}")
    homes = [set(server.asked) for server in servers]
    assert all(homes)
    assert not homes[0] & homes[1] | homes[1] & homes[2] | homes[0] & homes[2]


async def test_a_group_that_is_too_much_for_its_server_overflows(several, servers):
    for server in servers:
        server.go.clear()
    tasks = [asyncio.create_task(several.post("/x", b"", "one video")) for _ in range(30)]
    await asyncio.sleep(0)
    assert max(endpoint.in_flight for endpoint in several.all) <= 13
    for server in servers:
        server.go.set()
    await asyncio.gather(*tasks)


async def test_a_server_that_refuses_connections_rests_for_growing_times_and_is_tried_again(several, servers, clock):
    servers[0].error = gone()
    tried = []
    for now in range(60):
        clock.now = float(now)
        before = len(servers[0].asked)
        await ask(several, 6)
        if len(servers[0].asked) > before:
            tried.append(now)
    assert tried == [0, 1, 3, 7, 15, 31]
    servers[0].error = None
    clock.now = 100.0
    await ask(several, 6)
    await ask(several, 6)
    assert several.all[0].usable(100.0)
    assert len(servers[0].asked) > len(tried) + 2


async def test_errors_of_a_server_make_it_rest_once_there_are_some_in_a_row(several, servers):
    servers[0].status = 500
    for _ in range(30):
        await several.post("/x", b"")
    assert len(servers[0].asked) == 3


async def test_a_refusal_rests_one_server_as_long_as_it_says_while_the_others_go_on(several, servers, clock):
    servers[0].status, servers[0].headers = 429, {"retry-after": "7"}
    limited = ModelError("slow down", kind="rate_limited", transient=True, retry_after=7.0)
    await ask(several, 3)
    assert several.again(limited) == 0.0
    servers[0].status = 200
    clock.now = 6.9
    await ask(several, 9)
    assert len(servers[0].asked) == 1
    clock.now = 7.0
    await ask(several, 9)
    assert len(servers[0].asked) > 1


async def test_a_refusal_without_a_time_rests_the_server_too_so_that_it_does_not_slow_the_others(
    several, servers, clock
):
    servers[0].status = 429
    await ask(several, 3)
    await ask(several, 9)
    assert [len(server.asked) for server in servers] == [1, 6, 5]
    clock.now = 1.0
    await ask(several, 3)
    assert len(servers[0].asked) > 1


async def test_where_all_are_limited_the_first_to_come_back_is_waited_for(several, servers, clock):
    for seconds, server in enumerate(servers, 4):
        server.status, server.headers = 429, {"retry-after": str(seconds)}
    await ask(several, 3)
    clock.now = 1.0
    assert several.again(ModelError("x", kind="rate_limited", transient=True, retry_after=6.0)) == 3.0


async def test_where_all_are_gone_it_is_as_with_one_server(several, servers):
    for server in servers:
        server.error = gone()
    errors = await ask(several, 6)
    assert {error.kind for error in errors} == {"unreachable"}
    assert several.again(errors[0]) is None


def test_addresses_are_checked_and_named_once():
    options = ModelOptions(base_url="http://a/v1", more_urls=("http://b/v1/", "http://a/v1/"))
    model = open_model("openai:m", options)
    assert model.urls == ("http://a/v1", "http://b/v1")
    assert (model.concurrency, model.adaptive) == (32, True)
    with pytest.raises(UsageError, match="no HTTP address"):
        open_model("openai:m", ModelOptions(base_url="http://a/v1", more_urls=("b",)))


def right(prompt):
    return prompt.partition("Which is ")[2][0]


async def test_a_server_that_dies_half_way_loses_nothing_and_doubles_nothing(tmp_path):
    fifth, seen = asyncio.Event(), itertools.count(1)

    def until_the_fifth(prompt):
        if next(seen) == 5:
            fifth.set()
        return right(prompt)

    async with FaultServer(right, latency=0.02) as one, FaultServer(right, latency=0.02) as other:
        mortal = FaultServer(until_the_fifth, latency=0.02)
        await mortal.__aenter__()
        options = ModelOptions(base_url=mortal.base_url, more_urls=(one.base_url, other.base_url), concurrency=6)
        running = asyncio.create_task(execute(letters_run(tmp_path), model=open_model("openai:m", options)))
        await fifth.wait()
        await mortal.__aexit__()
        outcome = await running
    assert outcome.states == {"scored": 40}
    assert outcome.summary.score.mean == 1.0
    assert mortal.total >= 5
    assert 40 <= mortal.total + one.total + other.total <= 40 + 6  # what was in flight when it died
    with Journal.open(outcome.folder / FILE_NAME, readonly=True) as journal:
        assert [len(record.calls) for record in journal.records()] == [1] * 40


async def test_a_request_that_met_a_server_which_hangs_goes_to_another_one_at_once(tmp_path):
    async with FaultServer(right) as well, FaultServer(mode="always", latency=3600) as hangs:
        options = ModelOptions(base_url=hangs.base_url, more_urls=(well.base_url,), timeout=0.3, concurrency=1)
        spec = replace(letters_run(tmp_path), retry=RetryPolicy(attempts=4, base=3600, cap=3600, longest_wait=3600 * 9))
        async with asyncio.timeout(60):
            outcome = await execute(spec, model=open_model("openai:m", options))
    assert outcome.states == {"scored": 40}
    assert 3 <= hangs.total < 20


async def test_the_server_that_came_back_gets_requests(tmp_path):
    async with FaultServer(right) as stays, FaultServer(right) as leaves:
        options = ModelOptions(base_url=stays.base_url, more_urls=(leaves.base_url,), timeout=5)
        model = open_model("openai:m", options)
        clock = Clock()
        await model.start()
        model._endpoints.clock = clock
        request = _request()
        await leaves.__aexit__()
        await model.ask(request)
        with pytest.raises(ModelError) as caught:
            await model.ask(request)
        assert (caught.value.kind, caught.value.retry_after) == ("unreachable", 0.0)
        for _ in range(6):
            await model.ask(request)
        await leaves.__aenter__()
        clock.now = 2.0
        for _ in range(6):
            await model.ask(request)
        await model.close()
        assert leaves.total >= 2


async def test_a_server_that_is_not_there_at_the_start_rests_and_only_all_of_them_are_an_error(tmp_path):
    async with FaultServer(right) as server:
        model = open_model("openai:m", ModelOptions(base_url="http://127.0.0.1:9/v1", more_urls=(server.base_url,)))
        await model.start()
        await model.check()
        await model.ask(_request())
        await model.close()
        assert server.total == 1
    lost = open_model("openai:m", ModelOptions(base_url="http://127.0.0.1:9/v1", more_urls=("http://127.0.0.1:8/v1",)))
    await lost.start()
    with pytest.raises(ModelError, match="nothing answers"):
        await lost.check()
    await lost.close()


def test_the_command_takes_several_addresses_and_a_file_takes_a_list(tmp_path):
    from command import serving

    with serving() as one, serving() as other:
        task = letters(tmp_path)
        ran = spatialeval(
            "run", *task, "-m", "openai:m", "--base-url", one.base_url, "--base-url", other.base_url,
            "--out", tmp_path / "out",
        )  # fmt: skip
        assert ran.code == 0, ran
        assert one.total + other.total == summary_of(tmp_path / "out")["total"]
        assert one.total >= 3
        assert other.total >= 3
        (tmp_path / "e.yaml").write_text(
            f"models: [{{spec: 'openai:m', base_url: ['{one.base_url}', '{other.base_url}']}}]\n"
            f"tasks: [{{task: letters.yaml, data: rows.jsonl}}]\nout: {tmp_path / 'again'}\n"
        )
        assert spatialeval("run", tmp_path / "e.yaml").code == 0
        assert one.total >= 6


def _request():
    from spatialeval.messages import Message, Request, Settings, Text

    return Request((Message("user", (Text("Which is A?"),)),), Settings(max_tokens=5))
