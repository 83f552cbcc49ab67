"""PaliGemma: no chat template of its own, a prompt that is read both ways, and an answer that is read one way.

Its processor lays out pictures, <bos>, the text and a line break (google-research/big_vision, configs/proj/paligemma).
Trainers need two things more of it: answers alone are tokens, too, and an answer's tokens must not see later ones.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import transformers

TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message.content is string -%}{{ message.content }}{%- else -%}"
    "{%- for part in message.content -%}{{ '<image>' if part.type == 'image' else part.text }}{%- endfor -%}"
    "{%- endif -%}"
    "{%- if message.role == 'assistant' -%}{{ '<eos>' }}{%- endif -%}"
    "{%- endfor -%}"
)
"""Parts in their order; <bos> and the line break are put in by the processor, after the last picture and at the end."""


class PaliGemmaProcessor(transformers.PaliGemmaProcessor):  # type: ignore[misc]  # saved under the name of its base
    """Also takes answers alone, and makes no labels, which generating cannot use."""

    def __call__(self, images: Any = None, text: Any = None, **options: Any) -> Any:
        """Return tensors of prompts with pictures, or of words without any as they stand."""
        if images is not None:  # past the base's own, whose labels take prompts of one length only
            return transformers.ProcessorMixin.__call__(self, images, text, return_token_type_ids=True, **options)
        known = ("padding", "padding_side", "truncation", "max_length", "return_tensors", "add_special_tokens")
        told = self.tokenizer(text, **{name: options[name] for name in known if name in options})
        ones = told["attention_mask"]  # padding is masked, whatever its type
        told["token_type_ids"] = ones.clone() if "return_tensors" in options else [list(each) for each in ones]
        return told


def prepare(renderer: Any) -> None:
    """Give a loaded processor its chat template, where it has none, and what trainers need."""
    renderer.__class__ = PaliGemmaProcessor
    if not getattr(renderer, "chat_template", None):
        renderer.chat_template = TEMPLATE


def mask_answers(model: Any) -> None:
    """Have the model read labelled tokens, which are an answer's, one way and what stands before them both ways.

    TRL 1.16 extends token types by zeros, which PaliGemma takes for a prompt: every token of an answer would see those
    after it. Call it after a trainer has changed the model's forward.
    """
    inner = model.forward

    @wraps(type(model).forward)
    def forward(*given: Any, labels: Any = None, **named: Any) -> Any:
        if labels is not None:
            named |= {"labels": labels, "token_type_ids": (labels != -100).cumsum(dim=1).clamp(max=1)}
        return inner(*given, **named)

    model.forward = forward
