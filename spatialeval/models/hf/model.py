"""The Model over transformers: options, identity, and the way from a request to the engine and back."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, UsageError
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, option
from spatialeval.models.hf.batching import MicroBatcher
from spatialeval.models.hf.checkpoint import Checkpoint, LoadSettings, locate

if TYPE_CHECKING:
    from collections.abc import Hashable

    from spatialeval.messages import Request, Response
    from spatialeval.models.hf.engine import Engine

EMBEDDED = Path(__file__).parents[2] / "embedded" / "tiny"
"""The checkpoint that this package ships."""

_KEYS = ("revision", "dtype", "device", "trust_remote_code", "chat_template_kwargs")
_IMAGE_SIZE = 1000
_BATCHES_AHEAD = 4


class HFModel(Model):
    """A vision or text model in this process.

    Options of `ModelOptions.extra`: `revision` (a commit, tag or branch on the Hub) and the fields of `LoadSettings`.
    """

    def __init__(self, name: str, options: ModelOptions, spec: str) -> None:
        check_keys(spec, options, _KEYS)
        self.spec, self.name, self.batch_size = spec, name, options.batch_size
        if self.batch_size < 1:
            raise UsageError(f"the batch size is {self.batch_size}; give 1 or more.")
        # requests that wait while a batch runs are sorted by length: the more, the less is padded
        self.concurrency = options.concurrency or _BATCHES_AHEAD * self.batch_size
        self.revision = option(spec, options, "revision", None, str)
        self.loading = LoadSettings(
            dtype=option(spec, options, "dtype", None, str),
            device=option(spec, options, "device", None, str),
            trust_remote_code=option(spec, options, "trust_remote_code", False, bool),
            chat_template_kwargs=option(spec, options, "chat_template_kwargs", {}, dict),
        )
        self._checkpoint: Checkpoint | None = None
        self._batcher: MicroBatcher[Request, Response] | None = None
        self._engine: Engine | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the model is; raises UsageError when it is not to be had."""
        if self._checkpoint is None:
            self._checkpoint = locate(self.name, self.revision)
        return self._checkpoint

    def identity(self) -> dict[str, Any]:
        """Return what is loaded and how; looks the checkpoint up, loads nothing."""
        return {"spec": self.spec, "checkpoint": self.checkpoint.identity, **asdict(self.loading)}

    async def start(self) -> None:
        """Load the model in the worker thread; raise UsageError when something it needs is missing."""
        try:
            from spatialeval.models.hf.engine import Engine  # noqa: PLC0415 - imports torch: seconds
        except ImportError as error:
            raise UsageError(f"{self.spec} needs more packages ({error}): pip install 'spatialeval[hf]'") from error

        checkpoint = self.checkpoint
        self._batcher = MicroBatcher(self._work, self.batch_size, key=_batch_key, size=_rough_size)
        self._engine = await asyncio.get_running_loop().run_in_executor(
            self._batcher.worker, Engine.load, checkpoint, self.loading
        )

    async def ask(self, request: Request) -> Response:
        """Answer in a batch with others; raise ModelError, or MediaError when a picture of it cannot be decoded."""
        if self._batcher is None or self._engine is None:
            raise UsageError(f"{self.spec} was not started: await model.start() first.")
        if not self._engine.sees and any(message.images for message in request.messages):
            raise ModelError(
                f"{self.spec} is a text-only model and the request has pictures. Ask without them: add +blind.",
                kind="bad_request",
            )
        return await self._batcher.submit(request)

    async def close(self) -> None:
        """Stop generating and let go of the weights."""
        if self._engine is not None:
            self._engine.abort.set()
        if self._batcher is not None:
            await self._batcher.close()
        self._engine = self._batcher = None

    def _work(self, requests: list[Request]) -> list[Response | Exception]:
        if self._engine is None:
            raise UsageError(f"{self.spec} was closed while requests waited. Ask before closing it.")
        return self._engine.answer(requests)


def _batch_key(request: Request) -> Hashable:
    """Settings that a whole batch shares; seeds are each row's own."""
    settings = request.settings
    pictures = any(message.images for message in request.messages)
    return settings.max_tokens, settings.temperature, settings.top_p, settings.stop, pictures


def _rough_size(request: Request) -> int:
    """Length of a prompt in characters, a picture counting as many."""
    return sum(len(message.text) + _IMAGE_SIZE * len(message.images) for message in request.messages)


@MODELS.register("hf")
def open_hf(name: str, options: ModelOptions) -> HFModel:
    """Return the model in the folder, or of the Hub repository, called `name`."""
    if not name:
        raise UsageError("hf needs a model: write hf:FOLDER or hf:OWNER/NAME.")
    return HFModel(name, options, f"hf:{name}")


@MODELS.register("embedded")
def open_embedded(name: str, options: ModelOptions) -> HFModel:
    """Return the model that this package ships, opened like any other folder."""
    if name:
        raise UsageError(f"embedded takes no name, and got {name!r}: write embedded, or hf:{name}.")
    return HFModel(str(EMBEDDED), options, "embedded")
