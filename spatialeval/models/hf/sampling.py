"""Sampling with a seed for every row of a batch, and stopping at strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

_LEAST = 1e-30
_TOKENS_PER_CHARACTER = 4


class SeededSampler:
    """Makes greedy decoding sample: the largest of logit / temperature + Gumbel noise is a draw from the softmax.

    Every row has its own generator, so what a request draws does not depend on the others in its batch.
    (Gumbel-max trick: Gumbel 1954; -log of an exponential draw is Gumbel noise.)

    Args:
        temperature: above 0.
        top_p: only the most likely tokens that together reach this mass are drawn; None is all.
        seeds: one per row; None draws a fresh one.
        device: where the logits are.
    """

    def __init__(self, temperature: float, top_p: float | None, seeds: Sequence[int | None], device: Any) -> None:
        self.temperature, self.top_p = temperature, top_p
        self.generators = [torch.Generator(device) for _ in seeds]
        for generator, seed in zip(self.generators, seeds, strict=True):
            if seed is None:
                generator.seed()
            else:
                generator.manual_seed(seed)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - its caller's form
        """Return `scores` (rows x vocabulary) whose largest entry in a row is the drawn token."""
        scores = scores.float() / self.temperature
        if self.top_p is not None and self.top_p < 1:
            scores = self._keep_top(scores, self.top_p)
        noise = torch.stack([torch.empty_like(scores[0]).exponential_(generator=g) for g in self.generators])
        return scores - noise.clamp_min(_LEAST).log()

    @staticmethod
    def _keep_top(scores: torch.Tensor, mass: float) -> torch.Tensor:
        ordered, order = scores.sort(dim=-1, descending=True)
        shares = ordered.softmax(dim=-1)
        dropped = shares.cumsum(dim=-1) - shares >= mass  # a token stays while those before it do not reach the mass
        return scores.masked_fill(dropped.scatter(-1, order, dropped), -torch.inf)


class Stopper:
    """Ends a row at a stop string, and every row when the model is being closed.

    Args:
        tokenizer: decodes.
        stop: the strings.
        prompt: tokens of the padded prompts.
        abort: set by another thread to end generating.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str], prompt: int, abort: threading.Event) -> None:
        self.tokenizer, self.stop, self.prompt, self.abort = tokenizer, stop, prompt, abort
        # a character takes up to four tokens of bytes, and the last token may begin within a stop string
        self.tail = _TOKENS_PER_CHARACTER * (max((len(s) for s in stop), default=0) + 1)
        self.ended_at: dict[int, int] = {}

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002 - its caller's form
        """Return, for every row, whether it is done."""
        rows, length = input_ids.shape
        if self.abort.is_set():
            return torch.ones(rows, dtype=torch.bool, device=input_ids.device)
        if self.stop:
            tails = input_ids[:, max(self.prompt, length - self.tail) :]
            for row, text in enumerate(self.tokenizer.batch_decode(tails, skip_special_tokens=True)):
                if row not in self.ended_at and any(stop in text for stop in self.stop):
                    self.ended_at[row] = length - self.prompt
        done = [row in self.ended_at for row in range(rows)]
        return torch.tensor(done, device=input_ids.device)


def cut(text: str, stop: Sequence[str]) -> str:
    """Return `text` up to the first of the stop strings."""
    return text[: min((at for s in stop if (at := text.find(s)) >= 0), default=len(text))]
