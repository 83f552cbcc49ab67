"""One digest for what is about to be asked, so that a resumed run notices changed rows, answers or media."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from spatialeval.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spatialeval.media import Media
    from spatialeval.samples import Sample


def fingerprint(samples: Iterable[Sample]) -> str:
    """Return the SHA-256 (hex) of the samples in their order; the order of keys in `meta` does not matter.

    Media held in the rows count by content; media files by name only, because a missing one may be put in place
    before a run is resumed (results name each one by its own digest).

    Raises:
        DataError: `meta` holds something that JSON cannot.
    """
    digest = hashlib.sha256()
    for sample in samples:
        facts = {
            "id": sample.id,
            "answer": sample.answer,
            "question": sample.question,
            "target": sample.target,
            "choices": sample.choices,
            "labels": sample.labels,
            "media": [_identity(media) for media in sample.media],
            "category": sample.category,
            "group": sample.group,
            "meta": dict(sample.meta),
        }
        try:
            line = _written(facts)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"sample {sample.id!r}: meta must hold what JSON can: {error}. Correct `meta` in the task file."
            ) from error
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()


_written = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode


def _identity(media: Media) -> tuple[str, str, str]:
    return media.kind, media.name, media.sha256 if media.in_row else ""
