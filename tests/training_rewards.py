"""Rewards that are no use but differ between any two replies, so that even an untrained model is moved by them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from spatialeval.rewards import REWARDS


@REWARDS.register("by_chance")
@dataclass(frozen=True)
class ByChance:
    """A number that is a function of the text alone."""

    def __call__(self, reply):
        return sha256(reply.text.encode()).digest()[0] / 255
