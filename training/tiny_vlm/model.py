"""The tiny model from its configs: CLIP tower, projector and Qwen3 decoder in LLaVA's layout; and its tokenizer."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import torch
from lessons import corpus
from mazes import MAZE_TOKENS
from pool import SIDE
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen3Config,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pool import Pooled

HIDDEN, HEADS, PATCH, CONTEXT, MERGED = 128, 4, 16, 8192, 880
CELLS = SIDE // PATCH
IMAGE_TOKENS = CELLS * CELLS
CHAT_TEMPLATE = (
    "{%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{%- if message['content'] is string -%}{{ message['content'] }}{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] in ['image', 'image_url'] -%}{{ '<image>\n' }}"
    "{%- elif part['type'] == 'text' -%}{{ part['text'] }}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}{{ '<|im_end|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)


def make_tokenizer(pool: list[Pooled]) -> PreTrainedTokenizerFast:
    """Byte-level BPE learnt on the lessons, single digits, and every maze token as a word of its own."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    special = ["<pad>", "<unk>", "<|im_start|>", "<|im_end|>", "<image>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=MERGED, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(corpus(random.Random("tokenizer"), pool), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        extra_special_tokens={"image_token": "<image>"},
        padding_side="left",
        model_max_length=CONTEXT,
    )
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in MAZE_TOKENS])
    return tokenizer


def build(pool: list[Pooled]) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """Fresh weights (seed 0) and the processor."""
    tokenizer = make_tokenizer(pool)
    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        do_convert_rgb=True,
    )
    processor = LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    vision = CLIPVisionConfig(
        hidden_size=HIDDEN,
        intermediate_size=3 * HIDDEN,
        num_hidden_layers=3,
        num_attention_heads=HEADS,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=HIDDEN,
        hidden_act="gelu",
    )
    ends = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    text = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=3 * HIDDEN,
        num_hidden_layers=4,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        head_dim=HIDDEN // HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        initializer_range=0.06,
        **ends,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(config)
    for key, value in ends.items():
        setattr(model.generation_config, key, value)
    _smooth_positions(model)
    return model, processor


def _smooth_positions(model: LlavaForConditionalGeneration) -> None:
    """Start the position table as waves in row and column, so that both can be read linearly from the first step."""
    line = torch.linspace(-1, 1, CELLS)[:, None]
    waves = line * torch.tensor([[1.6, 3.1, 6.3]])
    features = torch.cat([line, waves.sin(), waves.cos()], 1)
    columns, rows = features @ torch.randn(7, HIDDEN) * 0.1, features @ torch.randn(7, HIDDEN) * 0.1
    table = model.model.vision_tower.get_submodule("embeddings.position_embedding").weight
    with torch.no_grad():
        table[1:] = (columns[None] + rows[:, None]).reshape(-1, HIDDEN)


def save(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path, dtype: torch.dtype) -> None:
    """Write a checkpoint with the weight names that inference servers read (transformers reads both spellings)."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.image_seq_length = IMAGE_TOKENS  # some readers trust it instead of counting patches
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    file = folder / "model.safetensors"
    weights = {_served_name(name): weight.to(dtype).contiguous() for name, weight in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    file.chmod(0o644)  # the writer makes it private, which would survive into wheels


def _served_name(name: str) -> str:
    name = name.removeprefix("model.")
    name = re.sub(r"^vision_tower\.(?!vision_model\.)", "vision_tower.vision_model.", name)
    name = re.sub(r"^language_model\.(?!model\.|lm_head)", "language_model.model.", name)
    return re.sub(r"^lm_head\.", "language_model.lm_head.", name)
