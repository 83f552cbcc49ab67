"""How many replicas of a model there are on a Ray cluster, and what each has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RayOptions:
    """None of it can change an answer, so none is part of a run's identity.

    Attributes:
        address: of a running cluster, or "auto" for the one of this machine; None starts one here for this run.
        workers: replicas; None means as many as fit.
        gpus: of each worker; a share such as 0.5 puts two on one.
        cpus: of each worker.
        start_timeout: seconds until the first worker must have a place and its model be loaded.
    """

    address: str | None = None
    workers: int | None = None
    gpus: float = 0.0
    cpus: float = 1.0
    start_timeout: float = 1800.0
