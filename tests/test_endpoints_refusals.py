"""Several servers, one of which refuses: being quick brings it no traffic, and it fails no sample others answer."""

from __future__ import annotations

import pytest
from fault_server import FaultServer
from run_letters import letters_run
from test_endpoints import Clock, Fake, gone

from spatialeval.errors import ModelError
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.endpoints import Endpoint, Endpoints
from spatialeval.run.execute import execute


def of(*servers):
    return Endpoints([Endpoint(f"http://host{i}", server) for i, server in enumerate(servers)], Clock())


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("group", [None, "a scene"])
async def test_what_one_server_refuses_another_answers_and_the_first_one_rests(status, group):
    refuses, well = Fake(status), Fake()
    several = of(refuses, well)
    replies = [await several.post("/x", b"", group) for _ in range(20)]
    assert {reply.status for reply in replies} == {200}
    assert len(refuses.asked) <= 1
    assert len(well.asked) == 20
    several.clock.now = 1.0
    for _ in range(20):
        await several.post("/x", b"", group)
    assert len(refuses.asked) <= 2


@pytest.mark.parametrize("statuses", [(400, 400), (400, 401), (404, 400), (400, 500), (400, 429)])
async def test_a_request_that_is_refused_as_bad_stays_bad_and_is_tried_once_more_only(statuses):
    servers = [Fake(status) for status in statuses]
    reply = await of(*servers).post("/x", b"")
    assert reply.status == 400
    assert [len(server.asked) for server in servers] == [1, 1]


async def test_a_bad_request_is_not_a_fault_of_servers_that_both_refuse_it():
    several = of(Fake(400), Fake(400))
    await several.post("/x", b"")
    assert all(endpoint.usable(0.0) for endpoint in several.all)


async def test_where_all_refuse_the_refusal_is_told():
    assert (await of(Fake(401), Fake(401)).post("/x", b"")).status == 401
    assert (await of(Fake(401)).post("/x", b"")).status == 401


async def test_where_the_other_one_is_busy_or_away_the_request_may_be_sent_again_later():
    assert (await of(Fake(401), Fake(429)).post("/x", b"")).status == 429
    with pytest.raises(ModelError) as caught:
        await of(Fake(401), Fake(error=gone())).post("/x", b"")
    assert caught.value.transient
    assert (await of(Fake(400), Fake(error=gone())).post("/x", b"")).status == 400


@pytest.mark.parametrize("kind", ["400", "401"])
async def test_a_run_over_a_server_that_refuses_everything_answers_each_question_once(tmp_path, kind):
    class Refusing(FaultServer):
        async def _complete(self, request):
            self.counts["refused"] += 1
            return await self._fault(kind, request, await request.json(), "")

    async with FaultServer(lambda prompt: prompt.partition("Which is ")[2][0], latency=0.01) as well, Refusing() as bad:
        options = ModelOptions(base_url=bad.base_url, more_urls=(well.base_url,), concurrency=4)
        outcome = await execute(letters_run(tmp_path), model=open_model("openai:m", options))
    assert outcome.states == {"scored": 40}
    assert well.total == 40
    assert bad.total <= 8
