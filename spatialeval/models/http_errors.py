"""What a refusing HTTP reply means: its kind of failure, whether asking again can help, and how long to wait."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from spatialeval.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.errors import FailureKind

MESSAGE_CHARS = 500
"""Characters of a server's message that an error repeats."""

# 520 to 524 are a proxy's words for an origin that did not answer
_PASSING = frozenset({408, 409, 500, 502, 503, 504, *range(520, 525), 529})
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Codes of a 429 that no waiting ends."""
_BLOCKED = frozenset({"content_filter", "content_policy_violation"})


def status_error(status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """Return the error that a reply of `status` stands for.

    Args:
        status: the HTTP status, not 200.
        headers: the reply's headers, names in lower case.
        body: the reply's body, of which the server's own message is repeated.
    """
    told, code = _server_message(body)
    message = f"HTTP {status}: {told}" if told else f"HTTP {status} without a message"
    if status == 429:
        kind: FailureKind = "rate_limited"
    elif status in _PASSING or status >= 500:
        kind = "server_error"
    elif status in {401, 403}:
        kind = "auth"
    elif status == 404:
        kind = "not_found"
    elif code in _BLOCKED:
        kind = "content_filter"
    else:
        kind = "bad_request"
    transient = (status == 429 and code not in _SPENT) or status in _PASSING
    return ModelError(message, kind=kind, transient=transient, retry_after=retry_after(headers) if transient else None)


def error_in_reply(data: Mapping[str, Any]) -> ModelError | None:
    """Return the error that a 200 reply carries instead of choices, as routers send it; None when it carries none."""
    error = data.get("error")
    if not error or data.get("choices"):
        return None
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return status_error(status, {}, json.dumps(data).encode())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait, from `retry-after-ms` or `retry-after` (seconds or a date)."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None or (seconds := _number(value)) is not None:
        return seconds if value is not None else None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def presentable(text: str, secret: str | None) -> str:
    """Return `text` with every occurrence of `secret` replaced, then cut: a cut first could leave half a secret."""
    text = text.replace(secret, "[key]") if secret else text
    return text if len(text) <= MESSAGE_CHARS else f"{text[:MESSAGE_CHARS].rstrip('. ')} ..."


def _number(value: str | None) -> float | None:
    if value is None or not re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return None
    return float(value)


def _server_message(body: bytes) -> tuple[str, str | None]:
    """The server's message and error code, from the forms that servers use; the raw text when it is none of them."""
    text = body.decode(errors="replace").strip()
    try:
        data = json.loads(text)
    except ValueError:
        return text, None
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error), None
    message, code = error.get("message") or error.get("detail") or text, error.get("code")
    return message if isinstance(message, str) else json.dumps(message), code if isinstance(code, str) else None
