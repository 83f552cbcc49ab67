"""A loopback server that speaks the Batch API and misbehaves on request, for tests.

A prompt that holds `[line:KIND]` gets that outcome in its first batch: 400, 500, filter, null, missing, broken,
unwell. `plans` says how whole batches end, in the order in which they are created: see `Plan`. `kill` ends a process
with SIGKILL at a step.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from fault_server import completion, prompt_of

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = re.compile(r"\[line:(?P<kind>\w+)\]")


@dataclass
class Plan:
    """How one batch goes.

    status: how it ends.
    looks: how often it is in progress before.
    share: part of the requests that are carried out; the rest are so for no batch that is completed.
    errors: of a batch that is refused.
    """

    status: str = "completed"
    looks: int = 2
    share: float = 1.0
    errors: list[dict[str, Any]] = field(default_factory=list)


class BatchServer:
    """The server, as an asynchronous context manager.

    Args:
        answer: the reply to a prompt.
        plans: of the first batches; later ones are completed.
        faults: step -> statuses of its first replies, 0 dropping the connection after the step was carried out. Steps:
            upload, create, list, look, content.
    """

    def __init__(
        self,
        answer: Callable[[str], str] = lambda prompt: "A",
        plans: tuple[Plan, ...] = (),
        faults: dict[str, list[int]] | None = None,
    ) -> None:
        self.answer, self.plans, self.faults = answer, iter(plans), faults or {}
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.plan_of: dict[str, Plan] = {}
        self.executed: Counter[str] = Counter()
        """Requests carried out, by custom_id."""
        self.prompts: Counter[str] = Counter()
        self.steps: list[str] = []
        self.keys: set[str] = set()
        self.kill: tuple[str, int] | None = None
        """A step, and the process killed at it; `create` and `created` are before and after there is a batch."""
        self._number = itertools.count(1)

    @property
    def base_url(self) -> str:
        """What to give as --base-url."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_post("/v1/files", self._upload)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._look)
        app.router.add_get("/v1/files/{id}/content", self._content)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        assert form["purpose"] == "batch"
        name = f"file-{next(self._number)}"
        self.files[name] = form["file"].file.read()
        told = {"id": name, "object": "file", "bytes": len(self.files[name]), "created_at": int(time.time())}
        return self._reply("upload", request, {**told, "filename": form["file"].filename, "purpose": "batch"})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        given = await request.json()
        if self._killed("create"):
            return web.Response()  # nobody hears it, and no batch is made
        if status := self._refusal("create"):
            return web.json_response({"error": {"message": f"injected {status}"}}, status=status)
        assert given["completion_window"] == "24h"
        assert given["endpoint"] == "/v1/chat/completions"
        lines = [json.loads(line) for line in self.files[given["input_file_id"]].splitlines()]
        assert len({line["custom_id"] for line in lines}) == len(lines) <= 50_000
        name = f"batch_{next(self._number)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": given["endpoint"],
            "input_file_id": given["input_file_id"],
            "completion_window": "24h",
            "status": "validating",
            "created_at": int(time.time()),
            "metadata": given["metadata"],
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        self.plan_of[name] = next(self.plans, Plan())
        self._killed("created")
        return self._reply("create", request, self.batches[name])

    async def _list(self, request: web.Request) -> web.StreamResponse:
        newest = list(reversed(self.batches.values()))
        after = request.query.get("after")
        start = next((i + 1 for i, batch in enumerate(newest) if batch["id"] == after), 0)
        page = newest[start : start + 2]  # small, so that pages are turned
        told = {"object": "list", "data": page, "has_more": start + 2 < len(newest)}
        return self._reply("list", request, told)

    async def _look(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] not in self.batches:
            return web.json_response({"error": {"message": "No such batch"}}, status=404)
        batch = self.batches[request.match_info["id"]]
        plan = self.plan_of[batch["id"]]
        if plan.looks > 0:
            plan.looks -= 1
            batch["status"] = "in_progress"
        elif batch["status"] != plan.status:
            batch["status"] = plan.status
            batch["errors"] = {"object": "list", "data": plan.errors}
            self._carry_out(batch, plan)
        return self._reply("look", request, batch)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        self._killed("content")
        if status := self._refusal("content"):
            return web.json_response({"error": {"message": f"injected {status}"}}, status=status)
        self.steps.append("content")
        return web.Response(body=self.files[request.match_info["id"]])

    def _carry_out(self, batch: dict[str, Any], plan: Plan) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        carried = round(len(lines) * plan.share) if plan.status != "failed" else 0
        out, err = [], []
        for line in lines[:carried]:
            well, told = self._outcome(line)
            if told is not None:
                (out if well else err).append(told)
        if plan.status in {"expired", "cancelled"}:
            error = {"code": f"batch_{plan.status}", "message": "not in time"}
            err += [json.dumps(_line(line, None, error)) for line in lines[carried:]]
        for key, texts in (("output_file_id", out), ("error_file_id", err)):
            if texts:
                batch[key] = f"file-{next(self._number)}"
                self.files[batch[key]] = "".join(f"{text}\n" for text in reversed(texts)).encode()

    def _outcome(self, line: dict[str, Any]) -> tuple[bool, str | None]:
        """Whether the line goes to the output file, and its text."""
        prompt = prompt_of(line["body"])
        self.prompts[prompt] += 1
        marker = LINE.search(prompt)
        kind = marker["kind"] if marker and self.prompts[prompt] == 1 else ""
        if kind == "missing":
            return True, None
        if kind == "broken":
            return True, '{"custom_id": '
        if kind.isdigit():
            body = {"error": {"message": f"injected {kind}", "code": None}}
            return False, json.dumps(_line(line, {"status_code": int(kind), "body": body}, None))
        if kind == "unwell":
            return False, json.dumps(_line(line, None, {"code": "server_error", "message": "unwell"}))
        self.executed[line["custom_id"]] += 1
        body = completion(self.answer(prompt), line["body"]["model"])
        if kind == "filter":
            body = completion(None, line["body"]["model"], "content_filter")
        if kind == "null":
            body = completion(None, line["body"]["model"])
        return True, json.dumps(_line(line, {"status_code": 200, "request_id": "r", "body": body}, None))

    def _reply(self, step: str, request: web.Request, told: dict[str, Any]) -> web.StreamResponse:
        self.keys.add(request.headers.get("Authorization", ""))
        if step != "create":
            self._killed(step)
        status = self._refusal(step, lost=True)
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if status:
            return web.json_response({"error": {"message": f"injected {status}"}}, status=status)
        self.steps.append(step)
        return web.json_response(told)

    def _refusal(self, step: str, *, lost: bool = False) -> int | None:
        """The next fault of a step: a lost reply (0) only where the step was carried out, another one before."""
        faults = self.faults.get(step, [])
        if not faults or ((faults[0] == 0) != lost and step in {"create", "content"}):
            return None
        return faults.pop(0)

    def _killed(self, step: str) -> bool:
        if self.kill is None or self.kill[0] != step:
            return False
        os.kill(self.kill[1], signal.SIGKILL)
        self.kill = None
        return True


def _line(line: dict[str, Any], response: dict[str, Any] | None, error: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": "batch_req_1", "custom_id": line["custom_id"], "response": response, "error": error}
