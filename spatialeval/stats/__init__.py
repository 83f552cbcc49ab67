"""Means with intervals, and what guessing would score. Plain numbers in, plain numbers out."""

from __future__ import annotations

from spatialeval.stats.baselines import chance, combine, majority
from spatialeval.stats.bootstrap import bootstrap
from spatialeval.stats.estimate import Estimate, estimate, wilson
from spatialeval.stats.student import t_quantile

__all__ = ["Estimate", "bootstrap", "chance", "combine", "estimate", "majority", "t_quantile", "wilson"]
