"""Scorers of points: inside a mask, inside a box, near a point."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import floor, hypot, isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spatialeval.errors import DataError, MediaError, UsageError
from spatialeval.readers.coordinates import picture_size
from spatialeval.scorers import SCORERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import PIL.Image

    from spatialeval.media import Media
    from spatialeval.samples import Answer, AnswerType, Sample

Which = Literal["mean", "any", "first", "all"]
_WHICH = ("mean", "any", "first", "all")
_POINTS: frozenset[AnswerType] = frozenset({"points"})


@SCORERS.register("in_mask")
@dataclass(frozen=True)
class InMask:
    """How many of the points lie where `sample.mask` is brighter than `threshold`.

    A point (x, y) lies in the pixel (floor(x * width), floor(y * height)) of the mask; one outside the picture is
    wrong. Of a mask with several channels the first counts. No point at all scores 0.
    Rule: Zhoues/RoboRefer:Evaluation/summarize_acc.py (mean, threshold 0); there an answer of four numbers stands for
    all pixels of a box, and does here too.

    Attributes:
        points: "mean" the share of the points that are right, "any" or "all" of them, or the "first".
        threshold: brightness, 0 to 255, above which a pixel is right.
        outside: "wrong", or "clip" to move points outside the picture to its border first.
    """

    points: Which = "mean"
    threshold: int = 0
    outside: Literal["wrong", "clip"] = "wrong"
    answers: ClassVar[frozenset[AnswerType]] = _POINTS

    def __post_init__(self) -> None:
        """Refuse options that do not exist."""
        _check("in_mask", self.points)
        if not 0 <= self.threshold < 255 or self.outside not in {"wrong", "clip"}:
            raise UsageError(f"in_mask: {self!r}: give threshold 0 to 254 and outside 'wrong' or 'clip'.")

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return the worth of the points; raise DataError when the sample has no mask."""
        if sample.mask is None:
            raise DataError(f"Sample {sample.id!r} has no mask. Set `mask` in the task file.")
        mask = _mask(sample.mask)
        inside = [self._share(place, mask) for place in places(answer, "in_mask")]
        return _combined([share for share, _ in inside], self.points, [weight for _, weight in inside])

    def _share(self, place: Sequence[float], mask: PIL.Image.Image) -> tuple[float, int]:
        """Return the share of the pixels of a point or a box that are right, and how many pixels it has."""
        if not all(map(isfinite, place)):  # some published readers let 1e999 through
            return 0.0, 1
        left, top = floor(place[0] * mask.width), floor(place[1] * mask.height)
        if len(place) == 2:
            if self.outside == "clip":
                left, top = min(max(left, 0), mask.width - 1), min(max(top, 0), mask.height - 1)
            inside = 0 <= left < mask.width and 0 <= top < mask.height
            return float(inside and _bright(mask, left, top, self.threshold)), 1
        right, bottom = floor(place[2] * mask.width), floor(place[3] * mask.height)
        pixels = max(0, right - left) * max(0, bottom - top)
        if not pixels:
            return 0.0, 0
        box = max(left, 0), max(top, 0), min(right, mask.width), min(bottom, mask.height)
        overlaps = box[0] < box[2] and box[1] < box[3]
        bright = sum(mask.crop(box).histogram()[self.threshold + 1 :]) if overlaps else 0
        return bright / pixels, pixels


@SCORERS.register("in_box")
@dataclass(frozen=True)
class InBox:
    """How many of the points lie in a target box, edges included.

    Boxes: `sample.meta["boxes"]` or `["box"]`, x1 y1 x2 y2 in shares of width and height; else the target's members
    that have four numbers. A point in any of them is right. No point at all scores 0.

    Attributes:
        points: "mean" the share of the points that are right, "any" or "all" of them, or the "first".
    """

    points: Which = "mean"
    answers: ClassVar[frozenset[AnswerType]] = _POINTS

    def __post_init__(self) -> None:
        """Refuse options that do not exist."""
        _check("in_box", self.points)

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return the worth of the points; raise DataError when the sample has no boxes."""
        boxes = _boxes(sample)
        inside = [any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in boxes) for x, y, *_ in places(answer, "in_box")]
        return _combined([float(each) for each in inside], self.points)


@SCORERS.register("near_point")
@dataclass(frozen=True)
class NearPoint:
    """How many of the points lie at most `radius` from a target point.

    Attributes:
        radius: the largest distance that is right.
        unit: "share" measures in shares of width and height, "pixel" in pixels of the picture.
        points: "mean" the share of the points that are right, "any" or "all" of them, or the "first".
    """

    radius: float
    unit: Literal["share", "pixel"] = "share"
    points: Which = "mean"
    answers: ClassVar[frozenset[AnswerType]] = _POINTS

    def __post_init__(self) -> None:
        """Refuse options that do not exist."""
        _check("near_point", self.points)
        if self.radius < 0 or self.unit not in {"share", "pixel"}:
            raise UsageError(f"near_point: {self!r}: give a radius that is not negative and unit 'share' or 'pixel'.")

    def __call__(self, answer: Answer, sample: Sample) -> float:
        """Return the worth of the points."""
        gold = places(sample.target, "near_point")
        if not gold:
            raise DataError(f"Sample {sample.id!r} has no target point. Check `target` in the task file.")
        width, height = picture_size(sample) if self.unit == "pixel" else (1.0, 1.0)
        said = places(answer, "near_point")
        distances = [min(hypot((x - p[0]) * width, (y - p[1]) * height) for p in gold) for x, y, *_ in said]
        return _combined([float(distance <= self.radius) for distance in distances], self.points)


def places(answer: Answer, scorer: str) -> tuple[tuple[float, ...], ...]:
    """Return an answer of points or boxes as what it is; raise TypeError when it is something else."""
    if not isinstance(answer, tuple) or not all(isinstance(each, list | tuple) for each in answer):
        raise TypeError(f"{scorer} was given {answer!r}; the task's reader must return points or boxes")
    return answer


def bright_point(sample: Sample) -> tuple[float, float] | None:
    """Return the centre of the first of the brightest pixels of the sample's mask, in shares; None without a mask."""
    if sample.mask is None:
        return None
    mask = _mask(sample.mask)
    brightest = float(mask.getextrema()[1])  # type: ignore[arg-type]  # one channel has one pair
    places = ((x, y) for y in range(mask.height) for x in range(mask.width))
    column, row = next((x, y) for x, y in places if _bright(mask, x, y, brightest - 0.5))
    return (column + 0.5) / mask.width, (row + 0.5) / mask.height


def bright_share(sample: Sample) -> float | None:
    """Return the share of the mask that is not black: the chance of a blind point; None without a mask."""
    if sample.mask is None:
        return None
    return InMask()(((0.0, 0.0, 1.0, 1.0),), sample)


def boxed_share(sample: Sample) -> float:
    """Return the share of the picture that the sample's boxes cover; raise DataError when it has none."""
    boxes = [[min(max(edge, 0.0), 1.0) for edge in box] for box in _boxes(sample)]
    columns, rows = sorted({b[i] for b in boxes for i in (0, 2)}), sorted({b[i] for b in boxes for i in (1, 3)})
    covered = 0.0
    for left, right in pairwise(columns):
        for top, bottom in pairwise(rows):
            inside = any(b[0] <= left and right <= b[2] and b[1] <= top and bottom <= b[3] for b in boxes)
            covered += (right - left) * (bottom - top) if inside else 0.0
    return covered


def _check(scorer: str, which: str) -> None:
    if which not in _WHICH:
        raise UsageError(f"{scorer}: points is {which!r}; give one of {', '.join(_WHICH)}.")


def _combined(right: Sequence[float], which: Which, weights: Sequence[int] = ()) -> float:
    """Return what the points are worth together; boxes weigh by their pixels."""
    if not right:
        return 0.0
    if which == "first":
        return right[0]
    if which in {"any", "all"}:
        return float(any(right) if which == "any" else all(each == 1 for each in right))
    weights = weights or [1] * len(right)
    return sum(r * w for r, w in zip(right, weights, strict=True)) / sum(weights) if sum(weights) else 0.0


def _boxes(sample: Sample) -> list[Any]:
    held = sample.meta.get("boxes") or ([sample.meta["box"]] if sample.meta.get("box") else None) or sample.target
    listed = held if isinstance(held, list | tuple) else ()
    boxes = [each for each in listed if isinstance(each, list | tuple) and len(each) == 4]
    if not boxes:
        raise DataError(
            f"Sample {sample.id!r} has no box. Put `meta: {{boxes: [[x1, y1, x2, y2]]}}` into the task file, in shares "
            "of width and height."
        )
    return boxes


@lru_cache(maxsize=4)
def _mask(media: Media) -> PIL.Image.Image:
    """Return a mask's first channel, decoded; the last few are kept, since baselines score many answers on each."""
    import PIL.Image  # noqa: PLC0415 - only masks pay for it

    try:
        with PIL.Image.open(io.BytesIO(media.read())) as picture:
            picture.load()
            if len(picture.getbands()) > 1:
                return picture.getchannel(0)
            return picture.convert("L") if picture.mode == "1" else picture.copy()
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise MediaError(f"mask {media.name!r} is corrupt: {error}. Fetch the file again.") from error


def _bright(mask: PIL.Image.Image, x: int, y: int, threshold: float) -> bool:
    value = mask.getpixel((x, y))
    return isinstance(value, int | float) and value > threshold
