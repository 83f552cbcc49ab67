"""The interface of a model, the registry of models, and a model made of a plain function."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from spatialeval.errors import ModelError, UnknownNameError, UsageError
from spatialeval.messages import Request, Response
from spatialeval.models.prices import Quote, known_price, read_price
from spatialeval.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from spatialeval.models.ray.options import RayOptions
    from spatialeval.samples import Sample


@dataclass(frozen=True)
class ModelOptions:
    """What a command line or an experiment file says about a model. Unset means: the backend's own default.

    Attributes:
        base_url: root of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.
        more_urls: roots of further servers of the same model.
        timeout: seconds to wait for one reply.
        concurrency: most requests in flight; None lets the backend choose.
        rpm: most requests a minute.
        tpm: most tokens a minute, prompts and answers together.
        price: what tokens cost, as --price takes it; None means the table of hosted models.
        batch_size: most requests in one forward pass of a local model.
        extra: backend-specific settings (dtype, device, revision, image detail, extra body fields ...). Part of
            a run's identity.
        ray: ask as many replicas of the model over a Ray cluster.
    """

    base_url: str | None = None
    timeout: float = 300.0
    concurrency: int | None = None
    batch_size: int = 16
    extra: Mapping[str, Any] = field(default_factory=dict)
    more_urls: tuple[str, ...] = ()
    rpm: float | None = None
    tpm: float | None = None
    price: str | None = None
    ray: RayOptions | None = None


class Model(ABC):
    """Something that answers chat requests with text.

    The runner calls `prepare` once, then `start` and `check`, then `ask` many times at once, then `close` in every
    case; where everything is answered already, only `close`.
    """

    spec: str
    """What the user wrote, such as `openai:gpt-4o`."""
    concurrency: int = 16
    """Most requests that may be in flight."""
    adaptive: bool = False
    """Whether more than that may be, as long as answers come faster for it: a server that somebody else runs."""
    rpm: float | None = None
    tpm: float | None = None
    """Requests, and tokens, that may be sent in a minute."""
    quote: Quote | None = None
    """What its tokens cost, where that is known."""
    free: bool = False
    """Whether no token of it is ever paid for, because it runs here; prices then do not apply to it."""
    hosted: bool = False
    """Whether somebody is paid per call, so that a run asks before it makes many."""
    sees_media: ClassVar[bool] = True
    """False for models that answer without looking: their requests then carry no pictures, which need not be here."""
    looks_at_sample: ClassVar[bool] = False
    """Whether `ask` looks at `request.sample`, which is never sent."""
    collects: ClassVar[bool] = False
    """Whether `ask` waits for further requests, to answer many together."""
    grace: float = 30.0
    """Seconds that requests in flight have to finish once a run is stopping."""

    def identity(self) -> dict[str, Any]:
        """Return what can change an answer (settings, revision, server), JSON-able, without keys or speed settings."""
        return {"spec": self.spec}

    def unidentified(self) -> str:
        """Return what decides an answer and is not in `identity`: its answers are then not kept for other runs."""
        return ""

    def prepare(self, samples: Sequence[Sample]) -> None:  # noqa: B027 - most models need no look at the samples
        """See every sample that will be asked about; baselines learn from it."""

    def keep_in(self, folder: Path, tell: Callable[[str], None]) -> None:  # noqa: B027 - most models keep nothing
        """Called before `start`: `folder` is for what must outlive the process, `tell` says something to the user."""

    def pending(self) -> str:
        """Return what goes on elsewhere when a run is interrupted, as a sentence for its last message."""
        return ""

    def check_installed(self) -> None:  # noqa: B027 - most models need nothing but this package
        """Raise UsageError when a package is missing that the model needs; called before anything is looked up."""

    async def start(self) -> None:  # noqa: B027 - a model without resources has nothing to start
        """Load or connect. Raise UsageError or ModelError when that cannot work."""

    async def check(self) -> None:  # noqa: B027 - most models are there once they are loaded
        """Called after `start`: raise ModelError where nothing can be asked, which retries would find out slowly."""

    @abstractmethod
    async def ask(self, request: Request) -> Response:
        """Return the answer; raise ModelError when there is none. Does not retry: the runner does."""

    async def ask_as(self, name: str, request: Request) -> Response:
        """Do what `ask` does for the call that every session of a run calls `name`; the runner asks in this way."""
        del name  # of use only to a model that keeps requests between sessions
        return await self.ask(request)

    async def close(self) -> None:  # noqa: B027 - see start
        """Release what `start` took."""


MODELS: Registry[Callable[[str, ModelOptions], Model]] = Registry("model", "spatialeval.models")


def open_model(spec: str, options: ModelOptions | None = None) -> Model:
    """Return the model that `spec` names, not yet started; raise UnknownNameError for an unknown prefix."""
    if options and options.ray:
        if options.extra.get("batch"):
            raise UsageError(
                f"batches of {spec} are worked on by the provider, so workers have nothing to do: leave "
                "--executor or --batch out."
            )
        from spatialeval.models.ray import RayModel  # noqa: PLC0415 - it is made of what is here

        return RayModel(partial(open_model, spec, replace(options, ray=None)), options.ray)
    prefix, _, name = spec.partition(":")
    try:
        make = MODELS.get(prefix)
    except UnknownNameError as error:
        if error.kind != MODELS.kind:
            raise
        hint = f"For a served model write openai:{spec}."
        raise UnknownNameError(MODELS.kind, prefix, MODELS.names(), hint) from None
    model = make(name, options or ModelOptions())
    model.spec = spec
    if options and options.concurrency:
        model.concurrency, model.adaptive = options.concurrency, False
    return _limited(model, name, options or ModelOptions())


def _limited(model: Model, name: str, options: ModelOptions) -> Model:
    """Give a model its limits and its price."""
    model.rpm, model.tpm = options.rpm, options.tpm
    if model.free:
        return model
    if options.price is not None:
        model.quote = read_price(options.price, name)
    elif model.hosted and (known := known_price(name)):
        model.quote = known.halved() if options.extra.get("batch") else known
    return model


class FunctionModel(Model):
    """A plain function as a model: `FunctionModel(lambda request: "B")`. The function may be a coroutine function.

    It returns the answer text or a whole Response. An exception other than ModelError becomes a `model_error`.
    """

    looks_at_sample: ClassVar[bool] = True
    free = True

    def __init__(
        self,
        function: Callable[[Request], str | Response | Awaitable[str | Response]],
        name: str = "function",
        concurrency: int = 16,
    ) -> None:
        self.spec, self.function, self.concurrency = name, function, concurrency

    async def ask(self, request: Request) -> Response:
        """Call the function."""
        try:
            reply = self.function(request)
            if inspect.isawaitable(reply):
                reply = await reply
        except ModelError:
            raise
        except Exception as error:  # the function is the user's: whatever it raises fails this sample, not the run
            raise ModelError(f"{self.spec} raised {type(error).__name__}: {error}", kind="model_error") from error
        return reply if isinstance(reply, Response) else Response(reply)
