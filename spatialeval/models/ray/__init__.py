"""Any model as many replicas over a Ray cluster: `ModelOptions(ray=RayOptions(workers=8, gpus=1))`, `--executor ray`.

options  how many workers, and what each of them has      (light)
worker   what runs in a worker: one started model         (light)
model    the Model that shares requests among workers     (imports ray in `start`)

The driver keeps the journal: a run over a cluster is resumed, merged and reported like any other.
"""

from __future__ import annotations

from spatialeval.models.ray.model import RayModel
from spatialeval.models.ray.options import RayOptions

__all__ = ["RayModel", "RayOptions"]
