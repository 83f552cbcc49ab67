"""Keeps keys out of everything that is stored."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN = "[hidden]"

_HIDDEN_WORDS = (
    r"(?:api[-_]?key|apikey|secret|password|passwd|credential|authorization|bearer|(?:auth|access|hf|api)[-_]?token)"
)
_SECRET_NAME = re.compile(rf"(?:^|[-_]){_HIDDEN_WORDS}|(?:^|[-_])(?:key|token)$", re.IGNORECASE)
_PATTERNS = (
    # Prefixed keys of known providers, and anything that follows "Bearer ".
    re.compile(r"\b(?:sk|pk|rk|hf|gsk|xai|nvapi|ghp|glpat|AIza)[-_][A-Za-z0-9_-]{8,}|\bAIza[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?<=[Bb]earer )[A-Za-z0-9._~+/=-]+"),
    # User and password in a URL.
    re.compile(r"(?<=://)[^/@\s\"']+(?=@)"),
    # "api_key": "value" and api_key=value, in any spelling.
    re.compile(rf"({_HIDDEN_WORDS}[\w-]*[\"']?\s*[:=]\s*[\"']?)(?!\[hidden\])[^\"'\s,;&)}}]+", re.IGNORECASE),
)
_SHORTEST_SECRET = 8


def redact(text: str) -> str:
    """Return `text` with everything hidden that looks like a key or equals one held in the environment."""
    for secret in _held():
        text = text.replace(secret, HIDDEN)
    *patterns, assignment = _PATTERNS
    for pattern in patterns:
        text = pattern.sub(HIDDEN, text)
    return assignment.sub(rf"\1{HIDDEN}", text)


def redact_data(data: Any, name: str = "") -> Any:
    """Return JSON-able `data` with every string redacted, and those under names like `api_key` hidden whole."""
    if isinstance(data, dict):
        return {key: redact_data(value, str(key)) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [redact_data(value, name) for value in data]
    if isinstance(data, str):
        return HIDDEN if re.search(_HIDDEN_WORDS, name, re.IGNORECASE) else redact(data)
    return data


def redact_command(arguments: Sequence[str]) -> list[str]:
    """Return a command line with the values of secret options hidden, such as `--api-key VALUE` and `KEY=VALUE`."""
    shown: list[str] = []
    hide_next = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        secret = bool(_SECRET_NAME.search(name.lstrip("-")))
        if hide_next and not argument.startswith("--"):
            shown.append(HIDDEN)
        elif equals and secret:
            shown.append(f"{name}={HIDDEN}")
        else:
            shown.append(redact(argument))
        hide_next = secret and not equals and argument.startswith("--")
    return shown


def _held() -> list[str]:
    """Return the values of environment variables that are named like keys, longest first."""
    values = {value for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    return sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)
