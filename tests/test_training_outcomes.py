"""What a loop makes of its evaluations: means over seeds, which models are compared with which, and what that cost."""

from __future__ import annotations

import json
from statistics import fmean
from types import SimpleNamespace

import pytest
from command import spatialeval
from training_recipes import GRPO, SFT, write_recipe

from spatialeval.run.results import read_samples
from spatialeval.stats.estimate import estimate
from spatialeval.stats.paired import paired
from spatialeval.training.costs import exam_costs, stage_cost
from spatialeval.training.exams import Drawn, Result
from spatialeval.training.load import load_recipe
from spatialeval.training.outcomes import lines_of
from spatialeval.training.telling import markdown

TASK = "scenes(rows=18, seed=5)"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of a run of each of some models that look at no picture."""
    out = tmp_path_factory.mktemp("runs")
    for model in ("random", "oracle", "constant:left", "constant:yes"):
        ran = spatialeval("run", "-t", TASK, "-m", model, "--out", out)
        assert ran.code == 0, ran
    return {json.loads(file.read_text())["about"]["model"]: file.parent for file in out.rglob("summary.json")}


def recipe(folder):
    """Return a recipe of which one stage starts from the base again."""
    stages = [
        {"name": "sft", "method": "sft", "trl": SFT},
        {"name": "grpo", "method": "grpo", "trl": GRPO},
        {"name": "alone", "method": "grpo", "start": "base", "trl": GRPO},
    ]
    file = write_recipe(folder, prompt={}, stages=stages, evaluate=[{"task": TASK, "samples": 2}], seeds=[0, 1])
    return load_recipe(file).recipe


def worths(folder):
    rows = read_samples(folder, ["sample_id", "group", "score"]).to_pylist()
    return {row["sample_id"]: (row["score"], ("group", row["group"])) for row in rows}


def results_of(exam, runs):
    """Return evaluations of the base and of three stages under two seeds, some with drawn replies."""
    names = {
        ("base", None): "random",
        ("sft", 0): "constant:left",
        ("sft", 1): "constant:yes",
        ("grpo", 0): "oracle",
        ("grpo", 1): "constant:yes",
        ("alone", 0): "oracle",
        ("alone", 1): "oracle",
    }
    found = []
    for (model, seed), name in names.items():
        first = worths(runs[name])
        any_of = {key: (1.0, cluster) for key, (_, cluster) in first.items()}
        found.append(Result(exam, model, seed, runs[name], Drawn(2, 1.0, first, any_of, runs[name])))
    return found


def test_a_question_is_worth_its_mean_over_the_seeds(runs, tmp_path):
    told = recipe(tmp_path)
    lines = {line.model: line for line in lines_of(told, results_of(told.evaluate[0], runs))}
    one, two = worths(runs["constant:left"]), worths(runs["constant:yes"])
    assert lines["sft"].scores == [pytest.approx(fmean(value for value, _ in side.values())) for side in (one, two)]
    means = [fmean([one[name][0], two[name][0]]) for name in one]
    assert lines["sft"].estimates["score"] == estimate(means, [one[name][1] for name in one])
    assert lines["alone"].estimates["pass_k"].mean == 1.0
    assert len(lines["grpo"].folders) == 4


def test_each_stage_is_compared_with_the_base_with_its_start_and_with_the_one_listed_before(runs, tmp_path):
    told = recipe(tmp_path)
    lines = {line.model: line for line in lines_of(told, results_of(told.evaluate[0], runs))}
    over = {model: list(dict.fromkeys(gain.over for gain in line.gains)) for model, line in lines.items()}
    assert over == {"base": [], "sft": ["base"], "grpo": ["base", "sft"], "alone": ["base", "grpo"]}
    assert {model: line.before for model, line in lines.items()} == {
        "base": "base",
        "sft": "base",
        "grpo": "sft",
        "alone": "base",
    }
    for line in lines.values():
        assert [gain.measure for gain in line.gains] == ["score", "pass_1", "pass_k"] * len(over[line.model])
    base, alone = worths(runs["random"]), worths(runs["oracle"])
    groups = [base[name][1] for name in base]
    expected = paired([base[name][0] for name in base], [alone[name][0] for name in base], groups)
    gain = lines["alone"].gain("score", "base")
    assert gain.paired == expected
    assert gain.p >= expected.p


def test_an_exam_of_which_nothing_is_answered_has_no_score_and_no_gain(runs, tmp_path):
    told = recipe(tmp_path)
    lines = lines_of(told, [])
    assert [line.model for line in lines] == ["base", "sft", "grpo", "alone"]
    assert not any(line.estimates or line.gains or line.scores for line in lines)


@pytest.mark.parametrize(
    ("counts", "tokens"),
    [([10, 20, 30], 30), ([10, 20, 5, 15], 35), ([None, 7, None], 7), ([None], None)],
    ids=["one go", "counted anew after a resumption", "not in every line", "never"],
)
def test_tokens_are_added_up_over_resumptions(counts, tokens, tmp_path):
    lines = [
        {"step": step, **({} if count is None else {"num_tokens": float(count)})} for step, count in enumerate(counts)
    ]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    trained = SimpleNamespace(stage="sft", seed=3, model=tmp_path / "final", told={"seconds": 2.5})
    cost = stage_cost(trained)
    assert (cost.tokens, cost.steps, cost.completions, cost.seconds) == (tokens, len(counts) - 1, 0, 2.5)


def test_evaluations_are_counted_once_however_many_seeds_share_their_folder(runs):
    shared = [Result(None, "base", None, runs["random"], None) for _ in range(3)]
    (cost,) = exam_costs(shared)
    assert cost.model == "base"
    assert cost.calls == 18


def test_gains_are_told_seed_by_seed_too(runs, tmp_path):
    told = recipe(tmp_path)
    lines = lines_of(told, results_of(told.evaluate[0], runs))
    cost = {"stage_costs": [], "exam_costs": [], "seeds": [0, 1], "lines": lines}
    table = markdown(SimpleNamespace(found=SimpleNamespace(recipe=told), **cost))
    base, grpo, sft = (next(line for line in lines if line.model == name) for name in ("base", "grpo", "sft"))
    row = next(text for text in table.splitlines() if "| score | grpo over sft |" in text)
    single = [f"{100 * (after - before):+.1f}" for before, after in zip(sft.scores, grpo.scores, strict=True)]
    assert row.endswith(f"| {', '.join(single)} |")
    assert single[1] == "+0.0"
    row = next(text for text in table.splitlines() if "| score | sft over base |" in text)
    assert row.endswith(f"| {', '.join(f'{100 * (value - base.scores[0]):+.1f}' for value in sft.scores)} |")
