"""Rewards: named sets pay what their formulas say; a reward that fails stops training and is never a 0."""

from __future__ import annotations

import math
import random
import runpy
from dataclasses import dataclass, replace

import pytest
from command import REPOSITORY
from rewarded_replies import compare, mutated

from spatialeval.errors import UnknownNameError, UsageError
from spatialeval.grading import Grader
from spatialeval.readers import READERS
from spatialeval.rewards.reply import Reply
from spatialeval.rewards.sets import load_set, set_names
from spatialeval.rewards.terms import RewardError, Term, bind, make_reward, total
from spatialeval.samples import Sample
from spatialeval.scorers import SCORERS

PUBLISHED = {
    "actial", "alphamaze", "alphamaze_strings", "ariadne", "euclid", "medmo", "panoenv", "rewardmap", "roborefer",
    "sat_answer", "spacer", "spatialthinker", "surds", "uav_vl_r1", "video2layout", "vilasr", "vsgrpo",
    "vsi_number_choice",
}  # fmt: skip
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name in set_names()
    for number, example in enumerate(load_set(name).examples)
]
CHOICE = Sample("q1", "choice", "q", "B", choices=("left", "right"), category="turn", facets={"level": ("easy",)})
GRADER = Grader({"choice": READERS.get("strict_choice")()}, {"choice": SCORERS.get("accuracy")()})


def reply(text="B", sample=CHOICE, **fields):
    return Reply(sample, text, GRADER, **fields)


def bound(use="score", **fields):
    return bind([Term(use=use, **fields)])[0]


def test_every_published_recipe_has_a_set_with_examples():
    assert set(set_names()) == PUBLISHED
    assert all(len(load_set(name).examples) >= 2 for name in PUBLISHED)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_of_a_set_are_worth_what_its_formula_gives(name, example):
    terms, given = bind(load_set(name).rewards), example.given()
    values = {term.name: term(given) for term in terms}
    assert values == {
        term: None if value is None else pytest.approx(value, abs=1e-6) for term, value in example.values.items()
    }
    assert total(terms, given) == pytest.approx(example.total, abs=1e-6)


def test_an_unknown_set_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'panoenv'"):
        load_set("panonv")


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("<think>a</think><answer>B</answer>", 1),
        (" <think>a</think>\n\n<answer>B</answer>\n", 1),
        ("<think>a\nb</think><answer>\nB\n</answer>", 1),
        ("<answer>B</answer><think>a</think>", 0),
        ("<think>a</think><answer>B</answer><answer>C</answer>", 0),
        ("<think>a</think><think>a</think><answer>B</answer>", 0),
        ("<think>a<think>b</think></think><answer>B</answer>", 0),
        ("<think></think><answer>B</answer>", 0),
        ("<think>a</think><answer> </answer>", 0),
        ("<think>a</think>so<answer>B</answer>", 0),
        ("<think>a</think><answer>B</answer> done", 0),
        ("Well. <think>a</think><answer>B</answer>", 0),
        ("<Think>a</Think><answer>B</answer>", 0),
        ("<think>a</think><answer>B", 0),
        ("B", 0),
        ("", 0),
    ],
)
def test_the_contract_of_tags_checks_order_and_count(text, worth):
    assert make_reward("tags")(reply(text)) == worth


@pytest.mark.parametrize(
    ("use", "text", "worth"),
    [
        ("tags(case=false)", "<THINK>a</Think><answer>B</answer>", 1),
        ("tags(filled=[answer])", "<think></think><answer>B</answer>", 1),
        ("tags(names=[think], rest=free)", "<think>a</think> so B", 1),
        ("tags(names=[think], rest=free)", "<think>a</think> so </think> B", 0),
        (r"tags(names=[think], rest=boxed)", r"<think>a</think> \boxed{\frac{1}{2}}", 1),
        (r"tags(names=[think], rest=boxed)", r"<think>a</think> \boxed{1} \boxed{2}", 0),
        (r"tags(names=[think], rest=boxed)", r"<think>a</think> \boxed{}", 0),
        (r"tags(names=[think], rest=boxed)", r"<think>\boxed{1}</think> one", 0),
    ],
)
def test_options_of_the_contract_of_tags(use, text, worth):
    assert make_reward(use)(reply(text)) == worth


@pytest.mark.parametrize(
    "use",
    [
        "tags(names=[])", 'tags(names=["a b"])', "tags(filled=[other])", "tags(rest=some)", "marks(once=[])", "marks",
        "closeness(base=other)", "named_boxes(by=feeling)", "in_group(use=nothing)", "score(nothing=1)", "nothing",
    ],
)  # fmt: skip
def test_wrong_rewards_are_refused_before_training(use):
    with pytest.raises(UsageError):
        make_reward(use)


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"only": ["choice", "label"]}, 1),
        ({"only": ["number"]}, None),
        ({"where": {"category": ["turn"]}}, 1),
        ({"where": {"level": ["easy"]}}, 1),
        ({"where": {"level": ["hard"]}}, None),
        ({"where": {"nothing": ["easy"]}}, None),
        ({"gate": "tags"}, 0),
        ({"gate": {"use": "score", "above": 0.9}}, 1),
        ({"gate": {"use": "score", "above": 1}}, 0),
        ({"gate": ["score", "tags"]}, 0),
        ({"gate": ["score", {"use": "length", "above": -1}]}, 1),
    ],
)
def test_terms_apply_by_kind_and_are_paid_behind_gates(fields, value):
    assert bound(**fields)(reply(tokens=3)) == value


def test_a_term_that_does_not_apply_counts_as_not_there():
    terms = bind([Term(use="score"), Term(use="tags", weight=2, only=["number"])])
    assert total(terms, reply()) == 1
    assert total(terms[1:], reply()) is None


def test_unread_and_cut_replies_are_worth_what_the_term_says():
    assert bound("score(unparsed=-0.2)")(reply("I do not know")) == -0.2
    assert bound()(reply("hm", finish="length")) == 0
    assert bound("score(truncated=none)")(reply("hm", finish="length")) is None
    assert bound("score(truncated=-1)")(reply("hm", finish="length")) == -1
    assert bound("score(truncated=-1)")(reply("<answer>B</answer> and", finish="length")) == 1
    assert bound("length(least=2, most=4, over=-0.5)")(reply(tokens=9, finish="length")) == -0.5
    with pytest.raises(RewardError, match="number of tokens"):
        bound("length")(reply())


def test_a_group_is_looked_at_as_a_whole():
    single = [reply("B"), reply("A"), reply("B")]
    grouped = [replace(one, group=tuple(single)) for one in single]
    assert [make_reward("in_group")(one) for one in grouped] == [2, 2, 2]
    assert make_reward("in_group(use=tags)")(grouped[0]) == 0
    assert make_reward("in_group")(reply("B")) == 1


@dataclass(frozen=True)
class Constant:
    value: float

    def __call__(self, reply):
        return self.value


@dataclass(frozen=True)
class Broken:
    def __call__(self, reply):
        raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    "term", [replace(bound(), reward=Broken()), replace(bound(gate="score"), gates=(Broken(),))], ids=["reward", "gate"]
)
def test_a_reward_that_raises_stops_with_the_sample_and_is_never_zero(term):
    with pytest.raises(RewardError) as error:
        total([term], reply("A or B?"))
    assert all(part in str(error.value) for part in ("'q1'", "A or B?", "ZeroDivisionError", "run the same command"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_number_stops_training(value):
    with pytest.raises(RewardError, match="must be a finite number"):
        replace(bound(), reward=Constant(value))(reply())


def test_a_sample_without_what_a_reward_needs_stops_training():
    with pytest.raises(RewardError, match="has no 'objects'"):
        bound("named_boxes")(reply())


@pytest.mark.parametrize(
    ("use", "said", "worth"),
    [
        ("named_boxes", "[100, 100, 200, 200]", 1),
        ("named_boxes", "[150, 100, 250, 200]", 0),
        ("named_boxes(by=centre)", "[105, 105, 205, 205]", 1),
        ("named_boxes(by=centre)", "[120, 100, 220, 200]", 1),
        ("named_boxes(by=centre)", "[130, 100, 230, 200]", 0),
    ],
)
def test_named_boxes_are_found_by_overlap_or_by_their_centre(use, said, worth):
    """Centre: 2 sqrt((1 - dx) (1 - dy)) - 1 > 0.5; 20 of 50 give 0.549, 30 of 50 give 0.265."""
    sample = replace(CHOICE, meta={"objects": {"the van": [100, 100, 200, 200]}})
    assert make_reward(use)(reply(f"<location>Van: {said}</location>", sample)) == worth


@pytest.mark.parametrize("name", SCORERS.names())
def test_training_pays_what_an_evaluation_counts(name):
    """`python tests/rewarded_replies.py` does the same with 10,000 replies a scorer."""
    rewards, scores = compare(name, 100 if getattr(SCORERS.get(name), "slow", False) else 500)
    assert rewards == scores
    assert max(scores) > min(scores) == 0


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_no_reply_whatever_its_text_makes_a_set_raise(name):
    rng, found = random.Random(name), load_set(name)
    terms = bind(found.rewards)
    for _ in range(300):
        example = rng.choice(found.examples)
        if example.scorer is None or "math_equal" not in example.scorer:
            given = example.given()
            total(terms, replace(given, text=mutated(given.text, rng), tokens=7, group=()))


def test_the_page_of_rewards_is_what_the_code_gives():
    written = runpy.run_path(str(REPOSITORY / "docs" / "reward_sets.py"))["page"]()
    assert (REPOSITORY / "docs" / "rewards.md").read_text() == written, "python docs/reward_sets.py docs/rewards.md"
