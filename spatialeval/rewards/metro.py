"""Rewards of routes through a metro, after RewardMap (fscdc/RewardMap:verl/utils/reward_score/reason_map.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spatialeval.errors import DataError
from spatialeval.readers.reasonmap import clean_stop
from spatialeval.rewards import REWARDS
from spatialeval.rewards.terms import make_reward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards import Reward
    from spatialeval.rewards.reply import Reply

_MOST = 10.0
_MAPS = {"easy": 1.0, "middle": 1.2, "hard": 1.5}
_TRANSFER = 0.5


@REWARDS.register("by_difficulty")
@dataclass(frozen=True)
class ByDifficulty:
    """The reward `use`, times 1.0, 1.2 or 1.5 for an easy, middle or hard map, and 0.5 more for a route with transfers.

    Attributes:
        use: a reward with its options.
        key: the facet or meta value that says easy, middle or hard. `transfers` may hold the number of transfers.
    """

    use: str = "score"
    key: str = "city"
    reward: Reward = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look the reward up."""
        object.__setattr__(self, "reward", make_reward(self.use))

    def __call__(self, reply: Reply) -> float | None:
        """Return the product; raise DataError for an unknown difficulty."""
        held = reply.needed(self.key)
        name = str(held[0] if isinstance(held, list | tuple) else held)
        if name not in _MAPS:
            raise DataError(
                f"Sample {reply.sample.id!r}: {self.key} is {name!r}; it must be one of {', '.join(_MAPS)}."
            )
        value = self.reward(reply)
        more = _TRANSFER if int(reply.fact("transfers") or 0) > 0 else 0.0
        return None if value is None else (_MAPS[name] + more) * value


@REWARDS.register("metro_detail")
@dataclass(frozen=True)
class MetroDetail:
    """Points for the parts of a route that starts and ends where it should, at most 10; 0 for any other.

    2 for the ends; for each leg on a line of the network 3, or 4 where no transfer is needed and the line has both ends
    (the first such line only); 1 for a transfer at which the next leg departs. The published code takes 5 off for every
    leg beyond the number of transfers, which the last leg of a right route always is; so does this.

    Legs are those of `reasonmap_route`; `sample.meta` has `lines`, `start`, `end` and `transfers`.
    """

    def __call__(self, reply: Reply) -> float:
        """Return the points; raise DataError when the sample lacks a fact."""
        lines = {name: [clean_stop(stop) for stop in stops] for name, stops in _mapping(reply.needed("lines")).items()}
        start, end = (clean_stop(str(reply.needed(name))) for name in ("start", "end"))
        transfers, legs = int(reply.needed("transfers")), _legs(reply.answer)
        if not legs or (clean_stop(legs[0]["departure"]), clean_stop(legs[-1]["arrival"])) != (start, end):
            return 0.0
        straight = next((name for name, stops in lines.items() if start in stops and end in stops), None)
        points = 2.0
        for place, leg in enumerate(legs):
            points -= 5 if place + 1 > transfers else 0
            name = "Line 1" if "八通" in leg["route"] else "Line 4" if "大兴" in leg["route"] else leg["route"]
            if name not in lines:
                continue
            points += 3 if transfers else 4 * (name == straight)
            arrival = clean_stop(leg["arrival"])
            changes = place + 1 < len(legs) and arrival == clean_stop(legs[place + 1]["departure"])
            if changes and place + 1 <= transfers and {clean_stop(leg["departure"]), arrival} <= set(lines[name]):
                points += 1
        return min(points, _MOST)


def _legs(answer: Any) -> Sequence[Mapping[str, str]]:
    names = ("route", "departure", "arrival")
    legs = answer if isinstance(answer, tuple) else ()
    good = all(isinstance(leg, Mapping) and all(isinstance(leg.get(name), str) for name in names) for leg in legs)
    return legs if good else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        raise DataError(f"lines is {str(value)[:100]!r}; it must name the stops of each line.")
    return found
