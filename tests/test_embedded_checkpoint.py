"""The checkpoint in the package and the generator of scenes fit together."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from spatialeval.generators.scenes import scenes

CHECKPOINT = Path(__file__).parents[1] / "spatialeval" / "embedded" / "tiny"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_shipped_checkpoint_reads_easy_scenes():
    pytest.importorskip("torch", reason="the embedded model needs torch")
    transformers = pytest.importorskip("transformers", reason="the embedded model needs transformers")
    model = transformers.AutoModelForImageTextToText.from_pretrained(CHECKPOINT).eval()
    processor = transformers.AutoProcessor.from_pretrained(CHECKPOINT)
    rows = list(
        scenes(seed=424242, rows=60, kinds=["left_right", "above_below", "closer_farther", "facing"], forms=["word"])
    )
    texts = [
        processor.apply_chat_template(
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "image"},
                        {"type": "text", "text": row["question"] + "\nAnswer with a single word or phrase."},
                    ],
                }
            ],
            add_generation_prompt=True,
        )
        for row in rows
    ]
    images = [[Image.open(io.BytesIO(row["image"]))] for row in rows]
    inputs = processor(text=texts, images=images, return_tensors="pt", padding=True)
    made = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    replies = processor.batch_decode(made[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    right = sum(reply == row["answer"] for reply, row in zip(replies, rows, strict=True))
    assert right >= 51, f"{right} of {len(rows)} right: the shipped weights and the generator no longer fit together"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_shipped_processor_takes_every_form_of_message():
    transformers = pytest.importorskip("transformers", reason="the embedded model needs transformers")
    processor = transformers.AutoProcessor.from_pretrained(CHECKPOINT)
    maze = "<|0-0|><|up_left_wall|><|origin|>\n<|1-0|><|no_wall|><|target|>"
    tokenizer = processor.tokenizer
    ids = tokenizer(maze, add_special_tokens=False).input_ids
    assert len(ids) == 7
    assert tokenizer.decode(ids, skip_special_tokens=True) == maze
    assert tokenizer.model_max_length == 8192
    assert len(tokenizer("2047", add_special_tokens=False).input_ids) == 4
    text = "Où? 左 \t {}"  # any text can be encoded
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Hello."}]},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Sure?"},
    ]
    assert processor.apply_chat_template(chat, add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<image>\nHello.<|im_end|>\n"
        "<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n"
    )
