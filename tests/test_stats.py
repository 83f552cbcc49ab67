"""Means, intervals and baselines: against known tables, closed forms, simulation and published figures."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import pytest

from spatialeval.grading import Grader
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS
from spatialeval.stats import baselines as baselines_module
from spatialeval.stats import chance, combine, estimate, majority, t_quantile, wilson
from spatialeval.tasks import load_task


@pytest.mark.parametrize(
    ("p", "df", "value"),
    [
        # Abramowitz and Stegun, table 26.10, to the places that statistics libraries print.
        (0.975, 3, 3.182446305284),
        (0.975, 5, 2.570581835636),
        (0.975, 10, 2.228138851965),
        (0.975, 30, 2.042272456301),
        (0.975, 120, 1.979930405052),
        (0.95, 10, 1.812461122812),
        (0.995, 10, 3.169272672617),
        (0.025, 10, -2.228138851965),
        (0.5, 7, 0.0),
    ],
)
def test_t_quantiles_equal_the_tables(p, df, value):
    assert t_quantile(p, df) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("p", [0.6, 0.9, 0.975, 0.999])
def test_t_quantiles_equal_the_closed_forms_for_one_and_two_degrees_of_freedom(p):
    assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-9)
    assert t_quantile(p, 2) == pytest.approx((2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p))), rel=1e-9)


@pytest.mark.parametrize("p", [0.55, 0.9, 0.975, 0.9995])
def test_both_methods_of_the_t_quantile_meet_where_they_are_switched(p):
    below, above = t_quantile(p, 1000), t_quantile(p, 1000.0001)
    assert below == pytest.approx(above, abs=1e-6)
    assert t_quantile(p, 1e9) == pytest.approx(t_quantile(p, 1e12), abs=1e-8)


@pytest.mark.parametrize(("p", "df"), [(0, 5), (1, 5), (0.9, 0), (math.nan, 5)])
def test_a_t_quantile_that_does_not_exist_is_refused(p, df):
    with pytest.raises(ValueError, match="needs 0 < p < 1"):
        t_quantile(p, df)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_equal_published_examples(right, n, low, high):
    assert wilson(right / n, n) == pytest.approx((low, high), abs=5e-5)


def test_a_plain_mean_of_right_and_wrong_without_groups_has_the_wilson_interval():
    found = estimate([1, 1, 1, 0, 1, 0, 1, 1, 1, 1], list(range(10)))
    assert (found.mean, found.n, found.clusters, found.method) == (0.8, 10, 10, "wilson")
    assert (found.low, found.high) == pytest.approx((0.490162, 0.943318), abs=1e-5)


def test_a_clustered_mean_follows_the_formula():
    values = [1, 1, 0, 1, 0, 0, 1]
    groups = ["a", "a", "a", "b", "b", "c", "c"]
    mean = 4 / 7
    sums = [(2 - 3 * mean) / 7, (1 - 2 * mean) / 7, (1 - 2 * mean) / 7]
    se = math.sqrt(3 / 2 * sum(s * s for s in sums))
    found = estimate(values, groups)
    assert (found.mean, found.se) == pytest.approx((mean, se), abs=1e-12)
    assert found.method == "t"
    assert found.low == pytest.approx(max(0, mean - t_quantile(0.975, 2) * se), abs=1e-12)
    assert found.high == pytest.approx(min(1, mean + t_quantile(0.975, 2) * se), abs=1e-12)


def test_groups_that_span_categories_follow_the_formula_with_weights():
    # Every group has one sample in each category, so the factor is G / (G - 1) for all.
    a, b = [1.0, 0.4, 0.0, 0.7], [0.5, 0.9, 0.2, 0.3]
    groups = [0, 1, 2, 3] * 2
    found = estimate(a + b, groups, ["a"] * 4 + ["b"] * 4, {"a": 0.25, "b": 0.75})
    mean_a, mean_b = sum(a) / 4, sum(b) / 4
    sums = [0.25 / 4 * (x - mean_a) + 0.75 / 4 * (y - mean_b) for x, y in zip(a, b, strict=True)]
    assert found.mean == pytest.approx(0.25 * mean_a + 0.75 * mean_b, abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(4 / 3 * sum(s * s for s in sums)), abs=1e-12)


def test_copies_of_a_sample_in_its_group_do_not_narrow_the_interval():
    values = [0.1, 0.9, 0.4, 0.6, 0.2]
    once = estimate(values, list(range(5)))
    thrice = estimate(values * 3, list(range(5)) * 3)
    unaware = estimate(values * 3, list(range(15)))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=1e-12)
    assert unaware.high - unaware.low < thrice.high - thrice.low


def test_macro_and_micro_weigh_categories_differently():
    values, categories = [1, 1, 1, 1, 0, 0], ["a", "a", "a", "a", "b", "b"]
    assert estimate(values, range(6), categories, {}).mean == pytest.approx(4 / 6)
    assert estimate(values, range(6), categories, {"a": 0.5, "b": 0.5}).mean == pytest.approx(0.5)


def test_only_samples_of_weighted_categories_are_in_a_part():
    found = estimate([1, 0, 1, 0], ["x", "y", "z", "z"], ["a", "a", "b", "b"], {"a": 1.0})
    assert (found.n, found.clusters, found.mean) == (2, 2, 0.5)


@pytest.mark.parametrize(
    ("values", "categories", "weights"),
    [([], [], {}), ([], [], {"a": 1.0}), ([1.0], ["a"], {"a": 0.5, "b": 0.5}), ([1.0], ["c"], {"a": 1.0})],
)
def test_nothing_to_average_is_no_estimate_instead_of_zero(values, categories, weights):
    assert estimate(values, range(len(values)), categories, weights) is None


def test_one_group_says_nothing_about_spread():
    found = estimate([1, 0, 1], ["scene"] * 3)
    assert found.mean == pytest.approx(2 / 3)
    assert (found.low, found.high, found.se, found.method) == (None, None, None, None)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_right_or_all_wrong_in_groups_is_worth_as_many_answers_as_there_are_groups(value):
    found = estimate([value] * 40, [i // 10 for i in range(40)])
    assert (found.low, found.high) == pytest.approx(wilson(value, 4))
    assert found.method == "wilson"


def test_constant_categories_do_not_claim_certainty():
    found = estimate([1.0] * 5 + [0.0] * 5, range(10), ["a"] * 5 + ["b"] * 5, {"a": 0.5, "b": 0.5})
    assert (found.mean, found.method) == (0.5, "wilson")
    assert found.high - found.low > 0.4


def test_categories_of_one_group_each_show_their_spread_by_lying_apart():
    values = [0.2, 0.9, 0.4, 0.7, 0.6]
    macro = estimate(values, range(5), list("abcde"), dict.fromkeys("abcde", 0.2))
    micro = estimate(values, range(5))
    assert macro.method == micro.method == "t"
    assert (macro.mean, macro.se) == pytest.approx((micro.mean, micro.se), abs=1e-12)


def test_intervals_stay_within_zero_and_one():
    found = estimate([1.0, 0.9, 1.0, 0.2], range(4))
    assert found.low >= 0
    assert found.high == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, 1.5])
def test_a_value_that_is_no_score_is_refused(bad):
    with pytest.raises(ValueError, match="not numbers from 0 to 1"):
        estimate([0.5, bad], range(2))


@pytest.mark.parametrize(("categories", "samples", "group_size"), [(1, 40, 1), (10, 3, 1), (12, 1, 1), (2, 48, 4)])
def test_intervals_cover_the_truth_about_95_times_in_100(categories, samples, group_size):
    dice = random.Random(7)
    names = [str(c) for c in range(categories) for _ in range(samples)]
    weights = {str(c): 1 / categories for c in range(categories)}
    truths = [0.3 + 0.4 * c / categories for c in range(categories)]
    truth, hits, rounds = sum(truths) / categories, 0, 300
    for _ in range(rounds):
        shift = [dice.uniform(-0.25, 0.25) if group_size > 1 else 0.0 for _ in range(len(names) // group_size)]
        groups = [place // group_size for place in range(len(names))]
        values = [float(dice.random() < truths[int(c)] + shift[group]) for c, group in zip(names, groups, strict=True)]
        found = estimate(values, groups, names, weights)
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / rounds <= 0.985


@dataclass(frozen=True)
class Equal:
    def __call__(self, answer, sample):
        return float(answer == sample.target)


GRADER = Grader({}, {"choice": Equal(), "yesno": Equal(), "label": Equal(), "number": Equal()})


def choice(target, options=4, **facts):
    return Sample("x", "choice", "?", target, choices=tuple("abcdefgh"[:options]), **facts)


def test_chance_is_the_mean_over_samples_of_one_in_their_options():
    yesno = Sample("y", "yesno", "?", "yes")
    label = Sample("l", "label", "?", "left", labels=("left", "right", "above", "below", "overlap"))
    assert chance([choice("A", 4), choice("A", 2)]) == pytest.approx(0.375)
    assert chance([yesno]) == 0.5
    assert chance([label, yesno]) == pytest.approx(0.35)


@pytest.mark.parametrize("answer", ["number", "path"])
def test_nobody_guesses_a_number_or_a_path(answer):
    assert chance([Sample("n", answer, "?", "1")]) is None
    assert chance([choice("A"), Sample("n", answer, "?", "1")]) is None
    assert chance([]) is None


def test_majority_is_what_the_best_constant_answer_scores():
    assert majority([choice("A"), choice("B"), choice("B")], GRADER) == pytest.approx(2 / 3)
    mixed = [choice("A"), choice("A"), Sample("y", "yesno", "?", "yes"), Sample("y", "yesno", "?", "no")]
    assert majority(mixed, GRADER) == pytest.approx(0.75)
    assert majority([], GRADER) is None


def test_the_best_constant_number_is_found_by_the_scorer_and_need_not_be_the_most_frequent():
    grader = Grader({}, {"number": SCORERS.get("mra")()})
    samples = [Sample(str(i), "number", "?", float(t)) for i, t in enumerate([1, 1, 10, 11, 12, 13])]
    always_one = sum(grader.scorers["number"](1.0, sample) for sample in samples) / 6
    assert majority(samples, grader) > always_one


def test_in_a_large_category_a_sample_of_it_picks_the_constants_that_are_tried(monkeypatch):
    samples = [Sample(str(i), "label", "?", f"place {i % 50 if i % 3 else 7}") for i in range(300)]
    exact = majority(samples, GRADER)
    monkeypatch.setattr(baselines_module, "MANY", 100)
    monkeypatch.setattr(baselines_module, "FINALISTS", 3)
    assert majority(samples, GRADER) == exact


def test_a_constant_path_is_tried_in_the_form_in_which_paths_are_read():
    maze = load_task("maze:small")
    samples = maze.samples()[:60]
    for protocol in ("official", "alphamaze_thinking"):
        grader = maze.protocol(protocol).grader
        solved = {
            text: sum(grader.scorers["path"](tuple(text.split()), sample) for sample in samples)
            for text in {
                " ".join(move for move in s.target.replace("<|", " ").replace("|>", " ").split()) for s in samples
            }
        }
        assert majority(samples, grader) == pytest.approx(max(solved.values()) / 60)


def test_baselines_combine_through_the_weights_of_a_part():
    values, counts = {"a": 0.5, "b": 0.25, "c": None}, {"a": 1, "b": 3, "c": 4}
    assert combine(values, counts, {"a": 0.5, "b": 0.5}) == pytest.approx(0.375)
    assert combine(values, {"a": 1, "b": 3}, {}) == pytest.approx(0.3125)
    assert combine(values, counts, {}) is None
    assert combine(values, counts, {"a": 0.5, "c": 0.5}) is None
    assert combine({}, {}, {}) is None


def test_baselines_of_vsi_bench_equal_those_recomputed_from_its_5130_rows(realdata):
    task = load_task("vsi_bench")
    samples = task.samples(realdata / "vsi_bench" / "vsi_bench_rows.jsonl.gz")
    grader = task.protocol("official").grader

    def of(category):
        return [sample for sample in samples if sample.category == category]

    assert 100 * majority(of("object_counting"), grader) == pytest.approx(61.84070796, abs=1e-8)
    assert 100 * majority(of("room_size_estimation"), grader) == pytest.approx(33.13, abs=0.006)
    assert 100 * majority(of("route_planning"), grader) == pytest.approx(29.38, abs=0.006)
    assert 100 * chance(of("route_planning")) == pytest.approx(28.26, abs=0.006)
    assert chance(of("object_counting")) is None
