"""Rewards of a scene graph beside the answer, after SpatialThinker (verl/utils/reward_score/spatial_sgg.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import atan, pi
from typing import TYPE_CHECKING, Any

from spatialeval.readers.coordinates import picture_size
from spatialeval.readers.jsonvalue import json_values
from spatialeval.rewards import REWARDS
from spatialeval.rewards.tags import Tags
from spatialeval.scorers.boxes import best_pairs, iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.rewards.reply import Reply

_FORM = Tags(("observe", "scene", "think", "answer"))
_ID = re.compile(r"[a-zA-Z_]+\.\d+")
_SAME_NAME, _SAME_PLACE = 2.0, 1.0
_TINY, _LARGEST = 1e-7, 1e9


@REWARDS.register("scene_format")
@dataclass(frozen=True)
class SceneFormat:
    """1 for `<observe> <scene> <think> <answer>` in this order, each once, with a well-formed graph; else 0.

    The graph is JSON, {objects: [{id: chair.1, bbox: [x1, y1, x2, y2]}], relationships: [{subject: chair.1, predicate:
    behind, object: table.1}]}, without other keys in an object, with ids of the form name.number, each once.
    """

    def __call__(self, reply: Reply) -> float:
        """Return 1 or 0."""
        return float(_FORM(reply) == 1 and _scene(reply.text) is not None)


@REWARDS.register("scene_count")
@dataclass(frozen=True)
class SceneCount:
    """0.7 of how right the number of objects is and 0.3 of the relations', each 1 - |difference| / true, 0 at least.

    The true graph is `sample.meta["scene"]`; without true relations the objects alone count.
    """

    def __call__(self, reply: Reply) -> float:
        """Return the worth, 0 to 1; 0 for a malformed graph."""
        said, gold = _scene(reply.text), reply.needed("scene")
        if said is None:
            return 0.0
        objects, relations = (
            max(0.0, 1 - abs(len(said[key]) - len(gold.get(key, ()))) / max(1, len(gold.get(key, ()))))
            for key in ("objects", "relationships")
        )
        return 0.7 * objects + 0.3 * relations if gold.get("relationships") else objects


@REWARDS.register("scene_boxes")
@dataclass(frozen=True)
class SceneBoxes:
    """The mean (CIoU + 1) / 2 of the true objects with their partners, 0 for one without.

    Partners have the least 2 (1 - likeness of names) + (1 - (CIoU + 1) / 2) in sum (Hungarian). Names are alike when
    they are the same, where the authors compare word vectors. Boxes are in pixels of a picture of `meta["size"]`.
    """

    def __call__(self, reply: Reply) -> float:
        """Return the worth, 0 to 1; 0 for a malformed graph."""
        scene = _scene(reply.text)
        if scene is None:
            return 0.0
        size = picture_size(reply.sample)
        said, gold = (_objects(each["objects"], size) for each in (scene, reply.needed("scene")))
        if not said or not gold:
            return float(not said and not gold)
        near = [[(ciou(box, true) + 1) / 2 for _, true in gold] for _, box in said]
        names = [[float(name == true) for true, _ in gold] for name, _ in said]
        pairs = best_pairs(
            [
                [_SAME_NAME * same + _SAME_PLACE * close for same, close in zip(*row, strict=True)]
                for row in zip(names, near, strict=True)
            ]
        )
        return sum(near[row][column] for row, column in pairs) / len(gold)


def _scene(text: str) -> dict[str, list[Any]] | None:
    """Return the graph in the scene tag; None where there is none or it is malformed."""
    found = json_values(text.partition("<scene>")[2].partition("</scene>")[0])
    graph = found[0].value if len(found) == 1 and not found[0].fault else None
    if not isinstance(graph, Mapping) or not graph:
        return None
    objects, relations = graph.get("objects", ()), graph.get("relationships", ())
    if not isinstance(objects, list | tuple) or not isinstance(relations, list | tuple):
        return None
    if not all(map(_is_object, objects)) or not all(map(_is_relation, relations)):
        return None
    if len({each["id"] for each in objects}) < len(objects):
        return None
    return {"objects": list(objects), "relationships": list(relations)}


def _is_object(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"id", "bbox"}:
        return False
    box = value["bbox"]
    if not isinstance(box, list | tuple) or len(box) != 4:
        return False
    numbers = all(isinstance(each, int | float) and abs(each) < _LARGEST for each in box)
    return numbers and isinstance(value["id"], str) and _ID.fullmatch(value["id"]) is not None


def _is_relation(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("predicate"), str):
        return False
    ends = (value.get("subject"), value.get("object"))
    return all(isinstance(end, str) and _ID.fullmatch(end) is not None for end in ends)


def _objects(objects: Sequence[Mapping[str, Any]], size: tuple[float, float]) -> list[tuple[str, list[float]]]:
    return [
        (
            re.sub(r"[_\-]", " ", each["id"].split(".")[0]).strip().lower(),
            [float(edge) / side for edge, side in zip(each["bbox"], (*size, *size), strict=True)],
        )
        for each in objects
    ]


def ciou(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the complete intersection over union (arXiv 1911.08287): overlap less distance and shape."""
    overlap = iou(one, other)
    around = sum((max(one[i + 2], other[i + 2]) - min(one[i], other[i])) ** 2 for i in (0, 1))
    apart = sum(((one[i] + one[i + 2] - other[i] - other[i + 2]) / 2) ** 2 for i in (0, 1))
    slopes = [atan((box[2] - box[0]) / (box[3] - box[1] + _TINY)) for box in (one, other)]
    shape = 4 / pi**2 * (slopes[1] - slopes[0]) ** 2
    weight = shape / (1 - overlap + shape) if shape else 0.0
    return overlap - apart / (around + _TINY) - weight * shape
