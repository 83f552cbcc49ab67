"""Do the statistics keep their word? 2,000 simulated data sets each, seeds fixed."""

from __future__ import annotations

import numpy as np
import pytest

from spatialeval.stats import bootstrap, estimate, wilson
from spatialeval.stats.paired import paired

SETS = 2000
TRUTHS = (0.3, 0.5, 0.8)
"""What three categories score in truth."""


def answers(random, groups, size, truths, *, spread=0.2):
    """Return groups x size right and wrong answers; members of a group share a shift, without moving the mean."""
    shift = random.uniform(-spread, spread, (groups, 1))
    place = np.arange(groups * size).reshape(groups, size) % len(truths)
    return (random.random((groups, size)) < np.array(truths)[place] + shift).astype(float), place


def graded(random, groups, size, truths):
    """Return the same as graded scores: ten thresholds, as a mean relative accuracy has."""
    levels = random.binomial(
        10, np.clip(np.array(truths)[0] + random.uniform(-0.2, 0.2, (groups, 1)), 0, 1), (groups, size)
    )
    return levels / 10, np.zeros((groups, size), dtype=int)


def covered(interval, truth):
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize(
    ("groups", "size", "truths", "make", "weighted"),
    [
        (60, 3, TRUTHS, answers, False),
        (60, 3, TRUTHS, answers, True),
        (25, 6, (0.6,), answers, False),
        (300, 2, (0.1, 0.9), answers, True),
        (40, 5, (0.45,), graded, False),
    ],
    ids=["micro", "macro", "few large groups", "many small groups", "graded scores"],
)
def test_intervals_cover_the_truth_in_93_to_97_percent_of_clustered_data_sets(groups, size, truths, make, weighted):
    random = np.random.default_rng(2026)
    cluster = np.repeat(np.arange(groups), size).tolist()
    weights = {str(code): 1 / len(truths) for code in range(len(truths))} if weighted else None
    hits = 0
    for _ in range(SETS):
        values, place = make(random, groups, size, truths)
        found = estimate(values.ravel().tolist(), cluster, place.ravel().astype(str).tolist(), weights)
        hits += covered(found, np.mean(truths))
    assert 0.93 <= hits / SETS <= 0.97


def test_intervals_that_do_not_know_the_groups_cover_too_seldom():
    random = np.random.default_rng(2026)
    hits = 0
    for _ in range(SETS):
        values, _ = answers(random, 25, 6, (0.6,), spread=0.4)
        hits += covered(estimate(values.ravel().tolist(), range(150)), 0.6)
    assert hits / SETS < 0.9


@pytest.mark.parametrize(("truth", "n"), [(0.5, 40), (0.2, 80), (0.9, 150)])
def test_wilson_intervals_of_plain_proportions_cover_in_93_to_97_percent(truth, n):
    right = np.random.default_rng(7).binomial(n, truth, SETS)
    hits = sum(covered(wilson(number / n, n), truth) for number in right)
    assert 0.93 <= hits / SETS <= 0.97


def test_the_cluster_bootstrap_covers_macro_means_as_the_linearised_interval_does():
    random = np.random.default_rng(11)
    cluster = np.repeat(np.arange(60), 3).tolist()
    weights = {str(code): 1 / 3 for code in range(3)}
    hits, widths = 0, []
    for _ in range(SETS):
        values, place = answers(random, 60, 3, TRUTHS)
        row = values.ravel().tolist(), cluster, place.ravel().astype(str).tolist(), weights
        found, linear = bootstrap(*row, resamples=400), estimate(*row)
        hits += covered(found, np.mean(TRUTHS))
        widths.append((found.high - found.low) / (linear.high - linear.low))
    assert 0.93 <= hits / SETS <= 0.97
    assert np.mean(widths) == pytest.approx(0.97, abs=0.03)


def test_one_group_has_no_bootstrap_interval():
    assert bootstrap([1, 0], ["g", "g"]) is None


@pytest.mark.parametrize(("groups", "size"), [(150, 1), (12, 10)], ids=["questions alone", "groups"])
def test_the_paired_test_and_its_interval_hold_their_level(groups, size):
    random = np.random.default_rng(5)
    cluster = np.repeat(np.arange(groups), size).tolist()
    wrong, apart = 0, 0
    for _ in range(SETS):
        hard = random.uniform(0.2, 0.8, (groups, 1)) + random.uniform(-0.2, 0.2, (groups, size))
        # Each way has its own luck with a group, and the same luck in the long run.
        own = random.uniform(-0.15, 0.15, (2, groups, 1)) if size > 1 else np.zeros((2, groups, 1))
        first, second = (random.random((2, groups, size)) < hard + own).astype(float)
        found = paired(first.ravel().tolist(), second.ravel().tolist(), cluster)
        wrong += found.p < 0.05
        apart += not found.tie
    assert 0.02 <= wrong / SETS <= 0.06
    assert 0.03 <= apart / SETS <= 0.07
