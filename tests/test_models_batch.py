"""openai with batch: what becomes of requests, batches and connections, against a server that speaks the Batch API."""

from __future__ import annotations

import asyncio
import json

import pytest
from batch_server import BatchServer, Plan
from batch_worker import ask, batch_model
from command import spatialeval
from run_fakes import TwoSteps, answering, letter, make_items, run

from spatialeval.errors import ModelError, UsageError
from spatialeval.messages import Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.batch.settings import read_settings
from spatialeval.run.experiment import ModelEntry
from spatialeval.run.records import Item
from spatialeval.samples import Sample

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def told(records):
    return [(r.key, r.state, r.score, r.reply, len(r.calls)) for r in records]


def marked(*kinds):
    """Items whose prompts say what becomes of their line, and one without a fault."""
    questions = [*(f"q? [line:{kind}]" for kind in kinds), "q?"]
    return [Item(Sample(f"s{i}", "choice", text, "A")) for i, text in enumerate(questions)]


async def test_one_batch_answers_a_run_as_direct_calls_do(tmp_path):
    said = []
    async with BatchServer(letter) as server:
        records = await ask(tmp_path, server.base_url, make_items(30), said.append)
    assert told(records) == told(await run(make_items(30), tmp_path / "direct", answering))
    assert server.steps[:2] == ["upload", "create"]
    assert len(server.batches) == 1
    assert server.keys == {f"Bearer {KEY}"}
    assert [record.usage.prompt_tokens for record in records] == [11] * 30
    assert any("30 requests sent" in text for text in said)
    assert not list((tmp_path / "model").glob("*.jsonl"))


async def test_a_line_is_the_body_that_a_direct_request_has(tmp_path):
    async with BatchServer() as server:
        await ask(tmp_path, server.base_url, make_items(1))
        (line,) = [json.loads(text) for text in server.files["file-1"].splitlines()]
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    assert len(line["custom_id"]) <= 64
    assert line["body"] == {
        "model": "m",
        "messages": [{"role": "user", "content": "question 0?"}],
        "max_tokens": 16,
        "temperature": 0.0,
    }


async def test_a_strategy_of_two_calls_makes_two_waves(tmp_path):
    async with BatchServer(letter) as server:
        records = await ask(tmp_path, server.base_url, make_items(10), strategy=TwoSteps())
    assert len(server.batches) == 2
    assert [len(record.calls) for record in records] == [2] * 10


@pytest.mark.parametrize("limit", [{"requests": 4}, {"megabytes": 0.001}])
async def test_batches_are_no_larger_than_allowed(tmp_path, limit):
    async with BatchServer(letter) as server:
        records = await ask(tmp_path, server.base_url, make_items(12), settings=limit)
        sizes = [batch["request_counts"]["total"] for batch in server.batches.values()]
    assert {record.state for record in records} == {"scored"}
    assert sum(sizes) == 12
    assert len(sizes) >= 3


async def test_a_request_too_large_for_any_batch_fails_alone(tmp_path):
    items = [*make_items(2), Item(Sample("long", "choice", "x" * 3000, "A"))]
    async with BatchServer(letter) as server:
        records = await ask(tmp_path, server.base_url, items, settings={"megabytes": 0.002})
    assert [record.failure for record in records] == [None, None, "bad_request"]


@pytest.mark.parametrize(
    ("kind", "failure"), [("400", "bad_request"), ("401", "auth"), ("filter", "content_filter"), ("null", "no_content")]
)
async def test_a_refused_line_fails_its_item_as_a_direct_call_does(tmp_path, kind, failure):
    async with BatchServer() as server:
        records = await ask(tmp_path, server.base_url, marked(kind))
    assert [record.failure for record in records] == [failure, None]
    assert len(server.batches) == 1


@pytest.mark.parametrize("kind", ["500", "missing", "broken", "unwell"])
async def test_a_line_whose_failure_can_pass_is_asked_again_in_the_next_batch(tmp_path, kind):
    async with BatchServer() as server:
        records = await ask(tmp_path, server.base_url, marked(kind))
    assert [record.state for record in records] == ["scored", "scored"]
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [2, 1]
    assert [record.attempts for record in records] == [2, 1]


async def test_a_line_refused_for_its_rate_goes_into_the_next_batch_and_slows_nothing(tmp_path):
    async with BatchServer() as server:
        records = await ask(tmp_path, server.base_url, marked("429"))
    assert [record.state for record in records] == ["scored", "scored"]
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [2, 1]


async def test_a_failed_line_is_asked_again_by_the_next_session(tmp_path):
    async with BatchServer() as server:
        (first, _) = await ask(tmp_path, server.base_url, marked("null"))
        (second, _) = await ask(tmp_path, server.base_url, marked("null"))
    assert (first.failure, second.state) == ("no_content", "scored")
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [2, 1]


async def test_what_an_expired_batch_answered_is_used_and_the_rest_asked_again(tmp_path):
    async with BatchServer(letter, (Plan("expired", share=0.6),)) as server:
        records = await ask(tmp_path, server.base_url, make_items(10))
    assert {record.state for record in records} == {"scored"}
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [10, 4]
    assert set(server.executed.values()) == {1}


async def test_a_cancelled_batch_is_not_asked_again_before_the_next_session(tmp_path):
    async with BatchServer(letter, (Plan("cancelled", share=0.5),)) as server:
        records = await ask(tmp_path, server.base_url, make_items(10))
        assert [record.state for record in records].count("failed") == 5
        assert {record.failure for record in records} == {None, "server_error"}
        assert len(server.batches) == 1
        records = await ask(tmp_path, server.base_url, make_items(10))
    assert {record.state for record in records} == {"scored"}
    assert set(server.executed.values()) == {1}


async def test_a_batch_refused_for_some_lines_is_sent_again_without_them(tmp_path):
    errors = [{"code": "invalid_request", "message": "bad image", "line": 3, "param": None}]
    async with BatchServer(letter, (Plan("failed", errors=errors),)) as server:
        records = await ask(tmp_path, server.base_url, make_items(5))
    assert [record.failure for record in records] == [None, None, "bad_request", None, None]
    assert "bad image" in records[2].message
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [5, 4]


async def test_a_batch_refused_as_a_whole_fails_its_requests(tmp_path):
    errors = [{"code": "model_not_found", "message": "no such model", "line": None, "param": None}]
    async with BatchServer(letter, (Plan("failed", errors=errors),)) as server:
        records = await ask(tmp_path, server.base_url, make_items(3))
    assert {record.failure for record in records} == {"bad_request"}
    assert "no such model" in records[0].message


async def test_a_full_queue_is_waited_for(tmp_path):
    errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}]
    said = []
    async with BatchServer(letter, (Plan("failed", errors=errors), Plan("failed", errors=errors))) as server:
        records = await ask(tmp_path, server.base_url, make_items(3), said.append, {"poll": 0.005})
    assert {record.state for record in records} == {"scored"}
    assert (server.steps.count("upload"), len(server.batches)) == (1, 3)
    assert len([text for text in said if "no room" in text]) == 1


@pytest.mark.parametrize(
    "faults",
    [
        {"upload": [500, 0]},
        {"create": [500, 429]},
        {"create": [0]},
        {"create": [0], "list": [500]},
        {"look": [500, 0, 429]},
        {"content": [500, 503]},
    ],
    ids=str,
)
async def test_a_server_that_stumbles_is_asked_again_and_no_batch_is_made_twice(tmp_path, faults):
    async with BatchServer(letter, faults=faults) as server:
        records = await ask(tmp_path, server.base_url, make_items(6))
    assert {record.state for record in records} == {"scored"}
    assert len(server.batches) == 1


async def test_a_wrong_key_fails_everything_and_says_so(tmp_path):
    async with BatchServer(letter, faults={"upload": [401]}) as server:
        with pytest.raises(ModelError, match="401"):
            await ask(tmp_path, server.base_url, make_items(60))
        assert server.batches == {}


async def test_a_batch_that_is_not_there_is_not_replaced_by_another(tmp_path):
    async with BatchServer(letter, faults={"look": [404]}) as server:
        with pytest.raises(ModelError, match="project"):
            await ask(tmp_path, server.base_url, make_items(2))
        records = await ask(tmp_path, server.base_url, make_items(2))
    assert {record.state for record in records} == {"scored"}
    assert len(server.batches) == 1


async def test_equal_requests_of_one_item_are_requests_of_their_own(tmp_path):
    numbers = iter("ABCDABCD")
    request = Request((Message("user", (Text("same?"),)),), Settings(temperature=1.0))
    async with BatchServer(lambda prompt: next(numbers)) as server:
        model = batch_model(tmp_path, server.base_url)
        await model.start()
        replies = await asyncio.gather(*(model.ask(request) for _ in range(4)))
        await model.close()
    assert sorted(reply.text for reply in replies) == list("ABCD")


@pytest.mark.parametrize("given", ["yes", {"request": 3}, {"quiet": 0}, {"requests": 50_001}, {"megabytes": 201}, 3])
def test_a_setting_that_cannot_be_is_refused(given):
    with pytest.raises(UsageError, match="batch"):
        open_model("openai:m", ModelOptions(extra={"batch": given}))


def test_batch_true_means_the_limits_of_the_api():
    assert (read_settings(True).requests, read_settings(True).bytes) == (50_000, 200_000_000)


def test_another_model_has_no_batch():
    with pytest.raises(UsageError, match="embedded has no batch API"):
        open_model("embedded", ModelOptions(extra={"batch": True}))


def test_batch_is_a_key_of_a_model_in_an_experiment():
    assert ModelEntry(spec="openai:m", batch=True).options().extra == {"batch": True}
    more = ModelEntry(spec="openai:m", batch=True, extra={"batch": {"poll": 60}, "detail": "low"})
    assert more.options().extra == {"batch": {"poll": 60}, "detail": "low"}
    assert ModelEntry(spec="openai:m").options().extra == {}


@pytest.mark.parametrize(("spec", "code"), [("embedded", 2), ("openai:m", 0)])
def test_the_command_takes_batch_for_models_that_have_it(spec, code):
    ended = spatialeval("run", "-t", "maze", "-m", spec, "--batch", "-n", "1", "--dry-run")
    assert ended.code == code, ended.text
    assert ("has no batch API" in ended.text) == (code == 2)
