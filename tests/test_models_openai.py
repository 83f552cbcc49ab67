"""openai: bodies, replies, and every way in which a server can fail, over both transports."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from time import monotonic, time
from urllib.request import urlopen

import pytest
from fault_server import FaultServer

from spatialeval.errors import MediaError, ModelError, UsageError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text, Usage
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.http_errors import presentable

KEY = "sk-very-secret-0123456789"
PNG = b"\x89PNG\r\n\x1a\n" + b"not even decodable, and passed on all the same"
JPEG = b"\xff\xd8\xff" + b"\x00\x01\x02"


@pytest.fixture(params=["aiohttp", "openai"])
def transport(request, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return request.param


@asynccontextmanager
async def asking(base_url, transport="aiohttp", seconds=5.0, **extra):
    model = open_model("openai:m", ModelOptions(base_url, seconds, extra={"transport": transport, **extra}))
    try:
        await model.start()
        yield model
    finally:
        await model.close()


def request_of(text, *media, settings=None):
    parts = (Text(text), *(Image(m) for m in media))
    return Request((Message("user", parts),), settings or Settings(max_tokens=7))


@pytest.mark.parametrize(
    ("fault", "kind", "transient"),
    [
        ("429", "rate_limited", True),
        ("500", "server_error", True),
        ("503", "server_error", True),
        ("529", "server_error", True),
        ("501", "server_error", False),
        ("408", "server_error", True),
        ("409", "server_error", True),
        ("400", "bad_request", False),
        ("404", "not_found", False),
        ("401", "auth", False),
        ("403", "auth", False),
        ("drop", "unreachable", True),
        ("truncated", "malformed", True),
        ("null", "no_content", False),
        ("filter", "content_filter", False),
        ("refusal", "content_filter", False),
    ],
)
async def test_a_fault_is_an_error_of_its_own_kind_and_is_not_retried(transport, fault, kind, transient):
    async with FaultServer() as server, asking(server.base_url, transport) as model:
        with pytest.raises(ModelError) as caught:
            await model.ask(request_of(f"Where? [fault:{fault}]"))
        assert (caught.value.kind, caught.value.transient) == (kind, transient)
        assert server.total == 1


async def test_a_fault_that_happens_once_is_followed_by_the_answer(transport):
    async with FaultServer(lambda prompt: "B") as server, asking(server.base_url, transport) as model:
        with pytest.raises(ModelError):
            await model.ask(request_of("Where? [fault:drop:once]"))
        response = await model.ask(request_of("Where? [fault:drop:once]"))
        assert response.text == "B"


async def test_a_hanging_server_is_a_timeout(transport):
    async with FaultServer() as server, asking(server.base_url, transport, seconds=0.2) as model:
        with pytest.raises(ModelError) as caught:
            await model.ask(request_of("[fault:hang]"))
        assert (caught.value.kind, caught.value.transient) == ("timeout", True)
        assert "0.2 s" in str(caught.value)


async def test_a_refused_connection_is_unreachable_and_names_the_server(transport):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        async with asking(url, transport) as model:
            with pytest.raises(ModelError, match=url) as caught:
                await model.ask(request_of("x"))
    assert (caught.value.kind, caught.value.transient) == ("unreachable", True)


@pytest.mark.parametrize(("value", "least", "most"), [("1.5", 1.5, 1.5), ("0", 0, 0), ("date", 25, 31)])
async def test_retry_after_is_read_as_seconds_or_as_a_date(transport, value, least, most):
    value = formatdate(time() + 30, usegmt=True) if value == "date" else value
    async with FaultServer(retry_after=value) as server, asking(server.base_url, transport) as model:
        with pytest.raises(ModelError) as caught:
            await model.ask(request_of("[fault:429]"))
    assert least <= caught.value.retry_after <= most


@pytest.mark.parametrize(("fault", "text", "finish"), [("empty", "", "stop"), ("length", "abc", "length")])
async def test_an_empty_or_cut_answer_is_an_answer(transport, fault, text, finish):
    async with FaultServer(lambda prompt: "abcdef") as server, asking(server.base_url, transport) as model:
        response = await model.ask(request_of(f"[fault:{fault}]"))
    assert (response.text, response.finish, response.thoughts) == (text, finish, None)


async def test_a_response_holds_text_usage_and_model_and_keeps_thoughts_apart(transport):
    async with FaultServer(lambda prompt: "B") as server, asking(server.base_url, transport) as model:
        response = await model.ask(request_of("[fault:thoughts]"))
    assert (response.text, response.thoughts) == ("B", "The answer may be Z.")
    assert response.usage == Usage(11, 3, 5)
    assert response.model == "m"


async def test_stored_picture_bytes_arrive_unchanged_and_in_order(transport, tmp_path):
    (tmp_path / "b.jpg").write_bytes(JPEG)
    first, second = Media("image", "a", PNG), Media("image", "b.jpg", tmp_path / "b.jpg")
    message = Message("user", (Image(first), Text("and"), Image(second), Text("?")))
    async with FaultServer() as server, asking(server.base_url, transport, detail="high") as model:
        await model.ask(Request((Message("system", (Text("Be brief."),)), message), Settings()))
        system, user = server.bodies[0]["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert [part["type"] for part in user["content"]] == ["image_url", "text", "image_url", "text"]
    urls = [part["image_url"] for part in user["content"] if part["type"] == "image_url"]
    assert [url["detail"] for url in urls] == ["high", "high"]
    heads, bodies = zip(*(url["url"].split(",") for url in urls), strict=True)
    assert heads == ("data:image/png;base64", "data:image/jpeg;base64")
    assert [base64.b64decode(body) for body in bodies] == [PNG, JPEG]


async def test_a_file_that_is_no_picture_fails_before_anything_is_sent():
    async with FaultServer() as server, asking(server.base_url) as model:
        with pytest.raises(MediaError, match="note"):
            await model.ask(request_of("x", Media("image", "note", b"plain text")))
        assert server.total == 0


async def test_only_set_settings_are_sent(transport):
    full = Settings(max_tokens=9, temperature=0.5, top_p=0.9, stop=("\n",), seed=3)
    async with (
        FaultServer() as server,
        asking(server.base_url, transport, token_param="max_completion_tokens", body={"top_k": 1}) as model,
    ):
        await model.ask(request_of("x", settings=Settings(max_tokens=5, temperature=None)))
        await model.ask(request_of("x", settings=full))
    bare, told = server.bodies
    message = [{"role": "user", "content": "x"}]
    assert bare == {"model": "m", "messages": message, "max_completion_tokens": 5, "top_k": 1}
    assert told == bare | {"max_completion_tokens": 9, "temperature": 0.5, "top_p": 0.9, "stop": ["\n"], "seed": 3}


def test_the_token_field_follows_the_server():
    own = open_model("openai:m", ModelOptions("http://127.0.0.1:1/v1/"))
    hosted = open_model("openai:m")
    assert own.identity()["token_param"] == "max_tokens"
    assert own.identity()["hosted"] is False
    assert hosted.identity()["token_param"] == "max_completion_tokens"
    assert (own.transport_name, hosted.transport_name) == ("aiohttp", "openai")


async def test_the_key_is_sent_and_shown_nowhere(transport, caplog):
    caplog.set_level(logging.DEBUG)
    async with FaultServer() as server, asking(server.base_url, transport) as model:
        with pytest.raises(ModelError) as caught:
            await model.ask(request_of("[fault:echo_key]"))
        shown = [repr(model), repr(model._endpoints), json.dumps(model.identity()), caplog.text]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    error = caught.value
    chain = [error, error.__cause__, None if error.__suppress_context__ else error.__context__]
    shown += [text for link in chain if link for text in (str(link), repr(link))]
    assert "[key]" in str(error)
    assert not any(KEY[:12] in text for text in shown)


async def test_a_message_of_the_server_is_repeated_and_cut_after_the_key_is_taken_out():
    async with FaultServer() as server, asking(server.base_url) as model:
        with pytest.raises(ModelError, match="HTTP 400: injected 400"):
            await model.ask(request_of("[fault:400]"))
    assert len(presentable("m" * 900, None)) == 504
    assert KEY[:4] not in presentable("m" * 492 + KEY + "m" * 100, KEY)


async def test_the_hosted_api_without_a_key_says_what_to_do(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match=r"OPENAI_API_KEY is not set.*--base-url"):
        await open_model("openai:gpt-4o").start()


async def test_a_server_of_ones_own_needs_no_key_and_another_variable_may_hold_one(transport, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    async with FaultServer() as server:
        async with asking(server.base_url, transport) as model:
            assert (await model.ask(request_of("x"))).text == "A"
        async with asking(server.base_url, transport, key_env="MY_KEY") as model:
            await model.ask(request_of("x"))
    assert KEY not in str(server.headers[0])
    assert server.headers[1]["Authorization"] == f"Bearer {KEY}"


async def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-\u201csecret\u201d")
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        await open_model("openai:m").start()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "options", "match"),
    [
        ("openai:", {}, "openai:NAME"),
        ("openai:m", {"base_url": "127.0.0.1:8000"}, "no HTTP address"),
        ("openai:m", {"base_url": "http://user:pw@host/v1"}, "user name or a password"),
        ("openai:m", {"base_url": "http://host/v1?a=b"}, "has a query"),
        ("openai:m", {"extra": {"tokenparam": "max_tokens"}}, "Did you mean 'token_param'"),
        ("openai:m", {"extra": {"transport": "curl"}}, "'curl'.*aiohttp"),
        ("openai:m", {"extra": {"body": "x"}}, "'body' of openai is 'x'; give a dict"),
    ],
)
def test_options_that_cannot_work_are_refused(spec, options, match):
    with pytest.raises(UsageError, match=match):
        open_model(spec, ModelOptions(**options))


def test_the_fault_server_runs_as_a_process_and_counts(tmp_path):
    (tmp_path / "answers.py").write_text("def reply(prompt):\n    return prompt.upper()\n", encoding="utf-8")
    script = Path(__file__).with_name("fault_server.py")
    command = [sys.executable, "-P", str(script), "--answer", "answers:reply"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(tmp_path)}) as process:
        try:
            url = process.stdout.readline().strip()
            body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "left"}]}).encode()
            with urlopen(f"{url}/chat/completions", body, timeout=5) as reply:
                answer = json.load(reply)
            with urlopen(url.removesuffix("/v1") + "/stats", timeout=5) as reply:
                stats = json.load(reply)
        finally:
            process.kill()
    assert answer["choices"][0]["message"]["content"] == "LEFT"
    assert stats == {"total": 1, "counts": {"left": 1}, "most": 1}


async def test_a_reply_longer_than_any_answer_is_given_up_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr("spatialeval.models.transport.MAX_REPLY", 100_000)
    async with FaultServer(lambda _: "A" * 200_000) as server, asking(server.base_url) as model:
        with pytest.raises(ModelError, match="longer than 100000 bytes") as caught:
            await model.ask(request_of("?"))
    assert caught.value.kind == "malformed"
    assert not caught.value.transient


class Impatient(FaultServer):
    """Hangs up on a connection that was unused for 0.1 s, just as its next request arrives."""

    def __init__(self):
        super().__init__()
        self.used = {}

    async def _complete(self, request):
        way = request.transport
        if monotonic() - self.used.get(way, monotonic()) > 0.1:
            way.abort()
        reply = await super()._complete(request)
        self.used[way] = monotonic()
        return reply


async def test_a_connection_that_the_server_may_be_closing_is_not_used_again(monkeypatch):
    monkeypatch.setattr("spatialeval.models.transport.IDLE_SECONDS", 0.05)
    async with Impatient() as server, asking(server.base_url) as model:
        for _ in range(2):
            assert (await model.ask(request_of("x"))).text == "A"
            await asyncio.sleep(0.2)
        assert server.total == 2


@pytest.mark.parametrize("name", ["messages", "model", "stream", "n", "max_tokens", "max_completion_tokens"])
def test_an_option_cannot_replace_what_the_run_itself_sends(name):
    with pytest.raises(UsageError, match=f"'body' of openai holds '{name}'"):
        open_model("openai:m", ModelOptions("http://127.0.0.1:1/v1", extra={"body": {name: 1}}))
