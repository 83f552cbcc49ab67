"""Parts of a score: macro over categories and parts, micro, what is missing, and published tables."""

from __future__ import annotations

import pytest

from spatialeval.errors import DataError
from spatialeval.tasks.aggregate import combine, parts_of
from spatialeval.tasks.schema import AggregatePart

RULES = [
    AggregatePart(name="direction", mean_of=["easy", "hard"]),
    AggregatePart(name="overall", mean_of=["count", "direction"], headline=True),
    AggregatePart(name="micro", micro=True),
]


def test_parts_are_linear_in_the_categories():
    direction, overall, micro = parts_of(RULES, ["count", "easy", "hard"])
    assert dict(direction.weights) == {"easy": 0.5, "hard": 0.5}
    assert dict(overall.weights) == {"count": 0.5, "easy": 0.25, "hard": 0.25}
    assert (overall.headline, micro.headline, dict(micro.weights)) == (True, False, {})


def test_a_missing_category_is_named_and_its_weight_shared():
    direction, overall, _ = parts_of(RULES, ["count", "easy"])
    assert (dict(direction.weights), direction.missing) == ({"easy": 1.0}, ("hard",))
    assert (dict(overall.weights), overall.missing) == ({"count": 0.5, "easy": 0.5}, ("hard",))


def test_a_part_without_any_category_is_left_out():
    assert [part.name for part in parts_of(RULES, ["count"])] == ["overall", "micro"]


def test_without_rules_the_micro_mean_is_the_headline():
    (only,) = parts_of([], ["a"])
    assert (only.name, only.headline) == ("overall", True)


def test_published_tables_may_give_parts_or_categories():
    assert combine(RULES, {"count": 50, "direction": 30}) == 40
    assert combine(RULES, {"count": 50, "easy": 20, "hard": 40}) == 40
    assert combine(RULES, {"count": 50, "easy": 20}, "micro", {"count": 1, "easy": 2}) == pytest.approx(30)


@pytest.mark.parametrize(
    ("scores", "part", "message"),
    [
        ({"count": 50}, None, "no score for 'easy'"),
        ({"count": 50}, "total", "no part named 'total'"),
        ({"count": 50}, "micro", "number of questions of count"),
    ],
)
def test_what_cannot_be_computed_is_said(scores, part, message):
    with pytest.raises(DataError, match=message):
        combine(RULES, scores, part)
