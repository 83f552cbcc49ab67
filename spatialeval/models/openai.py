"""openai:NAME - a model behind OpenAI-compatible servers: the hosted API, or any given by `--base-url`.

The key comes from the environment variable OPENAI_API_KEY, or the one that the option `key_env` names. It is sent to
the server and appears nowhere else: not in identities, messages of errors, representations or logs.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError, UsageError
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.chat import BodyBuilder, read_completion
from spatialeval.models.endpoints import Endpoint, Endpoints
from spatialeval.models.extra import check_keys, one_of, option
from spatialeval.models.http_errors import error_in_reply, presentable, status_error
from spatialeval.models.transport import HOSTED_URL, TRANSPORTS, check_url, open_transport
from spatialeval.text import storable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spatialeval.messages import Request, Response
    from spatialeval.models.transport import Reply

START = 16
"""Requests in flight at the beginning, for each server."""
_OURS = ("messages", "model", "n", "stream")
"""Fields of the body that no option may replace."""
_KEYS = ("transport", "token_param", "body", "key_env", "detail", "batch")


class OpenAIModel(Model):
    """A chat model behind HTTP.

    Options of `ModelOptions.extra`:

    transport    "aiohttp" (default with a base URL) or "openai" (default for the hosted API)
    token_param  field of the token cap: "max_tokens" (default with a base URL) or "max_completion_tokens"
    body         further fields of the body, such as {"reasoning_effort": "low"}
    detail       detail of pictures, such as "high"
    key_env      environment variable that holds the key
    batch        true asks through the provider's batch API (see `spatialeval.models.batch`)
    """

    def __init__(self, name: str, options: ModelOptions) -> None:
        check_keys("openai", options, _KEYS)
        hosted = options.base_url is None
        self.spec = f"openai:{name}"
        self.timeout = options.timeout
        self.base_url = check_url(options.base_url or HOSTED_URL)
        self.urls = tuple(dict.fromkeys((self.base_url, *map(check_url, options.more_urls))))
        self.hosted, self.adaptive = hosted, True
        self.concurrency = START * len(self.urls)
        self.key_env = option("openai", options, "key_env", "OPENAI_API_KEY", str)
        self.transport_name = one_of("openai", options, "transport", "openai" if hosted else "aiohttp", TRANSPORTS)
        token_params = ("max_tokens", "max_completion_tokens")
        self.builder = BodyBuilder(
            model=name,
            token_param=one_of("openai", options, "token_param", token_params[hosted], token_params),
            detail=option("openai", options, "detail", None, str),
            body=option("openai", options, "body", {}, dict),
        )
        if taken := sorted({*_OURS, *token_params} & set(self.builder.body)):
            raise UsageError(
                f"option 'body' of openai holds {taken[0]!r}, which the run itself sets: what is sent would not be "
                "what results say. Remove it; the token cap is --max-tokens."
            )
        self._key: str | None = None
        self._endpoints: Endpoints | None = None

    def identity(self) -> dict[str, Any]:
        """Return the model's name and what is sent with every request.

        Not the address of a server: the same model comes back under another port or node after a restart. Commands and
        their addresses are in the manifest.
        """
        told: dict[str, Any] = {
            "spec": self.spec,
            "hosted": self.hosted,
            "token_param": self.builder.token_param,
            "body": dict(self.builder.body),
        }
        return told | ({"detail": self.builder.detail} if self.builder.detail else {})

    def keep_in(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Raise UsageError when batches of the run are still on their way: what they ask would be asked twice."""
        del tell
        if folder.is_dir():
            from spatialeval.models.batch.store import refuse_open  # noqa: PLC0415 - of runs with batches only

            refuse_open(folder)

    async def start(self) -> None:
        """Read the key and open the connections; raise UsageError when the hosted API has no key."""
        self._key = self._read_key()
        transports = [open_transport(self.transport_name, url, self._key) for url in self.urls]
        self._endpoints = Endpoints([Endpoint(*each) for each in zip(self.urls, transports, strict=True)])
        await self._endpoints.start()

    async def check(self) -> None:
        """Raise ModelError when nothing listens at any address of servers of one's own."""
        if not self.hosted and self._endpoints is not None:
            await self._endpoints.check()

    async def ask(self, request: Request) -> Response:
        """Send `request` once; raise ModelError when no answer comes, MediaError when a picture cannot be read."""
        endpoints = self._endpoints
        if endpoints is None:
            raise UsageError(f"{self.spec} was not started: await model.start() first.")
        # Bytes that are held cost little; files and frames of videos are read off the loop.
        held = all(image.media.at_hand for message in request.messages for image in message.images)
        body = self.builder.build(request) if held else await asyncio.to_thread(self.builder.build, request)
        try:
            async with asyncio.timeout(self.timeout):
                reply = await endpoints.post("/chat/completions", body, _group(request))
            if reply.status == 404 and b"model" not in reply.body.lower():
                raise self._no_such_address()
            return _read(reply)
        except TimeoutError as error:
            where = " or ".join(self.urls)
            message = f"no reply from {where} in {self.timeout:g} s. Raise the time limit or ask fewer at once."
            late = ModelError(message, kind="timeout", transient=True)
            late.retry_after = endpoints.again(late)
            raise late from error
        except ModelError as error:
            message = presentable(storable(str(error)), self._key)
            # the cause is dropped: what it repeats was not made presentable
            raise ModelError(
                message, kind=error.kind, transient=error.transient, retry_after=endpoints.again(error)
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._endpoints is not None:
            await self._endpoints.close()
            self._endpoints = None

    def _no_such_address(self) -> ModelError:
        versioned = self.base_url.rpartition("/")[2] == "v1"
        hint = "Is the base URL right?" if versioned else "Does the base URL lack /v1?"
        message = f"{self.base_url}/chat/completions is not there (404). {hint}"
        return ModelError(message, kind="not_found")

    def _read_key(self) -> str | None:
        key = os.environ.get(self.key_env, "").strip()
        if not key and self.hosted:
            raise UsageError(
                f"{self.spec} needs a key: the environment variable {self.key_env} is not set. "
                f"Set it (export {self.key_env}=...), or point --base-url at a server of your own."
            )
        if not (key.isascii() and key.isprintable()):
            raise UsageError(f"the key in {self.key_env} has characters that no header can carry. Set it again.")
        return key or None


def _group(request: Request) -> str | None:
    """What several requests are about, so that the server that has seen it can be asked again."""
    sample = request.sample
    if sample is None:
        return None
    shown = sample.media[0] if sample.media else None
    return shown.name if shown is not None and not shown.in_row else sample.group or None


def _read(reply: Reply) -> Response:
    if not 200 <= reply.status < 300:
        raise status_error(reply.status, reply.headers, reply.body)
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        message = f"the reply is not JSON ({error}): {reply.body[:100]!r}"
        raise ModelError(message, kind="malformed", transient=True) from error
    if not isinstance(data, dict):
        raise ModelError(f"the reply is not a JSON object: {reply.body[:100]!r}", kind="malformed", transient=True)
    if (error_told := error_in_reply(data)) is not None:
        raise error_told
    return read_completion(data)


@MODELS.register("openai")
def open_openai(name: str, options: ModelOptions) -> OpenAIModel:
    """Return the model called `name`."""
    if not name:
        raise UsageError("openai needs the name of a model: write openai:NAME, such as openai:gpt-4o.")
    if options.extra.get("batch"):
        if options.more_urls:
            raise UsageError(f"batches go to one address, and openai:{name} has several. Name one --base-url.")
        from spatialeval.models.batch.model import BatchModel  # noqa: PLC0415 - it builds on this module

        return BatchModel(name, options)
    return OpenAIModel(name, options)
