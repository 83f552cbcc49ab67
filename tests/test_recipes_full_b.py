"""The full-size recipes of PanoEnv, SURDS, RewardMap and Ariadne, dry-run on rows in their published columns."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from itertools import pairwise

import pytest
import recipe_rows_b as made
from command import spatialeval

from spatialeval.rewards.reply import Reply
from spatialeval.rewards.terms import total
from spatialeval.training.arguments import config_of, derived
from spatialeval.training.load import load_recipe, terms_of
from spatialeval.training.placing import Places, pairs
from spatialeval.training.preview import canned
from spatialeval.training.stages import askable

BATCH = re.compile(r"(\d+) completions? x (\d+) GPUs x (\d+) accumulated = (\d+), which are (\d+) prompts of (\d+)")
RECIPES = ["panoenv_7b", "panoenv_7b_combined", "surds_3b", "rewardmap_7b", "ariadne_7b"]


def places(name, folder):
    """Write rows for every task of a recipe that needs some; return the options that say where they are."""
    found = load_recipe(name)
    tasks = {one.task for stage in found.recipe.stages for one in stage.data or found.recipe.data}
    tasks |= {exam.task for exam in found.recipe.evaluate}
    data = {}
    if "panoenv" in tasks:
        made.panoenv(folder / "panoenv")
        data |= dict.fromkeys(("panoenv", "panoenv:train", "panoenv:val"), folder / "panoenv")
    if "surds" in tasks:
        data["surds:train"] = made.surds(folder / "surds")
    if "reasonmap:train" in tasks:
        made.reasonmap_train(folder / "reasonmap")
        data |= dict.fromkeys(("reasonmap:train", "reasonmap_plus:train"), folder / "reasonmap")
    if "ariadne:published" in tasks:
        made.ariadne(folder / "ariadne")
        data |= dict.fromkeys(("ariadne:published", "ariadne:published_test"), folder / "ariadne")
    for task in tasks - set(data) - {"ariadne:beyond"}:
        data[task] = made.example_rows(task, folder / "exams" / task.replace(":", "_"))
    return [word for task, path in data.items() for word in ("--data", f"{task}={path}")]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Recipe name -> the options of its rows."""
    return {name: places(name, tmp_path_factory.mktemp(name)) for name in RECIPES}


def placed(name, here):
    return Places(pairs(here[name][1::2], "--data"), {}, partial=True).put_into(load_recipe(name))


def rows_of(name, here):
    """Yield stage, terms and row of everything that a recipe would train on here."""
    found = placed(name, here)
    for stage in found.recipe.stages:
        for row in askable(found, stage, 0)[0].rows:
            yield stage.name, terms_of(found.recipe, stage), row


@pytest.mark.parametrize("name", RECIPES)
def test_a_dry_run_shows_arguments_prompts_and_that_a_right_answer_is_paid_in_full(name, here):
    ran = spatialeval("train", name, "--dry-run", "--partial", *here[name])
    assert ran.code == 0, ran.err
    recipe = load_recipe(name).recipe
    for stage in recipe.stages:
        shown = ran.out.partition(f"\n{stage.name} (grpo): ")[2].partition("\n\n")[0]
        arguments = {**recipe.trl, **stage.trl}
        told = next(line for line in shown.splitlines() if line.startswith("  TRL: "))
        for key in ("num_generations", "beta", "learning_rate", "loss_type", "max_completion_length", "temperature"):
            assert f"{key}={arguments[key]!r}" in told
        assert shown.count("  prompt: ") in {1, 2}
        paid = re.findall(r"^ +([a-z, ]+): .* -> ([-0-9.]+) \(", shown, re.MULTILINE)
        best = [float(value) for kind, value in paid if kind.startswith("right")]
        none = [float(value) for kind, value in paid if kind in {"no answer", "empty"}]
        assert max(best) >= 1
        assert none
        assert set(none) == {0}
    assert "Nothing was trained." in ran.out


def full(name, row):
    """Return what the published rewards add up to for a right reply in the right form."""
    if name.startswith("panoenv"):
        return 1.0
    if name == "surds_3b":
        return 3.0
    if name == "ariadne_7b":
        moves = row.sample.target.split(", ")
        return 2 * len(moves) * (1 + sum(one != other for one, other in pairwise(moves))) + 0.2
    hard = {"easy": 1.0, "middle": 1.2, "hard": 1.5}[row.sample.facets["city"][0]]
    if row.sample.answer != "json":
        return 10 * hard
    transfers = row.sample.meta["transfers"]
    detail = 2 + 3 * 2 + 1 - 5 if transfers else 2 + 4 - 5  # the published 5 off for the last leg
    return (hard + 0.5 * (transfers > 0)) * (10 + 0.5 * detail)


@pytest.mark.parametrize("name", RECIPES)
def test_every_right_answer_earns_what_the_formula_gives(name, here):
    seen = set()
    for stage, terms, row in rows_of(name, here):
        best = max(reply.total for reply in canned(row, terms) if reply.name.startswith("right"))
        assert best == pytest.approx(full(name, row)), row.key
        seen.add((stage, row.sample.category, row.sample.answer))
    assert len(seen) >= 2


WRONG = {
    "panoenv_7b": {
        "yesno": ["<Reasoning>r</Reasoning><Answer>{other}</Answer>"],
        "number": ["<Reasoning>r</Reasoning><Answer>987654 m</Answer>"],
        "text": ["<Reasoning>r</Reasoning><Answer>zzz</Answer>"],
    },
    "surds_3b": {
        "label": ["<location>nothing: [1, 1, 2, 2]</location><think>t</think><answer>{other}</answer>"],
        "points": ["<location>nothing: [1, 1, 2, 2]</location><think>t</think><answer>[1, 1]</answer>"],
    },
    "rewardmap_7b": {
        "yesno": ["\\boxed{{{other}}}"],
        "choice": ["\\boxed{{{other}}}"],
        "number": ["\\boxed{{77}}"],
        "json": ["Route Name: Line 99\nDeparture Stop: Nowhere\nArrival Stop: Elsewhere", "Walk."],
    },
}
FORM = {"panoenv_7b": 0.1, "surds_3b": 1.0, "rewardmap_7b": 0.0}


def other(sample):
    """Return an answer that is not the right one."""
    known = sample.labels or ("yes", "no") if sample.answer in {"yesno", "label"} else "ABCD"
    return next(value for value in known if value != sample.target)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_earn_at_most_their_form(name, here):
    for _, terms, row in rows_of(name, here):
        for form in WRONG[name][row.sample.answer]:
            said = form.format(other=other(row.sample)) if "{" in form else form
            reply = Reply(row.sample, said, row.grader, tokens=9)
            assert reply.score.value == 0, (row.key, said)
            assert total(terms, reply) == pytest.approx(FORM[name]), (row.key, said)


def test_a_first_wrong_move_earns_nothing_and_the_first_right_ones_half(here):
    for _, terms, row in rows_of("ariadne_7b", here):
        moves = row.sample.target.split(", ")
        back = {"up": "down", "down": "up", "left": "right", "right": "left"}
        wrong = Reply(row.sample, f"<think>t</think><|{back[moves[0]]}|>", row.grader)
        assert total(terms, wrong) == pytest.approx(0.2)  # two forms
        first = Reply(row.sample, f"<think>t</think><|{moves[0]}|><|{back[moves[0]]}|>", row.grader)
        assert total(terms, first) == pytest.approx(1.2)


@pytest.mark.parametrize("name", RECIPES)
def test_batches_are_what_the_notes_say_for_the_stated_number_of_gpus(name):
    found = load_recipe(name)
    told = [BATCH.search(note) for note in found.recipe.notes]
    (each, gpus, accumulated, completions, prompts, group) = map(int, next(match for match in told if match).groups())
    assert each * gpus * accumulated == completions == prompts * group
    for stage in found.recipe.stages:
        config = config_of(found, stage, derived(found, stage, 0, found.file.parent))
        assert (config.per_device_train_batch_size, config.gradient_accumulation_steps) == (each, accumulated)
        assert config.num_generations == group
        assert config.beta > 0
        assert config.loss_type == "grpo"


def test_panoenv_trains_closed_questions_first_and_then_all(here):
    seen = {}
    for stage, _, row in rows_of("panoenv_7b", here):
        seen.setdefault(stage, set()).add(row.sample.category)
    assert seen == {
        "structured": {"true_false", "multiple_choice"},
        "mixed": {"true_false", "multiple_choice", "open_ended"},
    }
    kinds = {row.sample.meta["method"] for _, _, row in rows_of("panoenv_7b", here)}
    assert {"yes_no", "mcq", "distance", "spatial"} <= kinds


def test_rewardmap_goes_from_yes_or_no_over_counting_to_routes(here):
    found = load_recipe("rewardmap_7b").recipe
    assert [found.start_of(stage) for stage in found.stages[1:]] == ["true_or_false", "counting_2_3", "counting_1"]
    seen = [(stage, row.sample.category, row.sample.answer) for stage, _, row in rows_of("rewardmap_7b", here)]
    assert [kind for _, kind, answer in seen if answer != "json"] == [
        "TorF1", "TorF2", "Counting2", "Counting3", "Counting1",
    ]  # fmt: skip
    assert [stage for stage, _, answer in seen if answer == "json"] == ["planning", "planning"]


def test_ariadne_is_trained_from_short_paths_to_long_ones_and_is_not_shuffled(here):
    rows = [row.sample for _, _, row in rows_of("ariadne_7b", here)]
    lengths = [(int(one.facets["length"][0]), int(one.facets["turns"][0])) for one in rows]
    assert lengths == sorted(lengths)
    assert {length for length, _ in lengths} == {1, 2, 3, 4, 5}
    found = placed("ariadne_7b", here)
    config = config_of(found, found.recipe.stages[0], derived(found, found.recipe.stages[0], 0, found.file.parent))
    assert config.shuffle_dataset is False


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("panoenv_7b", "Your <Answer> must be EXACTLY"),
        ("surds_3b", "Which direction is the white van facing"),
        ("rewardmap_7b", "\\boxed{}"),
        ("ariadne_7b", "Please navigate from the origin to the target"),
    ],
)
def test_the_first_prompt_is_the_published_one(name, said, here):
    _, _, row = next(rows_of(name, here))
    messages = row.request.messages
    assert said in messages[-1].text
    assert [message.role for message in messages] == (["system", "user"] if name == "ariadne_7b" else ["user"])
    assert len(messages[-1].images) == 1


def test_networks_of_metro_rows_come_from_the_files_beside_them_or_are_asked_for(tmp_path):
    made.reasonmap_train(tmp_path / "rows")
    stations = next((tmp_path / "rows" / "stations").glob("*/*.json"))
    stations.unlink()
    ran = spatialeval(
        "train", "rewardmap_7b", "--dry-run", "--partial", *places("rewardmap_7b", tmp_path / "whole"),
        "--data", f"reasonmap:train={tmp_path / 'rows'}",
    )  # fmt: skip
    assert ran.code == 2
    assert f"stations/{stations.parent.name}/{stations.name}, which is in fscdc/ReasonMap" in ran.text


def small_qwen():
    """Return a model of Qwen2.5-VL's architecture, as small as it can be."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "bos_token_id": None, "eos_token_id": 0}
    vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text | heads, vision_config=vision))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
@pytest.mark.parametrize("name", ["panoenv_7b", "panoenv_7b_combined", "ariadne_7b"])
def test_adapters_and_freezing_name_the_weights_of_qwen(name):
    from peft import LoraConfig, get_peft_model

    for stage in load_recipe(name).recipe.stages:
        model = small_qwen()
        named = [weight for weight, _ in model.named_parameters()]
        frozen = {weight for weight in named for pattern in stage.freeze if fnmatch(weight, f"*{pattern}*")}
        assert frozen == {weight for weight in named if weight.startswith("model.visual.")}
        if stage.lora is None:
            continue
        adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **stage.lora.model_dump()))
        trained = [weight for weight, value in adapted.named_parameters() if value.requires_grad]
        assert all(".language_model.layers." in weight for weight in trained)
        assert len(trained) == 2 * 7 * 2  # two matrices for each of seven projections in two layers


def test_the_small_curriculum_grows_in_size_and_length_from_stage_to_stage():
    found = load_recipe("maze_curriculum_small")
    assert [found.recipe.start_of(stage) for stage in found.recipe.stages] == ["base", "short", "middle"]
    seen = []
    for stage in found.recipe.stages:
        few = [source.model_copy(update={"task": re.sub(r"rows=\d+", "rows=12", source.task)}) for source in stage.data]
        less = found._replace(recipe=found.recipe.model_copy(update={"evaluate": []}))
        told = [row.sample.meta for row in askable(less, stage.model_copy(update={"data": few}), 0)[0].rows]
        seen.append([max(int(one["path_length"]) for one in told), max(int(one["size"]) for one in told)])
        assert config_of(found, stage, derived(found, stage, 0, found.file.parent)).max_steps > 0
    lengths = [length for length, _ in seen]
    assert lengths == sorted(set(lengths))
    assert seen[1][1] < seen[2][1]
