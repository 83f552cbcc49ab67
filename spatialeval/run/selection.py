"""Which samples a limited run asks: a seeded choice in which every smaller one is contained in every larger one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Sample


def select(samples: Sequence[Sample], limit: int | None, seed: int = 0) -> list[Sample]:
    """Return `limit` samples, or all, in the order of the data.

    Raising the limit later adds samples and keeps those already asked; another seed chooses others.
    """
    if limit is None or limit >= len(samples):
        return list(samples)
    ranked = sorted(samples, key=lambda sample: hashlib.sha256(f"{seed}|{sample.id}".encode()).digest())
    chosen = {sample.id for sample in ranked[:limit]}
    return [sample for sample in samples if sample.id in chosen]
