"""Exports for other engines are loaded as those engines load them, and pay what our training pays."""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import subprocess
import sys
import types
from functools import partial
from pathlib import Path

import pytest
from command import refused, spatialeval
from training_recipes import MAZES, grpo, write_recipe

from spatialeval.errors import DataError
from spatialeval.rewards.reply import Reply
from spatialeval.rewards.terms import RewardError, total
from spatialeval.training.exported import Rewards
from spatialeval.training.load import load_recipe, terms_of
from spatialeval.training.stages import askable

SCENES = "scenes(rows=24)"
REWARDS = [
    {"use": "score(unparsed=-0.2)", "weight": 0.9},
    {"use": "tags(names=[answer])", "weight": 0.1},
    {"use": "score", "name": "choices", "only": ["choice"]},
]


def exported(engine, tmp_path, *, rewards=REWARDS, data=(SCENES,), **changed):
    changed = {"prompt": {}, "base": "embedded", "stages": grpo(max_completion_length=16), **changed}
    file = write_recipe(tmp_path, rewards=rewards, data=list(data), **changed)
    ran = spatialeval("train", file, "--export", engine, "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    found = load_recipe(file)
    return (
        tmp_path / "out",
        askable(found, found.recipe.stages[0], 0)[0].rows,
        terms_of(found.recipe, found.recipe.stages[0]),
        ran,
    )


def replies(row):
    """What rows are asked: the right answer, bare and in tags, a wrong one and none."""
    return [row.answer, f"<answer>{row.answer}</answer>", "<answer>nothing</answer>", "", "A", "yes"]


def ours(row, terms, text):
    reply = Reply(row.sample, text, row.grader, tokens=5)
    return {term.name: term(reply) for term in terms}, total(terms, reply)


def prefixed(values):
    return {f"reward_{name}": value for name, value in values.items()}


def loaded(file, name="custom_reward_fn"):
    """Import a reward module as verl's load_extern_object and EasyR1's AutoRewardManager do."""
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows_of(folder):
    """The data set as verl and EasyR1 read it."""
    import datasets

    return list(
        datasets.load_dataset("parquet", data_files=str(folder / "train.parquet"), cache_dir=str(folder / "c"))["train"]
    )


def test_verl_reads_the_columns_and_calls_the_rewards(tmp_path):
    folder, rows, terms, ran = exported("verl", tmp_path)
    assert f"custom_reward_function.path={folder}/reward.py" in ran.out
    compute = partial(loaded(folder / "reward.py").compute_score)
    records = rows_of(folder)
    assert len(records) == len(rows) == 24
    for record, row in zip(records, rows, strict=True):
        assert set(record) == {"data_source", "prompt", "images", "ability", "reward_model", "extra_info"}
        content = "".join(message["content"] for message in record["prompt"])
        assert content.count("<image>") == len(record["images"]) == 1
        assert content.replace("<image>", "") == "".join(message.text for message in row.request.messages)
        assert record["images"][0]["bytes"] == row.sample.media[0].read()
        for text in replies(row):
            extra = {**record["extra_info"], "num_turns": None, "rollout_reward_scores": {}}
            paid = compute(
                data_source=record["data_source"],
                solution_str=text,
                ground_truth=record["reward_model"]["ground_truth"],
                extra_info=extra,
            )
            values, whole = ours(row, terms, text)
            assert paid.pop("score") == pytest.approx(whole)
            assert {name: None if math.isnan(value) else value for name, value in paid.items()} == prefixed(values)


def test_easyr1_reads_the_columns_and_calls_the_rewards(tmp_path):
    folder, rows, terms, _ = exported("easyr1", tmp_path, rewards=[*REWARDS, "length(most=8)"])
    module = loaded(folder / "reward.py")
    assert module.REWARD_TYPE == "batch"
    records = rows_of(folder)
    inputs, expected = [], []
    for record, row in zip(records, rows, strict=True):
        assert record["prompt"].count("<image>") == len(record["images"]) == 1
        for text in replies(row):
            inputs.append({"response": text, "response_length": 5, "ground_truth": record["answer"]})
            expected.append(ours(row, terms, text))
    for paid, (values, whole) in zip(module.compute_score(inputs), expected, strict=True):
        assert paid.pop("overall") == pytest.approx(whole)
        assert paid == prefixed({name: value for name, value in values.items() if value is not None})


def test_ms_swift_reads_the_lines_and_calls_one_reward_per_name(tmp_path, monkeypatch):
    folder, rows, terms, ran = exported("ms-swift", tmp_path)
    assert (
        "--reward_funcs spatialeval_score spatialeval_tags spatialeval_choices --reward_weights 0.9 0.1 1.0" in ran.out
    )
    swift, rewards = types.ModuleType("swift"), types.ModuleType("swift.rewards")

    class ORM:
        def __init__(self, args=None, **kwargs):
            self.args = args

    rewards.ORM, rewards.orms = ORM, {}
    monkeypatch.setitem(sys.modules, "swift", swift)
    monkeypatch.setitem(sys.modules, "swift.rewards", rewards)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "reward", raising=False)
    importlib.import_module("reward")  # as import_external_file does
    monkeypatch.delitem(sys.modules, "reward")
    functions = {name: make(args=None) for name, make in rewards.orms.items()}
    records = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    for record, row in zip(records, rows, strict=True):
        assert "".join(turn["content"] for turn in record["messages"]).count("<image>") == len(record["images"]) == 1
        assert record["messages"][-1]["role"] == "user"
        assert Path(record["images"][0]).read_bytes() == row.sample.media[0].read()
        texts = replies(row)
        batch = {"row": [record["row"]] * len(texts), "response_token_ids": [[1, 2, 3, 4, 5]] * len(texts)}
        paid = {name: function(texts, trainer_state=None, **batch) for name, function in functions.items()}
        for place, text in enumerate(texts):
            values, _ = ours(row, terms, text)
            assert {name.removeprefix("spatialeval_"): told[place] for name, told in paid.items()} == values


def test_the_module_runs_where_only_the_folder_is(tmp_path):
    folder, rows, _, _ = exported("verl", tmp_path, rewards=["score"], data=[MAZES], prompt={"protocol": "tokens"})
    assert "images" not in rows_of(folder)[0]
    code = (
        "import sys, importlib.util as u\n"
        f"s = u.spec_from_file_location('r', {str(folder / 'reward.py')!r})\n"
        "m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        f"print(m.compute_score('x', {rows[0].answer!r}, '', {{'row': {rows[0].key!r}}})['score'])\n"
        "assert not {'torch', 'trl', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stdout, done.stderr) == ("1.0\n", "")


def test_replies_of_one_prompt_know_their_group_and_cut_ones_are_told_by_their_length(tmp_path):
    folder, rows, _, _ = exported("easyr1", tmp_path, rewards=["score(truncated=none)"])
    rewards, key = Rewards.load(folder), rows[0].key
    whole, cut = rewards.worth([key, key], [rows[0].answer] * 2, [15, 16])
    assert (whole.total, cut.total) == (1.0, None)
    with pytest.raises(DataError, match="no row 'other'"):
        rewards.worth(["other"], [""])


def test_a_reward_that_raises_is_an_error_in_other_engines_too(tmp_path, monkeypatch):
    from spatialeval.rewards.score import AnswerScore

    folder, rows, _, _ = exported("verl", tmp_path, rewards=["score"])

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(AnswerScore, "__call__", broken)
    with pytest.raises(RewardError, match=rows[0].sample.id):
        loaded(folder / "reward.py").compute_score("x", "yes", "", {"row": rows[0].key})


@pytest.mark.parametrize(
    ("engine", "changed", "said"),
    [
        ("verl", {"rewards": ["length"]}, "verl does not tell rewards how long a reply is"),
        ("verl", {"rewards": ["in_group(use=score)"]}, "verl does not tell rewards the other replies to a prompt"),
        ("easyr1", {"prompt": {"protocol": "tokens", "system": "Be brief."}}, "more than one user turn"),
        ("verl", {"prompt": {"protocol": "tokens", "instruction": "{{ question }} <image>"}}, "takes for a picture"),
        ("verl", {"stages": [{"name": "sft", "method": "sft"}]}, "GRPO stages: none"),
        ("verl", {"stages": [grpo()[0], {**grpo()[0], "name": "second"}]}, "GRPO stages: grpo, second"),
        ("verl", {"evaluate": [{"task": MAZES}]}, "rows to train on are questions of its evaluations"),
    ],
)
def test_what_an_engine_cannot_take_is_refused(engine, changed, said, tmp_path):
    file = write_recipe(tmp_path, **{"rewards": ["score"], **changed})
    assert said in " ".join(refused("train", file, "--export", engine, "-o", tmp_path / "out").split())
