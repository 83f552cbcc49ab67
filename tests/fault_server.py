"""A loopback OpenAI-compatible server that misbehaves on request, for tests.

A prompt that holds `[fault:KIND]` gets that fault; `[fault:KIND:once]` gets it on the first request with that prompt
only. Kinds: 429, 500, 400, 401, drop, truncated, hang, empty, null, filter, refusal, length, thoughts, echo_key.

    async with FaultServer(answer=lambda prompt: "A") as server:
        ... server.base_url, server.total, server.counts, server.bodies

As a process of its own, which prints its base URL as its first line; the counts are at `/stats`:

    python tests/fault_server.py --answer module:function --latency 0.01
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER = re.compile(r"\[fault:(?P<kind>\w+)(?::(?P<mode>once|always))?\]")
SHUTDOWN_SECONDS = 0.1


def prompt_of(body: dict[str, Any]) -> str:
    """All text of a request body, messages joined by newlines."""
    texts = []
    for message in body["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        texts.append("".join(part["text"] for part in parts if part["type"] == "text"))
    return "\n".join(texts)


class FaultServer:
    """The server, as an asynchronous context manager.

    Args:
        answer: the reply to a prompt without a fault, and after a fault that happens once.
        mode: what a marker that does not say means.
        latency: seconds before every reply.
        retry_after: the Retry-After header of a 429.
        log: a file that gets every prompt, as a line of JSON, before it is answered. A server that is started again
            goes on with its counts, so that what happens once happens once.
    """

    def __init__(
        self,
        answer: Callable[[str], str] = lambda prompt: "A",
        mode: Literal["once", "always"] = "always",
        latency: float = 0.0,
        retry_after: str = "0",
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        self.answer, self.mode, self.latency, self.retry_after, self.port = answer, mode, latency, retry_after, port
        before = log.read_text().splitlines() if log and log.exists() else ()
        self.counts: Counter[str] = Counter(map(json.loads, before))
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if log else None
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = self.most_in_flight = 0

    @property
    def total(self) -> int:
        """Requests received."""
        return self.counts.total()

    @property
    def base_url(self) -> str:
        """What to give as --base-url."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/stats", self._stats)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response({"total": self.total, "counts": dict(self.counts), "most": self.most_in_flight})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = prompt_of(body)
        self.counts[prompt] += 1
        if self.log is not None:
            os.write(self.log, f"{json.dumps(prompt)}\n".encode())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            marker = MARKER.search(prompt)
            if marker and ((marker["mode"] or self.mode) == "always" or self.counts[prompt] == 1):
                return await self._fault(marker["kind"], request, body, prompt)
            return web.json_response(completion(self.answer(prompt), body["model"]))
        finally:
            self.in_flight -= 1

    async def _fault(self, kind: str, request: web.Request, body: dict[str, Any], prompt: str) -> web.StreamResponse:
        if kind == "429":
            return refusal(429, "slow down", {"Retry-After": self.retry_after})
        if kind == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind == "truncated":
            return web.Response(text=json.dumps(completion("A", body["model"]))[:-30], content_type="application/json")
        if kind == "echo_key":
            return refusal(400, "x" * 470 + request.headers.get("Authorization", ""))
        if kind.isdigit():
            return refusal(int(kind), f"injected {kind}")
        return web.json_response(faulty_completion(kind, self.answer(prompt), body["model"]))


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """A reply with an error in it."""
    return web.json_response({"error": {"message": message, "code": None}}, status=status, headers=headers)


def completion(text: str | None, model: str, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """The JSON of a finished chat completion; further fields go into its message."""
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}},
    }


def faulty_completion(kind: str, text: str, model: str) -> dict[str, Any]:
    """The completions that arrive with status 200 and yet are no plain answer."""
    if kind == "empty":
        return completion("", model)
    if kind == "null":
        return completion(None, model)
    if kind == "filter":
        return completion(None, model, "content_filter")
    if kind == "refusal":
        return completion(None, model, refusal="I cannot help with that")
    if kind == "length":
        return completion(text[: len(text) // 2], model, "length")
    if kind == "thoughts":
        return completion(text, model, reasoning_content="The answer may be Z.")
    raise ValueError(f"no fault is called {kind!r}")


async def serve(server: FaultServer) -> None:
    """Print the base URL and serve until the process ends."""
    async with server:
        print(server.base_url, flush=True)  # noqa: T201 - the parent process reads it
        await asyncio.Event().wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answer", help="module:function from prompt to reply; every reply is A without it")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--retry-after", default="0")
    parser.add_argument("--mode", choices=("once", "always"), default="always")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    given = parser.parse_args()
    answer: Callable[[str], str] = lambda prompt: "A"  # noqa: E731
    if given.answer:
        module, _, function = given.answer.partition(":")
        answer = getattr(importlib.import_module(module), function)
    asyncio.run(serve(FaultServer(answer, given.mode, given.latency, given.retry_after, given.port, given.log)))


if __name__ == "__main__":
    main()
