"""How request bodies reach an OpenAI-compatible server: one small interface, two implementations.

`aiohttp` costs about a tenth of the CPU time per request and is meant for servers of one's own. `openai` goes through
the official SDK and is meant for the hosted API. Both hand back the bytes of the reply and retry nothing, so that what
is read from a reply and what counts as a failure is decided in one place.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from spatialeval.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp
    import openai

TransportName = Literal["aiohttp", "openai"]
TRANSPORTS: tuple[TransportName, ...] = ("aiohttp", "openai")
HOSTED_URL = "https://api.openai.com/v1"

MAX_REPLY = 32 * 2**20
"""Bytes of one unpacked reply from a server of one's own; a few compressed megabytes can unpack to gigabytes."""
_PIECE = 2**16

CONNECT_SECONDS = 5.0
"""How long a server may take to accept a first connection."""

IDLE_SECONDS = 3.0
"""How long an unused connection is kept. vLLM closes its own after 5 s (vllm-project/vllm:vllm/envs.py), and a request
sent in that moment is lost in a way that nobody can tell from one that made the server fail."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, read to its end.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        body: the bytes, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Posts JSON bodies to one server. Sets no time limit: the caller does."""

    async def start(self) -> None:
        """Open the connection pool in the running event loop."""
        ...

    async def post(self, path: str, body: bytes) -> Reply:
        """Return the reply to `body`, whatever its status; raise ModelError `unreachable` when there is none."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@dataclass
class AiohttpTransport:
    """One aiohttp session; connections are kept and reused."""

    base_url: str
    key: str | None = field(default=None, repr=False)
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)

    async def start(self) -> None:
        """Open the session."""
        import aiohttp  # noqa: PLC0415 - costs 0.2 s, paid only by runs that use it

        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            proxy=_proxy(self.base_url),
            timeout=aiohttp.ClientTimeout(total=None),
            # no limit, because the runner bounds the requests in flight
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        )

    async def post(self, path: str, body: bytes) -> Reply:
        """Send one request."""
        import aiohttp  # noqa: PLC0415 - see start

        if self._session is None:
            raise RuntimeError("the transport was not started")
        try:
            # a redirected POST would arrive as a GET
            async with self._session.post(self.base_url + path, data=body, allow_redirects=False) as reply:
                headers = {name.lower(): value for name, value in reply.headers.items()}
                return Reply(reply.status, headers, await _body(reply.content, self.base_url))
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _unreachable(self.base_url, error) from error

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


@dataclass
class OpenAITransport:
    """The official client, used for its connections and headers only."""

    base_url: str
    key: str | None = field(default=None, repr=False)
    _client: openai.AsyncOpenAI | None = field(default=None, init=False, repr=False)

    async def start(self) -> None:
        """Open the client."""
        import openai  # noqa: PLC0415 - costs 0.5 s, paid only by runs that use it

        # the client refuses to start without a key; servers of one's own take any
        self._client = openai.AsyncOpenAI(
            api_key=self.key or "EMPTY", base_url=self.base_url, max_retries=0, timeout=None
        )

    async def post(self, path: str, body: bytes) -> Reply:
        """Send one request."""
        import openai  # noqa: PLC0415 - see start

        if self._client is None:
            raise RuntimeError("the transport was not started")
        try:
            answer = await self._client.post(
                path,
                cast_to=openai.HttpxBinaryResponseContent,
                content=body,
                options={"headers": {"Content-Type": "application/json", "Accept": "application/json"}},
            )
            reply = answer.response
        except openai.APIStatusError as error:
            reply = error.response
        except openai.APIConnectionError as error:
            raise _unreachable(self.base_url, error.__cause__ or error) from error
        return Reply(reply.status_code, {name.lower(): value for name, value in reply.headers.items()}, reply.content)

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()
            self._client = None


async def _body(stream: aiohttp.StreamReader, base_url: str) -> bytes:
    body = bytearray()
    async for piece in stream.iter_chunked(_PIECE):
        body += piece
        if len(body) > MAX_REPLY:
            message = f"the reply of {base_url} is longer than {MAX_REPLY} bytes, which no answer is"
            raise ModelError(message, kind="malformed")
    return bytes(body)


def open_transport(name: str, base_url: str, key: str | None) -> Transport:
    """Return the transport called `name`, not yet started."""
    return OpenAITransport(base_url, key) if name == "openai" else AiohttpTransport(base_url, key)


def check_url(base_url: str) -> str:
    """Return `base_url` without a final slash; raise UsageError when it is no plain HTTP address."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"--base-url {base_url!r} is no HTTP address. Give one such as http://127.0.0.1:8000/v1.")
    if parts.username or parts.password:
        raise UsageError("--base-url holds a user name or a password. Put the key in OPENAI_API_KEY instead.")
    if parts.query or parts.fragment:
        raise UsageError(f"--base-url {base_url!r} has a query. Give the address up to and with its path, such as /v1.")
    return base_url.rstrip("/")


async def check_listening(base_url: str) -> None:
    """Raise ModelError `unreachable` when the server's host is unknown or refuses connections; asks nothing.

    A server that is slow to accept, or behind a proxy, is given the benefit of the doubt.
    """
    if _proxy(base_url):
        return
    parts = urlsplit(base_url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except TimeoutError:
        return
    except OSError as error:
        why = "connection refused" if isinstance(error, ConnectionRefusedError) else error.strerror or error
        raise ModelError(
            f"nothing answers at {base_url} ({why}). Start the server or correct --base-url, then "
            "run the same command again.",
            kind="unreachable",
            transient=True,
        ) from error
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment sets for the server, looked up once: aiohttp would do it for every request."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"} or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _unreachable(base_url: str, error: BaseException) -> ModelError:
    message = f"no reply from {base_url}: {type(error).__name__}: {error}. Is the server running there?"
    return ModelError(message, kind="unreachable", transient=True)
