"""What runs in a worker process: one model, started there, that answers what it is sent."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spatialeval.errors import MediaError, ModelError, SpatialEvalError, UsageError
from spatialeval.messages import Image, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatialeval.errors import FailureKind
    from spatialeval.messages import Message, Part, Response
    from spatialeval.models.base import Model


@dataclass(frozen=True)
class Refused:
    """An error of the model on its way home: errors with more than a message do not survive pickling."""

    message: str
    kind: FailureKind | None = None
    transient: bool = False
    retry_after: float | None = None
    usage: bool = False

    @classmethod
    def of(cls, error: Exception, spec: str) -> Refused:
        """Return what stands for an error."""
        if isinstance(error, ModelError):
            return cls(str(error), error.kind, error.transient, error.retry_after)
        if isinstance(error, MediaError):
            return cls(str(error))
        if isinstance(error, SpatialEvalError):
            return cls(str(error), usage=True)
        return cls(f"{spec} raised {type(error).__name__}: {error}", "model_error")

    @property
    def error(self) -> SpatialEvalError:
        """The error again."""
        if self.usage:
            return UsageError(self.message)
        if self.kind is None:
            return MediaError(self.message)
        return ModelError(self.message, kind=self.kind, transient=self.transient, retry_after=self.retry_after)


class Worker:
    """One replica. Its methods return errors instead of raising them.

    Args:
        make: makes the model.
        folder: where the run was started; relative paths of checkpoints count from there, where it exists.
    """

    def __init__(self, make: Callable[[], Model], folder: str) -> None:
        with contextlib.suppress(OSError):
            os.chdir(folder)
        self._make = make
        self._model: Model | None = None

    async def start(self) -> int | Refused:
        """Start the model; return the number of this process."""
        try:
            self._model = self._make()
            await self._model.start()
            await self._model.check()
        except Exception as error:  # noqa: BLE001 - whatever a backend raises is said where the run is
            return Refused.of(error, "the model")
        return os.getpid()

    async def ask(self, request: Request) -> Response | Refused:
        """Return the answer, or why there is none."""
        assert self._model is not None  # noqa: S101 - the driver starts a worker before it asks
        try:
            return await self._model.ask(request)
        except Exception as error:  # noqa: BLE001 - as in `run.asker.Line`: it fails this request and no other
            return Refused.of(error, self._model.spec)

    async def close(self) -> None:
        """Release what the model took."""
        if self._model is not None:
            await self._model.close()


def packed(request: Request, *, sample: bool) -> Request:
    """Return the request as it travels: pictures as bytes, for no other machine may have the files.

    Args:
        request: what is asked.
        sample: also bring what the request is about, which no real model is told; its media are in the messages.
    """
    messages = tuple(_packed(message) for message in request.messages)
    about = replace(request.sample, media=(), mask=None) if sample and request.sample else None
    return Request(messages, request.settings, about)


def _packed(message: Message) -> Message:
    return replace(message, parts=tuple(map(_read, message.parts))) if message.images else message


def _read(part: Part) -> Part:
    if not isinstance(part, Image) or isinstance(part.media.source, bytes):
        return part
    return Image(replace(part.media, source=part.media.read()))
