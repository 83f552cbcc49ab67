"""The Model over transformers: options, identity, and the way from a request to the engine and back."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, UsageError
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, check_packages, how_to_install, option
from spatialeval.models.hf.batching import MicroBatcher
from spatialeval.models.hf.checkpoint import Checkpoint, LoadSettings, locate
from spatialeval.models.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import Hashable

    from spatialeval.messages import Request, Response
    from spatialeval.models.hf.engine import Engine

EMBEDDED = Path(__file__).parents[2] / "embedded" / "tiny"
"""The checkpoint that this package ships."""

_KEYS = ("revision", "dtype", "device", "devices", "trust_remote_code", "chat_template_kwargs")
_IMAGE_SIZE = 1000
_BATCHES_AHEAD = 4


class HFModel(Model):
    """A vision or text model in this process.

    Options of `ModelOptions.extra`: `revision` (a commit, tag or branch on the Hub), `devices` (one copy of the model
    on each, such as "cuda:0,cuda:1"; not part of a run's identity) and the fields of `LoadSettings`.
    """

    free = True

    def __init__(self, name: str, options: ModelOptions, spec: str) -> None:
        check_keys(spec, options, _KEYS)
        self.spec, self.name, self.batch_size = spec, name, options.batch_size
        if self.batch_size < 1:
            raise UsageError(f"the batch size is {self.batch_size}; give 1 or more.")
        self.devices = _devices(spec, options)
        # requests that wait while a batch runs are sorted by length: the more, the less is padded
        self.concurrency = options.concurrency or _BATCHES_AHEAD * self.batch_size * len(self.devices)
        self.revision = option(spec, options, "revision", None, str)
        self.loading = LoadSettings(
            dtype=option(spec, options, "dtype", None, str),
            device=option(spec, options, "device", None, str),
            trust_remote_code=option(spec, options, "trust_remote_code", False, bool),
            chat_template_kwargs=option(spec, options, "chat_template_kwargs", {}, dict),
        )
        self._checkpoint: Checkpoint | None = None
        self._batcher: MicroBatcher[Request, Response] | None = None
        self._engines: list[Engine] = []

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the model is; raises UsageError when it is not to be had."""
        if self._checkpoint is None:
            self._checkpoint = locate(self.name, self.revision)
        return self._checkpoint

    def check_installed(self) -> None:
        """Raise UsageError without transformers or torch."""
        check_packages(self.spec, "hf", "torch", "transformers")

    def identity(self) -> dict[str, Any]:
        """Return what is loaded and how; looks the checkpoint up, loads nothing."""
        return {"spec": self.spec, "checkpoint": self.checkpoint.identity, **asdict(self.loading)}

    async def start(self) -> None:
        """Load the model in the worker thread; raise UsageError when something it needs is missing."""
        try:
            from spatialeval.models.hf.engine import Engine  # noqa: PLC0415 - imports torch: seconds
        except ImportError as error:
            raise UsageError(f"{self.spec} needs more packages ({error}): {how_to_install('hf')}") from error

        checkpoint, pictures, loop = self.checkpoint, Pictures(), asyncio.get_running_loop()
        works = [partial(self._work, place) for place in range(len(self.devices))]
        self._batcher = MicroBatcher(works, self.batch_size, key=_batch_key, size=_rough_size)
        # one after the other: loading changes defaults of the whole process meanwhile
        for device, worker in zip(self.devices, self._batcher.workers, strict=True):
            settings = replace(self.loading, device=device)
            self._engines.append(await loop.run_in_executor(worker, Engine.load, checkpoint, settings, pictures))

    async def ask(self, request: Request) -> Response:
        """Answer in a batch with others; raise ModelError, or MediaError when a picture of it cannot be decoded."""
        if self._batcher is None or not self._engines:
            raise UsageError(f"{self.spec} was not started: await model.start() first.")
        if not self._engines[0].sees and any(message.images for message in request.messages):
            raise ModelError(
                f"{self.spec} is a text-only model and the request has pictures. Ask without them: add +blind.",
                kind="bad_request",
            )
        return await self._batcher.submit(request)

    async def close(self) -> None:
        """Stop generating and let go of the weights."""
        for engine in self._engines:
            engine.abort.set()
        if self._batcher is not None:
            await self._batcher.close()
        self._engines, self._batcher = [], None

    def _work(self, place: int, requests: list[Request]) -> list[Response | Exception]:
        if place >= len(self._engines):
            raise UsageError(f"{self.spec} was closed while requests waited. Ask before closing it.")
        return self._engines[place].answer(requests)


def _devices(spec: str, options: ModelOptions) -> list[str | None]:
    """Return where copies of the model go: one place unless `devices` names several."""
    device: str | None = option(spec, options, "device", None, str)
    named: str | list[Any] | None = option(spec, options, "devices", None, (str, list))
    if named is None:
        return [device]
    devices = [str(each).strip() for each in (named.split(",") if isinstance(named, str) else named)]
    if device is not None or not devices or not all(devices) or "auto" in devices:
        raise UsageError(
            f"option 'devices' of {spec} is {named!r}; name one or more devices, such as devices=cuda:0,cuda:1, and "
            "leave the option device out. A model that one device does not hold is spread by device=auto."
        )
    return [*devices]


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
