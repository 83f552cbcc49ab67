"""The Model over vLLM: options, identity, and the life of the engine."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, UsageError
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, check_packages
from spatialeval.models.hf.checkpoint import Checkpoint, locate
from spatialeval.models.vllm.options import KEYS, EngineSettings
from spatialeval.models.vllm.orphans import Watcher

if TYPE_CHECKING:
    from spatialeval.messages import Request, Response
    from spatialeval.models.vllm.engine import Engine

IN_FLIGHT = 256
"""Requests in flight where nothing is said about it: as many as vLLM runs at once on most accelerators."""

_TELL_SECONDS = 0.5


class VLLMModel(Model):
    """A model in an engine that this process owns. The engine fills its batches itself, token by token.

    Options of `ModelOptions.extra`: see `EngineSettings`.
    """

    free = True

    def __init__(self, name: str, options: ModelOptions) -> None:
        self.spec, self.name = f"vllm:{name}", name
        check_keys("vllm", options, KEYS)
        self.settings = EngineSettings.read("vllm", options)
        # a quarter more than run at once: the next ones are rendered by the time that one ends
        running = self.settings.speed.get("max_num_seqs", IN_FLIGHT)
        self.concurrency = options.concurrency or running + running // 4
        self._checkpoint: Checkpoint | None = None
        self._loading: asyncio.Future[Engine] | None = None
        self._engine: Engine | None = None
        self._watcher: Watcher | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the model is; raises UsageError when it is not to be had."""
        if self._checkpoint is None:
            self._checkpoint = locate(self.name, self.settings.revision)
        return self._checkpoint

    def check_installed(self) -> None:
        """Raise UsageError without vLLM."""
        check_packages(self.spec, "vllm", "vllm")

    def identity(self) -> dict[str, Any]:
        """Return what is loaded and how, without what only changes speed; looks the checkpoint up, loads nothing."""
        return {"spec": self.spec, "checkpoint": self.checkpoint.identity, **self.settings.identity()}

    async def start(self) -> None:
        """Start the engine; raise UsageError when something it needs is missing."""
        from spatialeval.models.vllm.engine import Engine  # noqa: PLC0415 - see its module

        load = asyncio.to_thread(Engine.load, self.spec, self.settings.engine_arguments(self.checkpoint), self.settings)
        self._watcher = Watcher()
        self._loading = asyncio.ensure_future(load)
        # `wait` leaves the load alone when the run is cancelled meanwhile: it is still there to be closed
        while not self._loading.done():
            await asyncio.wait({self._loading}, timeout=_TELL_SECONDS)
            self._watcher.tell()
        self._engine = self._loading.result()

    async def ask(self, request: Request) -> Response:
        """Answer; raise ModelError, or MediaError when a picture of the request cannot be decoded."""
        if self._engine is None:
            raise UsageError(f"{self.spec} was not started: await model.start() first.")
        if not self._engine.sees and any(message.images for message in request.messages):
            raise ModelError(
                f"{self.spec} is a text-only model and the request has pictures. Ask without them: add +blind.",
                kind="bad_request",
            )
        return await self._engine.answer(request)

    async def close(self) -> None:
        """End the engine and its processes, also one that is still being loaded."""
        loading, self._loading, self._engine = self._loading, None, None
        if loading is None:
            return
        try:
            with contextlib.suppress(UsageError):  # told where it was started
                engine = await loading
                await engine.close()
        finally:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None


@MODELS.register("vllm")
def open_vllm(name: str, options: ModelOptions) -> VLLMModel:
    """Return the model in the folder, or of the Hub repository, called `name`."""
    if not name:
        raise UsageError("vllm needs a model: write vllm:FOLDER or vllm:OWNER/NAME.")
    return VLLMModel(name, options)
