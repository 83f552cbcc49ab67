"""What a score must be compared with: guessing at random, and always giving the same best answer."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from spatialeval.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spatialeval.grading import Grader
    from spatialeval.samples import Answer, AnswerType, Sample
    from spatialeval.scorers import Scorer

MOST_CANDIDATES = 500
"""Different answers tried as the constant one, the most frequent first."""
MANY, FINALISTS = 2000, 20
"""With more than MANY samples of one kind, every candidate is tried on a thousand of them, the best few on all."""


def chance(samples: Sequence[Sample]) -> float | None:
    """Return the mean chance of a blind guess among the possible answers.

    1/k for k options or labels, 1/2 for yes or no. None when any sample asks for a number or a path, which nobody
    hits by drawing from a list, or has no list to draw from.
    """
    chances = [_chance(sample) for sample in samples]
    known = [value for value in chances if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(chances) else None


def majority(samples: Sequence[Sample], grader: Grader) -> float | None:
    """Return what the best constant answer scores, by the protocol's own scorers; None when there is none to try.

    The constants tried are the gold answers that occur. Samples of different answer types get a constant each.
    """
    kinds: defaultdict[AnswerType, list[Sample]] = defaultdict(list)
    for sample in samples:
        kinds[sample.answer].append(sample)
    best = [_best_constant(members, grader) for members in kinds.values()]
    known = [value for value in best if value is not None]
    return math.fsum(known) / len(samples) if known and len(known) == len(best) else None


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
    return math.fsum(held) / total if held and len(held) == len(known) else None


def _chance(sample: Sample) -> float | None:
    possible = {"choice": len(sample.choices), "label": len(sample.labels), "yesno": 2}.get(sample.answer, 0)
    return 1 / possible if possible else None


def _best_constant(samples: Sequence[Sample], grader: Grader) -> float | None:
    """Return the largest sum of scores that one answer to all `samples` (of one answer type) reaches."""
    scorer = grader.scorers[samples[0].answer]
    candidates = _candidates(samples)
    if not candidates:
        return None
    if len(samples) > MANY:  # trying all on all would take minutes: a sample of them picks the few worth it
        some = _totals(candidates, samples[:: len(samples) // (MANY // 2)], scorer)
        ranked = sorted(range(len(candidates)), key=lambda place: -some[place])
        candidates = [candidates[place] for place in ranked[:FINALISTS]]
    return max(_totals(candidates, samples, scorer))


def _totals(candidates: Sequence[Answer], samples: Sequence[Sample], scorer: Scorer) -> list[float]:
    """Return what each candidate scores on all samples, sample by sample: scorers may cache their work on one."""
    totals = [0.0] * len(candidates)
    for sample in samples:
        for place, candidate in enumerate(candidates):
            totals[place] += scorer(candidate, sample)
    return totals


def _candidates(samples: Sequence[Sample]) -> list[Answer]:
    """Return the gold answers in the form in which answers are read, most frequent first."""
    frequent = [target for target, _ in Counter(sample.target for sample in samples).most_common(MOST_CANDIDATES)]
    if samples[0].answer != "path":
        return frequent
    # A path is stored as text and read as moves. Published readers may want more around it than the moves, such as the
    # end of a thought; the strict one takes them bare.
    read = READERS.get("strict_path")()
    by_target = {sample.target: sample for sample in samples}
    readings = (read(str(target), by_target[target]).value for target in frequent)
    return [value for value in readings if value is not None]
