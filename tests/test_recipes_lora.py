"""LoRA of full-size recipes changes the layers that it should, by their names in the installed transformers."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

from spatialeval.training.load import load_recipe

ALL = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def tiny(kind):
    """Return a model of a kind without memory for its weights: names are all that counts."""
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    heads = {"num_key_value_heads": 1, "vocab_size": 99}
    with torch.device("meta"):
        if kind == "qwen2_vl":
            text = {**sizes, **heads, "bos_token_id": 0, "eos_token_id": 1}
            return Qwen2VLForConditionalGeneration(
                Qwen2VLConfig(text_config=text, vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32})
            )
        seen = {**sizes, "model_type": "siglip_vision_model", "projection_dim": 32}
        text = {**sizes, **heads, "model_type": "gemma2"}
        return PaliGemmaForConditionalGeneration(PaliGemmaConfig(text_config=text, vision_config=seen))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
@pytest.mark.parametrize(
    ("name", "kind", "language", "vision"),
    [
        ("sat_cvbench_v1", "paligemma", {"q_proj", "v_proj"}, {"q_proj", "v_proj"}),
        ("sat_cvbench_v2", "paligemma", ALL, {"q_proj", "k_proj", "v_proj"}),
        ("vsgrpo_2b", "qwen2_vl", ALL, set()),
    ],
)
def test_lora_changes_the_layers_that_the_notes_say(name, kind, language, vision):
    lora = load_recipe(name).recipe.stages[-1].lora
    model = get_peft_model(tiny(kind), LoraConfig(task_type="CAUSAL_LM", **lora.model_dump()))
    found = {False: set(), True: set()}
    for weight, _ in model.named_parameters():
        if ".lora_A." in weight:
            found["vis" in weight].add(weight.partition(".lora_A.")[0].rpartition(".")[2])
    assert found == {False: language, True: vision}
