"""Make the base of the recipe `alphamaze_small`: a small text model with random weights that knows mazes' tokens only.

    python training/tiny_text/make.py --out training/tiny_text/base

One word of its vocabulary is one whole cell, such as `<|0-0|><|up_left_wall|><|origin|>`, so that a 5 x 5 maze is 25
tokens: on a CPU the length of the prompt is what training costs. Line breaks between rows are dropped, as coordinates
say the same. A cell's vector begins as the sum of random vectors for its row, its column, its walls and its mark, as if
these were read one by one; without that, thousands of cells would have to be told apart from examples.
"""

from __future__ import annotations

import argparse
import itertools
import re
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from spatialeval.mazes import STEPS

MARKS = ("blank", "origin", "target")
SPECIAL = ("<|unknown|>", "<|pad|>", "<|solve|>", "<|end|>", "<think>", "</think>")
TEMPLATE = (
    "{% for message in messages %}{{ message.content }}"
    "{% if message.role == 'assistant' %}<|end|>{% else %}<|solve|>{% endif %}{% endfor %}"
)


def words(size: int) -> list[str]:
    """Return the vocabulary for mazes of up to `size` cells along each side."""
    walls = ["no", *("_".join(sides) for many in range(1, 5) for sides in itertools.combinations(STEPS, many))]
    places = [f"<|{row}-{column}|>" for row in range(size) for column in range(size)]
    cells = [f"{place}<|{wall}_wall|><|{mark}|>" for place in places for wall in walls for mark in MARKS]
    return [*SPECIAL, *(f"<|{move}|>" for move in STEPS), *places, *cells]


def make_tokenizer(size: int) -> PreTrainedTokenizerFast:
    """Return the tokenizer; what is no maze becomes `<|unknown|>`."""
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words(size))}, SPECIAL[0]))
    tokenizer.normalizer = normalizers.Replace(Regex(r"\s+"), "")
    cell = r"<\|[0-9]+-[0-9]+\|><\|[a-z_]+_wall\|><\|(?:blank|origin|target)\|>"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(rf"{cell}|<\|[^|]*\|>|</?think>"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=SPECIAL[0],
        pad_token=SPECIAL[1],
        eos_token=SPECIAL[3],
        padding_side="left",
    )
    fast.chat_template = TEMPLATE
    return fast


PLACE = re.compile(r"<\|(\d+)-(\d+)\|>(?:<\|([a-z_]+)_wall\|><\|(\w+)\|>)?")


def compose_vectors(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Make the vector of every place and cell the sum of its parts'."""
    table = model.get_input_embeddings().weight.data
    parts: dict[str, torch.Tensor] = {}
    for word, place in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        if (match := PLACE.fullmatch(word)) is None:
            continue
        row, column, walls, mark = match.groups()
        names = [f"row {row}", f"column {column}", *([mark, *walls.split("_")] if walls else ["place"])]
        for name in names:
            parts.setdefault(name, torch.randn(table.shape[1]) * model.config.initializer_range)
        table[place] = torch.stack([parts[name] for name in names]).sum(0)


def make(out: Path, *, size: int, hidden: int, layers: int, seed: int) -> int:
    """Write the base; return its number of weights."""
    tokenizer = make_tokenizer(size)
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers,
        num_attention_heads=hidden // 32, num_key_value_heads=hidden // 32, head_dim=32, max_position_embeddings=512,
        tie_word_embeddings=True, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )  # fmt: skip
    model = Qwen3ForCausalLM(config)
    compose_vectors(model, tokenizer)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return sum(weight.numel() for weight in model.parameters())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=6)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    weights = make(given.out, size=given.size, hidden=given.hidden, layers=given.layers, seed=given.seed)
    print(f"{weights:,} weights in {given.out}")
