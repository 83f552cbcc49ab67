"""What a score must be compared with: guessing at random, and always giving the same best answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.grading import Grader
    from spatialeval.samples import Answer, AnswerType, Sample

MOST_CANDIDATES = 500
"""Different answers tried as the constant one, the most frequent first."""


def chance(samples: Sequence[Sample]) -> float | None:
    """Return the mean chance of a blind guess among the possible answers.

    1/k for k options or labels, 1/2 for yes or no. None when any sample asks for a number or a path, which nobody
    hits by drawing from a list, or has no list to draw from.
    """
    chances = [_chance(sample) for sample in samples]
    known = [value for value in chances if value is not None]
    return sum(known) / len(known) if known and len(known) == len(chances) else None


def majority(samples: Sequence[Sample], grader: Grader) -> float | None:
    """Return what the best constant answer scores, by the protocol's own scorers; None without samples.

    The constants tried are the gold answers that occur. Samples of different answer types get a constant each.
    """
    if not samples:
        return None
    kinds: defaultdict[AnswerType, list[Sample]] = defaultdict(list)
    for sample in samples:
        kinds[sample.answer].append(sample)
    return sum(_best_constant(members, grader) for members in kinds.values()) / len(samples)


def combine(
    values: Mapping[str, float | None], counts: Mapping[str, int], weights: Mapping[str, float]
) -> float | None:
    """Return the weighted mean of category values; None when a weighted category has none.

    Args:
        values: category -> value.
        counts: category -> samples, the weights of a micro mean.
        weights: as in a Part; empty means micro.
    """
    used = weights or counts
    total = sum(used.values())
    known = [(values.get(category), weight) for category, weight in used.items() if weight]
    held = [value * weight for value, weight in known if value is not None]
    return sum(held) / total if held and len(held) == len(known) else None


def _chance(sample: Sample) -> float | None:
    possible = {"choice": len(sample.choices), "label": len(sample.labels), "yesno": 2}.get(sample.answer, 0)
    return 1 / possible if possible else None


def _best_constant(samples: Sequence[Sample], grader: Grader) -> float:
    """Return the largest sum of scores that one answer to all `samples` (of one answer type) reaches."""
    kind = samples[0].answer
    scorer = grader.scorers[kind]
    best = 0.0
    for candidate in _candidates(samples, grader):
        total = 0.0
        for left, sample in zip(range(len(samples), 0, -1), samples, strict=True):
            if total + left <= best:  # even if all the rest were right
                break
            total += scorer(candidate, sample)
        best = max(best, total)
    return best


def _candidates(samples: Sequence[Sample], grader: Grader) -> list[Answer]:
    """Return the gold answers in the form in which answers are read, most frequent first."""
    frequent = [target for target, _ in Counter(sample.target for sample in samples).most_common(MOST_CANDIDATES)]
    if samples[0].answer != "path":
        return frequent
    # A path is stored as text and read as moves: the reader turns the one into the other.
    by_target = {sample.target: sample for sample in samples}
    readings = (grader.readers["path"](str(target), by_target[target]).value for target in frequent)
    return [value for value in readings if value is not None]
