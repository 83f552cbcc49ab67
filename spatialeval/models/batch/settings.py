"""The option `batch`: on, or on with other limits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from spatialeval.errors import UsageError, nearest

ENDPOINT = "/v1/chat/completions"


@dataclass(frozen=True)
class BatchSettings:
    """How batches are made and watched.

    Attributes:
        requests: most requests of one batch; the API takes 50,000.
        megabytes: most million bytes of one batch; the API takes 200.
        quiet: seconds without a new request after which what was collected is sent.
        poll: seconds between the first looks at a batch; the later ones are up to six times as far apart.
    """

    requests: int = 50_000
    megabytes: float = 200.0
    quiet: float = 5.0
    poll: float = 10.0

    @property
    def bytes(self) -> int:
        """Most bytes of one batch."""
        return int(self.megabytes * 1_000_000)


def read_settings(given: Any) -> BatchSettings:
    """Return the settings that the option `batch` gives: true, or a mapping such as {requests: 1000}."""
    if given is True:
        return BatchSettings()
    names = [each.name for each in fields(BatchSettings)]
    if not isinstance(given, dict):
        raise UsageError(f"option 'batch' of openai is {given!r}; give true, or a mapping of {', '.join(names)}.")
    for key, value in given.items():
        if key not in names:
            raise UsageError(f"option 'batch' of openai has no key {key!r}. {nearest(str(key), names)}Remove it.")
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise UsageError(f"key {key!r} of option 'batch' of openai is {value!r}; give a number above 0.")
    settings = BatchSettings(**given)
    most = BatchSettings()
    if settings.requests > most.requests or settings.megabytes > most.megabytes:
        raise UsageError(
            f"option 'batch' of openai: the API takes {most.requests:,} requests and {most.megabytes:g} MB a batch. "
            "Give no more."
        )
    return settings
