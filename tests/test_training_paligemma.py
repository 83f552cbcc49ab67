"""PaliGemma in training: its prompt as published, answers that see no later token, both recipes for a few steps."""

from __future__ import annotations

import json

import pytest
import torch
import yaml
from command import REPOSITORY, spatialeval
from PIL import Image
from test_recipes_full_a import parquet, sat_rows
from tiny_paligemma import write_paligemma

from spatialeval.models.hf.checkpoint import LoadSettings, locate
from spatialeval.models.hf.loading import load
from spatialeval.models.hf.paligemma import mask_answers
from spatialeval.training.steps import read_log

QUESTION = " Answer in natural language. Where? Choose between the following options: left or right"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_paligemma(tmp_path_factory.mktemp("paligemma"))


@pytest.fixture
def loaded(folder):
    return load(locate(str(folder)), LoadSettings(dtype="float32", device="cpu"))


def encoded(loaded, *texts):
    picture = Image.new("RGB", (40, 30), (200, 10, 10))
    shown = {"type": "image", "image": picture}
    chats = [[{"role": "user", "content": [shown, {"type": "text", "text": text}]}] for text in texts]
    padded = {"return_tensors": "pt", "processor_kwargs": {"padding": True}}
    return loaded.renderer.apply_chat_template(chats, tokenize=True, return_dict=True, **padded)


def test_a_prompt_is_pictures_then_bos_then_the_text_and_a_line_break(loaded):
    told = encoded(loaded, QUESTION)
    assert loaded.tokenizer.decode(told["input_ids"][0]) == f"{'<image>' * 4}<bos>{QUESTION}\n"
    assert "labels" not in told
    answer = loaded.renderer(text=["left<eos>"], return_tensors="pt")
    assert loaded.tokenizer.decode(answer["input_ids"][0]) == "left<eos>"
    assert answer["token_type_ids"].tolist() == [[1] * 5]


def log_probs(model, prompt, answer):
    """Return the log-probabilities of an answer's letters, with the zeros for token types that TRL gives."""
    ids = torch.cat([prompt["input_ids"], answer], dim=1)
    labels = ids.clone()
    labels[:, : prompt["input_ids"].shape[1]] = -100
    shown = {"pixel_values": prompt["pixel_values"], "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        out = model(input_ids=ids, labels=labels, token_type_ids=torch.zeros_like(ids), **shown)
    told = out.logits[:, :-1].log_softmax(dim=-1).gather(2, ids[:, 1:, None])[0, :, 0]
    return told[-answer.shape[1] :]


def test_the_letters_of_an_answer_do_not_depend_on_later_ones_and_are_worth_what_generating_makes_of_them(loaded):
    prompt = encoded(loaded, QUESTION)
    one, other = (loaded.tokenizer(text, return_tensors="pt")["input_ids"] for text in ("left", "lefZ"))
    leaking = [log_probs(loaded.model, prompt, answer)[:3] for answer in (one, other)]
    assert not torch.allclose(*leaking, atol=1e-5)
    mask_answers(loaded.model)
    told = [log_probs(loaded.model, prompt, answer)[:3] for answer in (one, other)]
    assert torch.allclose(*told, atol=1e-5)
    config = {"max_new_tokens": 4, "do_sample": False, "output_logits": True, "return_dict_in_generate": True}
    made = loaded.model.generate(**prompt, **config)
    answer = made.sequences[:, prompt["input_ids"].shape[1] :]
    steps = [step.log_softmax(dim=-1)[0, token] for step, token in zip(made.logits, answer[0], strict=True)]
    assert torch.allclose(torch.stack(steps), log_probs(loaded.model, prompt, answer), atol=1e-4)


def test_the_sat_recipe_trains_both_stages_from_the_base_and_what_it_makes_answers(folder, tmp_path):
    recipe = yaml.safe_load((REPOSITORY / "recipes" / "sat_cvbench_v2.yaml").read_text())
    recipe |= {"id": "short", "base": str(folder), "evaluate": []}
    recipe["trl"] |= {"model_init_kwargs": {"dtype": "float32"}, "logging_steps": 1}
    for stage in recipe["stages"]:
        stage["trl"] |= {"max_steps": 2, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1}
    recipe["stages"][1]["trl"] |= {"max_completion_length": 4}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(recipe))
    parquet(tmp_path / "SAT_train.parquet", sat_rows(0, 12))
    given = ["--data", f"sat:train={tmp_path}", "--partial", "--out", tmp_path / "out"]
    ran = spatialeval("train", tmp_path / "short.yaml", *given)
    assert ran.code == 0, ran.err
    for stage in ("sft", "grpo"):
        at = tmp_path / "out" / "short" / "seed-42" / stage
        assert json.loads((at / "stage.json").read_text())["base"] == str(folder)
        assert [line["step"] for line in read_log(at)][:2] == [1, 2]
        tensors = json.loads((at / "adapter" / "adapter_config.json").read_text())["target_modules"]
        assert sorted(tensors) == ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
        made = load(locate(str(at / "final")), LoadSettings(dtype="float32", device="cpu"))
        assert made.model.generate(**encoded(made, QUESTION), max_new_tokens=2).shape[0] == 1
