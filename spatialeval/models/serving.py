"""vllm-serve:PATH_OR_ID - starts a vLLM server on a free loopback port, asks it, and stops it in every case.

For a vLLM in an environment of its own (option `python`), or for what the server does and the engine does not, such
as parsing of thoughts. A server that runs already is `openai:NAME` with --base-url.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, UsageError
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, check_packages, option
from spatialeval.models.hf.checkpoint import Checkpoint, locate
from spatialeval.models.local_server import LocalServer
from spatialeval.models.openai import OpenAIModel
from spatialeval.models.vllm.options import KEYS, EngineSettings

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response

START_SECONDS = 1800
_ADAPTER = "adapter"
_KEYS = (*KEYS, "python", "start_timeout", "body", "detail")
_IN_FLIGHT = 256


class ServedModel(Model):
    """A model in a vLLM server that this process starts.

    Options of `ModelOptions.extra`: those of `vllm:` (see `EngineSettings`); `engine_args` are flags of the server,
    with underscores. Besides:

    python         the interpreter that has vLLM (default: this one)
    start_timeout  seconds until the server must be healthy (default: 1800)
    body, detail   as of `openai:`
    """

    free = True

    def __init__(self, name: str, options: ModelOptions) -> None:
        self.spec, self.name = f"vllm-serve:{name}", name
        check_keys("vllm-serve", options, _KEYS)
        if options.base_url:
            raise UsageError(
                f"{self.spec} starts a server of its own and takes no --base-url. Leave it out, or ask the server that "
                f"runs at {options.base_url} with openai:NAME."
            )
        self.settings = EngineSettings.read("vllm-serve", options)
        self.python = option("vllm-serve", options, "python", sys.executable, str)
        self.start_timeout = option("vllm-serve", options, "start_timeout", START_SECONDS, (int, float))
        self.body = _body(option("vllm-serve", options, "body", {}, dict), self.settings)
        self.detail = option("vllm-serve", options, "detail", None, str)
        self.concurrency = options.concurrency or self.settings.speed.get("max_num_seqs", _IN_FLIGHT)
        self._options = options
        self._checkpoint: Checkpoint | None = None
        self._server: LocalServer | None = None
        self._client: OpenAIModel | None = None
        self._make_client("http://127.0.0.1/v1", "OPENAI_API_KEY")  # refuses now what it would refuse after the start

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the model is; raises UsageError when it is not to be had."""
        if self._checkpoint is None:
            self._checkpoint = locate(self.name, self.settings.revision)
        return self._checkpoint

    def check_installed(self) -> None:
        """Raise UsageError without vLLM, unless another interpreter has it."""
        if self.python == sys.executable:
            check_packages(self.spec, "vllm", "vllm")

    def identity(self) -> dict[str, Any]:
        """Return what is served and what is sent with every request; starts nothing."""
        told = {"spec": self.spec, "checkpoint": self.checkpoint.identity, **self.settings.identity()}
        return told | {"body": self.body} | ({"detail": self.detail} if self.detail else {})

    async def start(self) -> None:
        """Start the server and wait until it is healthy; raise UsageError, with what it printed, when that fails."""
        self._server = LocalServer(self._command, {}, self.start_timeout)
        self._server.environment = {"VLLM_API_KEY": self._server.key, **_unless_set({"VLLM_NO_USAGE_STATS": "1"})}
        base_url = await self._server.start(self._asked)
        key_env = f"SPATIALEVAL_SERVER_{base_url.rpartition(':')[2].partition('/')[0]}"
        self._client = self._make_client(base_url, key_env)
        os.environ[key_env] = self._server.key  # the client reads its key there, as every key
        try:
            await self._client.start()
        finally:
            del os.environ[key_env]

    async def ask(self, request: Request) -> Response:
        """Send `request` once; raise ModelError when no answer comes, MediaError when a picture cannot be read."""
        if self._client is None or self._server is None:
            raise UsageError(f"{self.spec} was not started: await model.start() first.")
        try:
            return await self._client.ask(request)
        except ModelError as error:
            if error.kind != "unreachable" or self._server.running:
                raise
            raise ModelError(
                f"the server of {self.spec} has ended. {self._server.tail()}", kind="unreachable"
            ) from None

    async def close(self) -> None:
        """Close the connections and stop the server."""
        client, self._client = self._client, None
        server, self._server = self._server, None
        try:
            if client is not None:
                await client.close()
        finally:
            if server is not None:
                await server.stop()

    @property
    def _asked(self) -> str:
        """The name that requests carry."""
        return _ADAPTER if self.settings.lora else self.name

    def _make_client(self, base_url: str, key_env: str) -> OpenAIModel:
        extra = {"body": self.body, "key_env": key_env} | ({"detail": self.detail} if self.detail else {})
        return OpenAIModel(self._asked, replace(self._options, base_url=base_url, extra=extra))

    def _command(self, port: int) -> list[str]:
        """The module behind `vllm serve`, which is there also where the command is not on the path."""
        arguments = self.settings.engine_arguments(self.checkpoint)
        served = {"served_model_name": self.name, "host": "127.0.0.1", "port": port}
        if self.settings.chat_template:
            served["chat_template"] = str(self.settings.chat_template)
        flags = [flag for name, value in {**arguments, **served}.items() for flag in _flag(name, value)]
        if self.settings.lora:
            flags += ["--lora-modules", f"{_ADAPTER}={self.settings.lora}"]
        return [self.python, "-m", "vllm.entrypoints.openai.api_server", *flags]


def _flag(name: str, value: Any) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if isinstance(value, list):
        return [f"--{flag}", *map(str, value)]
    return [f"--{flag}", json.dumps(value) if isinstance(value, dict) else str(value)]


def _body(given: dict[str, Any], settings: EngineSettings) -> dict[str, Any]:
    """Return what is sent with every request, the options that the server takes there included."""
    ours: dict[str, Any] = {}
    if settings.choices:
        ours["structured_outputs"] = {"choice": list(settings.choices)}
    if settings.chat_template_kwargs:
        ours["chat_template_kwargs"] = settings.chat_template_kwargs
    if twice := sorted(ours.keys() & given.keys()):
        raise UsageError(
            f"option 'body' of vllm-serve holds {twice[0]!r}, which another option sets. Keep one of them."
        )
    return {**given, **ours}


def _unless_set(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in os.environ}


@MODELS.register("vllm-serve")
def open_served(name: str, options: ModelOptions) -> ServedModel:
    """Return the model in the folder, or of the Hub repository, called `name`, to be served by vLLM."""
    if not name:
        raise UsageError("vllm-serve needs a model: write vllm-serve:FOLDER or vllm-serve:OWNER/NAME.")
    return ServedModel(name, options)
