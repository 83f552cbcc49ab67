"""What the lines of a batch's result files mean: answers, and the kinds of failure that direct requests have.

{"custom_id": ..., "response": {"status_code": 200, "body": {a completion}}, "error": null}
{"custom_id": ..., "response": {"status_code": 400, "body": {"error": {...}}}, "error": null}
{"custom_id": ..., "response": null, "error": {"code": "batch_expired", "message": ...}}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError
from spatialeval.models.chat import read_completion
from spatialeval.models.http_errors import error_in_reply, status_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from spatialeval.messages import Response


def read_outcomes(files: Iterable[Path]) -> Iterator[tuple[str, Response | ModelError]]:
    """Yield the request and its outcome for every line of result files; lines that are none are left out."""
    for path in files:
        with path.open("rb") as file:
            for text in file:
                try:
                    line = json.loads(text)
                    name = line["custom_id"]
                except (ValueError, TypeError, KeyError, RecursionError):
                    continue
                yield str(name), _outcome(line)


def _outcome(line: dict[str, Any]) -> Response | ModelError:
    response, error = line.get("response"), line.get("error")
    if not isinstance(response, dict):
        code = error.get("code") if isinstance(error, dict) else None
        told = error.get("message") if isinstance(error, dict) else error
        return unanswered(str(code or ""), str(told or "no reason given"))
    body, status = response.get("body"), response.get("status_code")
    if status != 200:
        status = status if isinstance(status, int) and 400 <= status < 600 else 500
        return status_error(status, {}, json.dumps(body).encode())
    if not isinstance(body, dict):
        return ModelError("the batch holds an answer without a body", kind="malformed", transient=True)
    try:
        return error_in_reply(body) or read_completion(body)
    except ModelError as failed:
        return failed


def unanswered(code: str, told: str) -> ModelError:
    """Return the error of a request that was not carried out, for the provider's reason."""
    message = f"the batch did not ask it ({code or 'unknown'}): {told}"
    if code == "batch_expired":
        return ModelError(message, kind="timeout", transient=True)
    if code == "batch_cancelled":
        return cancelled()
    return ModelError(message, kind="server_error", transient=True)


def cancelled() -> ModelError:
    """Return the error of a request in a batch that somebody cancelled, who would not want it asked again at once."""
    return ModelError(
        "its batch was cancelled at the provider. Run the same command again to ask it.", kind="server_error"
    )


def absent() -> ModelError:
    """Return the error of a request that a completed batch says nothing about."""
    return ModelError("the result files of its batch say nothing about it", kind="malformed", transient=True)


def queue_full(errors: list[tuple[str, str, int | None]]) -> bool:
    """Whether a batch was refused only because too many tokens wait in the provider's queue already."""
    return any(code == "token_limit_exceeded" for code, _, _ in errors)


def refused(errors: list[tuple[str, str, int | None]]) -> tuple[ModelError, dict[int, ModelError]]:
    """Return what a batch that was refused as a whole means: for its requests, and for those in the places named.

    Args:
        errors: code, message and line (from 1, None where no line is blamed) of each error.
    """
    named = {
        line: ModelError(f"the batch was refused for it ({code}): {told}", kind="bad_request")
        for code, told, line in errors
        if line is not None
    }
    if named:
        return ModelError("its batch was refused for other requests", kind="server_error", transient=True), named
    code, told, _ = errors[0] if errors else ("", "no reason given", None)
    if queue_full(errors):
        message = f"the provider's queue has no room for it: {told} Make smaller ones: -o 'batch={{requests: 1000}}'."
        return ModelError(message, kind="rate_limited"), {}
    return ModelError(f"the batch was refused ({code or 'unknown'}): {told}", kind="bad_request"), {}
