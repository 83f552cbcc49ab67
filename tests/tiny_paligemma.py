"""A PaliGemma 2 of a few thousand weights with a processor that spells letters; no checkpoint is needed."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
    SiglipImageProcessor,
)

_WORDS = ["<pad>", "<eos>", "<bos>", "<unk>", "<image>", *map(chr, range(32, 127)), "\n"]
_SIZES = {"num_attention_heads": 2, "hidden_size": 32, "intermediate_size": 32}


def write_paligemma(folder):
    """Write model and processor, as the hub has them without a chat template; return the folder."""
    letters = Tokenizer(models.WordLevel({word: place for place, word in enumerate(_WORDS)}, unk_token="<unk>"))
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    letters.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letters,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )
    pictures = SiglipImageProcessor(size={"height": 28, "width": 28})
    pictures.image_seq_length = 4
    processor = PaliGemmaProcessor(pictures, tokenizer)
    ids = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
    text = {"model_type": "gemma2", "vocab_size": len(tokenizer), "num_key_value_heads": 1, "head_dim": 16, **ids}
    seen = {"model_type": "siglip_vision_model", "image_size": 28, "patch_size": 14, "projection_dim": 32}
    config = PaliGemmaConfig(
        text_config={**_SIZES, **text, "num_hidden_layers": 2},
        vision_config={**_SIZES, **seen, "num_hidden_layers": 1, "vision_use_head": False},
        image_token_id=tokenizer.image_token_id,
        projection_dim=32,
        hidden_size=32,
    )
    model = PaliGemmaForConditionalGeneration(config)
    model.generation_config.update(**ids)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
