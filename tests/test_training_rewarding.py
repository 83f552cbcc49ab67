"""The rewards as TRL calls them: every completion is graded once, however many rewards look at it and at its group."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from training_recipes import write_recipe

from spatialeval.rewards.reply import Reply, grouped
from spatialeval.rewards.terms import Term, bind
from spatialeval.training.completions import Completions
from spatialeval.training.exported import Rewards
from spatialeval.training.load import load_recipe
from spatialeval.training.rewarding import RewardFunctions
from spatialeval.training.stages import askable

TERMS = [
    Term(use="score", name="accuracy"),
    Term(use="score(unparsed=-0.2)", name="again", weight=0.5),
    Term(use="in_group(use=score, above=0.5)", name="solved"),
    Term(use="length(most=4)", gate=["score", {"use": "in_group", "above": 1}]),
]


@dataclass
class Counting:
    """A grader that counts what it grades."""

    grader: object
    asked: Counter

    def grade(self, sample, text, finish):
        self.asked[sample.id, text] += 1
        return self.grader.grade(sample, text, finish)


@pytest.fixture
def batch(tmp_path):
    """Two prompts with three completions each: right, wrong and unreadable, in another order."""
    found = load_recipe(write_recipe(tmp_path))
    rows = askable(found, found.recipe.stages[0], 0)[0].rows[:2]
    keys = [row.key for row in rows for _ in range(3)]
    first, second = (row.answer for row in rows)
    return rows, keys, [first, "no idea", f"{first} ", "no idea ", f"  {second}", second]


def expected(rows, keys, texts):
    """Return each term's values by the terms themselves, on replies that share nothing."""
    graders = {row.key: row for row in rows}

    def reply(place, *, alone=False):
        row = graders[keys[place]]
        members = [] if alone else [reply(one, alone=True) for one in range(len(keys)) if keys[one] == keys[place]]
        return Reply(row.sample, texts[place], row.grader, "stop", 3, tuple(members))

    return {term.name: [term(reply(place)) for place in range(len(keys))] for term in bind(TERMS)}


def test_each_completion_is_graded_once_though_rewards_look_at_its_group(batch, tmp_path):
    rows, keys, texts = batch
    asked = Counter()
    counted = {
        row.key: SimpleNamespace(key=row.key, sample=row.sample, grader=Counting(row.grader, asked)) for row in rows
    }
    functions = RewardFunctions(counted, bind(TERMS), frozenset({9}), Completions(tmp_path))
    given = {"completions": texts, "completion_ids": [[1, 2, 9]] * 6, "row": keys}
    state = SimpleNamespace(global_step=0)
    values = {each.__name__: each(**given, trainer_state=state) for each in functions.functions()}
    assert values == expected(rows, keys, texts)
    assert values["solved"] == [2.0] * 6
    assert len(asked) == 6
    assert set(asked.values()) == {1}


def test_exported_rewards_grade_each_reply_once_too(batch):
    rows, keys, texts = batch
    asked = Counter()
    rewards = Rewards(
        bind(TERMS),
        {row.key: row.sample for row in rows},
        {row.key: Counting(row.grader, asked) for row in rows},
        most=8,
    )
    worths = rewards.worth(keys, texts, [3] * 6)
    values = expected(rows, keys, texts)
    assert [worth.values for worth in worths] == [{name: values[name][n] for name in values} for n in range(6)]
    assert set(asked.values()) == {1}


def test_replies_told_their_group_stay_the_same_objects_and_may_be_printed_and_compared(batch):
    rows, keys, texts = batch
    single = [Reply(rows[0].sample, text, rows[0].grader) for text in texts[:3]]
    made = grouped(keys[:3], single)
    assert all(one is other for one, other in zip(made, single, strict=True))
    assert all(reply.group == made for reply in made)
    assert made[0] == Reply(rows[0].sample, texts[0], rows[0].grader)
    assert repr(made[0]).count("Reply(") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("model", "own", "ends"), [(1, 7, {1, 7}), ([1, 2], 7, {1, 2, 7}), (None, 7, {7})])
def test_a_completion_ends_where_trl_ends_it(model, own, ends):
    from spatialeval.training.trainer import _ends

    made = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=model))
    assert set(_ends(SimpleNamespace(model=made, tokenizer=SimpleNamespace(eos_token_id=own)))) == ends
