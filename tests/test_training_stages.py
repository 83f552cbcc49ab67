"""Stages on TRL: a few steps on a tiny text model and on the embedded model, asked exactly as evaluations ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec

import pytest
from command import refused, spatialeval
from training_recipes import GRPO, SFT, grpo, write_base, write_recipe

from spatialeval.rewards import REWARDS
from spatialeval.run.families import trained_families
from spatialeval.training.load import load_recipe
from spatialeval.training.stages import askable

pytestmark = pytest.mark.slow

SCENES = {"task": "scenes(rows=16)"}
LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"]}


@REWARDS.register("raises_on_some")
@dataclass(frozen=True)
class Raises:
    """A broken reward."""

    def __call__(self, reply):
        if reply.sample.id.endswith(("0", "1", "2", "3", "4", "5")):
            raise ZeroDivisionError("no way out of this maze")
        return 1.0


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("model") / "base")


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """The plain recipe, SFT and GRPO, run once."""
    folder = tmp_path_factory.mktemp("trained")
    ran = spatialeval("train", write_recipe(folder, base=str(base)), "--out", folder / "out")
    assert ran.code == 0, ran.err
    return folder / "out" / "tiny" / "seed-0", ran


def lines(stage):
    return [json.loads(line) for line in (stage / "log.jsonl").read_text().splitlines()]


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_sft_and_grpo_run_one_from_the_other(trained, base):
    folder, _ = trained
    told = {name: json.loads((folder / name / "stage.json").read_text()) for name in ("sft", "grpo")}
    assert [told[name]["base"] for name in told] == [str(base), str(folder / "sft" / "final")]
    assert all(stage["ended"] and stage["packages"]["trl"] for stage in told.values())
    assert [line["step"] for line in lines(folder / "sft")] == [1, 2, 3, 4, 4]
    losses = [line["loss"] for line in lines(folder / "sft")[:4]]
    assert losses[-1] < losses[0]
    reached = lines(folder / "grpo")[0]
    whole = reached["rewards/score/mean"] + 0.5 * reached["rewards/length/mean"]
    assert reached["reward"] == pytest.approx(whole)


def test_a_stage_can_start_from_the_base_or_from_any_stage_above(base, tmp_path):
    first = {"name": "first", "method": "sft", "trl": {**SFT, "max_steps": 1}}
    stages = [first, {**first, "name": "beside", "start": "base"}, {**first, "name": "after", "start": "first"}]
    assert spatialeval("train", write_recipe(tmp_path, base=str(base), stages=stages), "--out", tmp_path).code == 0
    folder = tmp_path / "tiny" / "seed-0"
    bases = [json.loads((folder / name / "stage.json").read_text())["base"] for name in ("first", "beside", "after")]
    assert bases == [str(base), str(base), str(folder / "first" / "final")]


def test_a_run_prints_few_lines_and_no_warning(trained):
    _, ran = trained
    assert "  sft 4/4: loss " in ran.out
    assert "  grpo 4/4: " in ran.out
    assert "{'" not in ran.out
    assert "Warning" not in ran.err
    assert "examples/s" not in ran.err
    assert len(ran.out.splitlines()) <= 8


def test_completions_are_kept_with_their_rewards(trained):
    import pyarrow.parquet as pq

    folder, _ = trained
    files = sorted((folder / "grpo" / "completions").glob("*.parquet"))
    assert len(files) == 4
    for file, line in zip(files, lines(folder / "grpo"), strict=False):
        rows = pq.read_table(file).to_pylist()
        assert len(rows) == 4
        assert {row["row"] for row in rows} <= {f"0|maze-7-{number:05d}|0" for number in range(24)}
        assert sum(row["reward_score"] for row in rows) / 4 == pytest.approx(line["rewards/score/mean"])
        assert [row["score"] for row in rows] == [row["reward_score"] for row in rows]
        assert sum(row["tokens"] for row in rows) / 4 == pytest.approx(line["completions/mean_length"])
        assert all((row["finish"] == "length") == (row["tokens"] == 6) or row["tokens"] == 6 for row in rows)


def test_curves_are_drawn_at_the_end(trained):
    folder, _ = trained
    drawn = (folder / "grpo" / "curves.svg").read_text()
    for text in ("tiny, grpo, seed 0", "reward, mean of the batch", "length", "share of groups without spread"):
        assert text in drawn
    assert (folder / "grpo" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "share of tokens predicted" in (folder / "sft" / "curves.svg").read_text()


def encoded_by_evaluation(folder, rows):
    from spatialeval.models.hf.checkpoint import LoadSettings, locate
    from spatialeval.models.hf.engine import Engine
    from spatialeval.models.pictures import Pictures

    engine = Engine.load(locate(str(folder)), LoadSettings(device="cpu"), Pictures())
    for row in rows:
        chat = [engine._turn(message) for message in row.request.messages]
        yield {name: value.tolist() for name, value in engine._encode([chat]).items()}


def trainer_of(file, method, folder):
    from spatialeval.training.completions import Completions
    from spatialeval.training.stages import base_of
    from spatialeval.training.trainer import Job, _load, make_trainer

    found = load_recipe(file)
    stage = next(stage for stage in found.recipe.stages if stage.method == method)
    rows = askable(found, stage, 0)[0].rows
    job = Job(found, stage, 0, base_of(found), rows, folder)
    return make_trainer(job, _load(job), Completions(folder)), rows


@pytest.mark.parametrize("task", ["mazes", "scenes"])
def test_grpo_shows_the_tokens_and_pixels_that_an_evaluation_shows(task, base, tmp_path):
    changed = {"base": str(base)} if task == "mazes" else {"base": "embedded", "prompt": {}, "data": [SCENES]}
    trainer, rows = trainer_of(write_recipe(tmp_path, **changed), "grpo", tmp_path)
    model = base if task == "mazes" else trainer.model.config._name_or_path
    records = [trainer.train_dataset[place] for place in range(len(rows))]
    assert [record["row"] for record in records] == [row.key for row in rows]
    for record, expected in zip(records, encoded_by_evaluation(model, rows), strict=True):
        prompt = [dict(turn) for turn in record["prompt"]]
        if "images" in record:
            from trl.data_utils import prepare_multimodal_messages

            prompt = prepare_multimodal_messages(prompt, images=record["images"])
        ids, _, pixels = trainer._tokenize_prompts([prompt])
        assert ids == expected["input_ids"]
        if "images" in record:
            assert [value.tolist() for value in pixels["pixel_values"]] == expected["pixel_values"]


@pytest.mark.parametrize("task", ["mazes", "scenes"])
def test_sft_learns_the_answer_after_the_tokens_that_an_evaluation_shows(task, base, tmp_path):
    changed = {"base": str(base)} if task == "mazes" else {"base": "embedded", "prompt": {}, "data": [SCENES]}
    trainer, rows = trainer_of(write_recipe(tmp_path, **changed), "sft", tmp_path)
    model = base if task == "mazes" else trainer.model.config._name_or_path
    tokenizer = getattr(trainer.processing_class, "tokenizer", trainer.processing_class)
    for place, expected in enumerate(encoded_by_evaluation(model, rows)):
        batch = trainer.data_collator([trainer.train_dataset[place]])
        ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
        (prompt,) = expected["input_ids"]
        assert ids[: len(prompt)] == prompt
        assert labels[: len(prompt)] == [-100] * len(prompt)
        learnt = [token for token in labels if token != -100]
        assert learnt == ids[len(prompt) : len(prompt) + len(learnt)]
        assert tokenizer.decode(learnt, skip_special_tokens=True).strip() == rows[place].answer.strip()
        assert trainer.model.generation_config.eos_token_id in learnt[-2:]  # a template may put a line break behind


def test_both_methods_run_on_pictures_with_views_whose_families_are_written_down(tmp_path):
    few = {"max_steps": 2, "save_steps": 2}
    stages = [
        {"name": "sft", "method": "sft", "trl": {**SFT, **few}, "freeze": ["vision_tower"]},
        {"name": "grpo", "method": "grpo", "trl": {**GRPO, **few, "beta": 0.04, "learning_rate": 1e-4}},
    ]
    data = [{**SCENES, "views": ["mirror"], "limit": 8}]
    file = write_recipe(tmp_path, base="embedded", prompt={}, data=data, stages=stages)
    ran = spatialeval("train", file, "--out", tmp_path)
    assert ran.code == 0, ran.err
    folder = tmp_path / "tiny" / "seed-0"
    assert trained_families(f"hf:{folder / 'grpo' / 'final'}") == {"mirror"}
    assert "kl" in lines(folder / "grpo")[0]
    from spatialeval.models.hf.model import EMBEDDED

    before, after = weights(EMBEDDED), weights(folder / "sft" / "final")
    moved = {name for name in before if not before[name].equal(after[name])}
    assert moved
    assert not [name for name in moved if "vision_tower" in name]


def test_adapters_are_merged_so_that_the_model_loads_as_any_other(base, tmp_path):
    stage = {**grpo(max_steps=2)[0], "lora": LORA}
    file = write_recipe(tmp_path, base=str(base), stages=[stage])
    assert spatialeval("train", file, "--out", tmp_path).code == 0
    folder = tmp_path / "tiny" / "seed-0" / "grpo"
    before, after = weights(base), weights(folder / "final")
    assert set(before) == set(after)
    moved = {name.split(".")[-2] for name in before if not before[name].equal(after[name])}
    assert moved <= {"q_proj", "v_proj"}
    assert (folder / "adapter" / "adapter_model.safetensors").exists()


def test_weights_that_are_frozen_get_no_adapter_that_learns(base, tmp_path):
    stage = {"name": "sft", "method": "sft", "trl": {**SFT, "max_steps": 2}, "lora": LORA, "freeze": ["v_proj"]}
    assert spatialeval("train", write_recipe(tmp_path, base=str(base), stages=[stage]), "--out", tmp_path).code == 0
    before, after = weights(base), weights(tmp_path / "tiny" / "seed-0" / "sft" / "final")
    assert {name.split(".")[-2] for name in before if not before[name].equal(after[name])} == {"q_proj"}


@pytest.mark.parametrize(
    ("stage", "at", "said"),
    [
        (
            grpo(num_generation=2)[0],
            "num_generation:",
            "TRL's GRPOConfig. Did you mean 'num_generations'",
        ),
        (grpo(num_generations=3)[0], "num_generations: 3", "must be a multiple of num_generations"),
        (grpo(loss_type="none")[0], None, "Unknown loss type"),
        (grpo(model_init_kwargs={"devices": 1})[0], "model_init_kwargs:", "takes dtype and trust_remote_code"),
        (grpo(per_device_train_batch_size=64)[0], None, "has 24 rows, and one batch of 64 completions needs 32"),
        pytest.param(
            grpo(use_vllm=True)[0],
            None,
            "vLLM is not available",
            marks=pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed"),
        ),
        ({**grpo()[0], "freeze": ["nothing"]}, None, "no weight is called 'nothing'"),
        ({**grpo()[0], "lora": {"rank": 3}}, None, "stages.0.lora.rank: is no argument of peft's LoraConfig"),
        ({**grpo()[0], "lora": {"target_modules": ["no_such"]}}, None, "no_such"),
    ],
    ids=["unknown", "batch", "value", "loading", "rows", "vllm", "freeze", "lora", "modules"],
)
def test_what_trl_and_peft_refuse_is_said_without_a_traceback(stage, at, said, base, tmp_path):
    file = write_recipe(tmp_path, base=str(base), stages=[stage])
    ran = spatialeval("train", file, "--out", tmp_path)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert said in ran.text
    if at:
        number = next(n for n, line in enumerate(file.read_text().splitlines(), 1) if at in line)
        assert f"{file}:{number}: stages.0.trl." in ran.err


def test_a_wrong_argument_of_a_later_stage_is_found_before_the_first_is_trained(base, tmp_path):
    stages = [{"name": "sft", "method": "sft", "trl": SFT}, *grpo(num_generation=2)]
    file = write_recipe(tmp_path, base=str(base), stages=stages)
    assert "stages.1.trl.num_generation" in refused("train", file, "--out", tmp_path)


def test_a_reward_that_raises_stops_training_with_the_sample_and_never_becomes_a_number(base, tmp_path):
    file = write_recipe(tmp_path, base=str(base), rewards=["raises_on_some"], stages=grpo())
    ran = spatialeval("train", file, "--out", tmp_path)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert (
        "the reward 'raises_on_some' raised ZeroDivisionError: no way out of this maze for sample 'maze-7-" in ran.text
    )
    folder = tmp_path / "tiny" / "seed-0" / "grpo"
    assert not (folder / "final").exists()
    assert json.loads((folder / "stage.json").read_text())["ended"] is None


def test_solved_and_hopeless_prompts_are_left_out_and_asked_once(tmp_path, monkeypatch):
    stage = {**grpo(max_steps=1, max_completion_length=8)[0], "filter": {"samples": 4}}
    file = write_recipe(tmp_path, base="embedded", prompt={}, data=[{"task": "scenes(rows=48)"}], stages=[stage])
    ran = spatialeval("train", file, "--out", tmp_path)
    assert ran.code == 0, ran.err
    folder = tmp_path / "tiny" / "seed-0" / "grpo"
    told = [json.loads(line) for line in (folder / "filter.jsonl").read_text().splitlines()]
    assert len(told) == 48
    solved = sum(line["right"] == 4 for line in told)
    hopeless = sum(line["right"] == 0 for line in told)
    assert solved > 0
    assert 48 - solved - hopeless > 0
    assert f"kept {48 - solved - hopeless} of 48 prompts ({hopeless} hopeless, {solved} solved left out)" in ran.out
    assert json.loads((folder / "stage.json").read_text())["filtered"] == {"hopeless": hopeless, "solved": solved}
    from spatialeval.training import solving

    async def never(*_):
        pytest.fail("a prompt that was asked before is asked again")

    monkeypatch.setattr(solving, "_ask", never)
    (folder / "log.jsonl").unlink()
    told = json.loads((folder / "stage.json").read_text())
    (folder / "stage.json").write_text(json.dumps({**told, "ended": None}))
    assert spatialeval("train", file, "--out", tmp_path).code == 0
