"""The calls of the Batch API, through the official client, with our own kinds of failure."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from spatialeval.errors import ModelError, StorageError
from spatialeval.models.batch.settings import ENDPOINT
from spatialeval.models.http_errors import presentable, status_error
from spatialeval.text import storable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import openai

_TOKEN = "spatialeval"  # noqa: S105 - the key of our name of a batch in its metadata
_SKEW_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the provider says about a batch.

    Attributes:
        status: in lower case; see `ENDED`.
        done: requests that were carried out, well or not.
        total: requests in it, 0 while that is not known.
        files: the result files there are.
        errors: code, message and line of each reason why it was refused.
    """

    status: str
    done: int
    total: int
    files: tuple[str, ...]
    errors: list[tuple[str, str, int | None]]


ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


class Provider:
    """One account at one server. Every call raises ModelError where it fails.

    Args:
        base_url: root of the server.
        key: sent to it and shown nowhere else.
        timeout: seconds for a call other than moving a file.
    """

    def __init__(self, base_url: str, key: str | None, timeout: float) -> None:
        import openai  # noqa: PLC0415 - costs 0.5 s, paid only by runs that use it

        self.base_url, self._key, self._timeout = base_url, key, timeout
        # the client refuses to start without a key; servers of one's own take any
        self._client: openai.AsyncOpenAI = openai.AsyncOpenAI(
            api_key=key or "EMPTY", base_url=base_url, max_retries=0, timeout=timeout
        )

    async def upload(self, path: Path) -> str:
        """Return the provider's name of the file, sent piece by piece."""
        try:
            async with self._told():
                with path.open("rb") as file:
                    # moving 200 MB takes as long as the line is slow
                    sent = await self._client.files.create(file=(path.name, file), purpose="batch", timeout=None)
        except ModelError as error:
            if error.kind != "not_found":
                raise
            told = f"there is no batch API at {self.base_url} ({self.base_url}/files: 404). Leave --batch out"
            raise ModelError(told, kind="not_found") from None
        return sent.id

    async def create(self, file: str, token: str) -> str:
        """Start a batch and return its name."""
        endpoint = cast("Literal['/v1/chat/completions']", ENDPOINT)
        async with self._told():
            batch = await self._client.batches.create(
                input_file_id=file, endpoint=endpoint, completion_window="24h", metadata={_TOKEN: token}
            )
        return batch.id

    async def find(self, file: str, token: str, begun: float) -> str | None:
        """Return the name of the batch made of a file or carrying our token, None when there is none.

        One that was refused does not count: nothing of it was carried out.

        Args:
            file: the provider's name of the file.
            token: ours of the batch.
            begun: when we began it, in seconds since 1970; older ones are not looked at.
        """
        async with self._told():
            async for batch in self._client.batches.list(limit=100):  # the newest first
                ours = batch.input_file_id == file or (batch.metadata or {}).get(_TOKEN) == token
                if ours and str(batch.status).lower() != "failed":
                    return batch.id
                if batch.created_at < begun - _SKEW_SECONDS:
                    return None
        return None

    async def look(self, batch: str) -> Told:
        """Return how a batch is doing."""
        async with self._told():
            found = await self._client.batches.retrieve(batch)
        counts = found.request_counts
        errors = [
            (error.code or "", error.message or "", error.line)
            for error in (found.errors.data if found.errors and found.errors.data else [])
        ]
        return Told(
            status=str(found.status).lower(),
            done=counts.completed + counts.failed if counts else 0,
            total=counts.total if counts else 0,
            files=tuple(name for name in (found.output_file_id, found.error_file_id) if name),
            errors=errors,
        )

    async def download(self, file: str, path: Path) -> None:
        """Put a result file at `path`, piece by piece; raise StorageError when the disk refuses."""
        async with self._told(), self._client.files.with_streaming_response.content(file, timeout=None) as reply:
            try:
                with path.open("wb") as out:
                    async for piece in reply.iter_bytes():
                        out.write(piece)
            except OSError as error:
                raise StorageError(
                    f"{path} cannot be written ({error.strerror}). Make room, then run the same command again: the "
                    "batch is kept at the provider."
                ) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @contextlib.asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """Turn the client's errors into ours."""
        import openai  # noqa: PLC0415 - see __init__

        try:
            yield
        except openai.APIStatusError as error:
            reply: Any = error.response
            headers = {name.lower(): value for name, value in reply.headers.items()}
            try:
                body = bytes(reply.content)
            except RuntimeError:  # of a streamed reply that was not read: httpx has no narrower error in common
                body = b""
            failed = status_error(reply.status_code, headers, body)
            raise ModelError(
                presentable(storable(str(failed)), self._key),
                kind=failed.kind,
                transient=failed.transient,
                retry_after=failed.retry_after,
            ) from None
        except openai.OpenAIError as error:
            cause = error.__cause__ or error
            message = f"no reply from {self.base_url}: {type(cause).__name__}: {cause}"
            # the cause is dropped: what it repeats was not made presentable
            raise ModelError(presentable(storable(message), self._key), kind="unreachable", transient=True) from None
