"""Answers batches of requests with a loaded model. Runs in one thread; a request that fails takes no other with it."""

from __future__ import annotations

import copy
import sys
import threading
from typing import TYPE_CHECKING, Any

import torch

from spatialeval.errors import MediaError, ModelError
from spatialeval.messages import Request, Response, Text, Usage
from spatialeval.models.hf.loading import Loaded, load
from spatialeval.models.hf.sampling import SeededSampler, Stopper, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.messages import Message, Settings
    from spatialeval.models.hf.checkpoint import Checkpoint, LoadSettings
    from spatialeval.models.pictures import Pictures

Chat = list[dict[str, Any]]


class Engine:
    """A model and what it takes to answer requests with it.

    Attributes:
        sees: True when the model takes pictures.
        abort: set it from any thread to end generating at the next token.
        fits: most requests that memory was seen to hold at once.
    """

    def __init__(self, loaded: Loaded, pictures: Pictures) -> None:
        self.loaded, self.sees, self.pictures = loaded, loaded.sees, pictures
        self.abort = threading.Event()
        self.fits = sys.maxsize
        ends = loaded.model.generation_config.eos_token_id
        ends = loaded.tokenizer.eos_token_id if ends is None else ends
        self.ends = [] if ends is None else torch.as_tensor(ends).reshape(-1).tolist()

    @classmethod
    def load(cls, checkpoint: Checkpoint, settings: LoadSettings, pictures: Pictures) -> Engine:
        """Load `checkpoint`; raise UsageError when that cannot work. Engines may share their decoded `pictures`."""
        return cls(load(checkpoint, settings), pictures)

    def answer(self, requests: Sequence[Request]) -> list[Response | Exception]:
        """Return one Response, ModelError or MediaError per request. All share their settings, seeds apart.

        Raises ModelError for all of them when the model is being closed.
        """
        results: dict[int, Response | Exception] = {}
        chats: dict[int, Chat] = {}
        for index, request in enumerate(requests):
            try:
                chats[index] = [self._turn(message) for message in request.messages]
            except MediaError as error:
                results[index] = error
        answers = self._solve([requests[index] for index in chats], list(chats.values()))
        if self.abort.is_set():  # what was generated may be cut anywhere
            raise ModelError("the model was closed while it generated", kind="model_error", transient=True)
        results.update(zip(chats, answers, strict=True))
        return [results[index] for index in range(len(requests))]

    def _turn(self, message: Message) -> dict[str, Any]:
        if not self.sees:
            return {"role": message.role, "content": message.text}
        parts = [
            {"type": "text", "text": part.text}
            if isinstance(part, Text)
            else {"type": "image", "image": self.pictures.open(part.media)}
            for part in message.parts
        ]
        return {"role": message.role, "content": parts}

    def _solve(self, requests: list[Request], chats: list[Chat]) -> list[Response | Exception]:
        """Generate for all at once; where that raises, for each half, down to the requests that are to blame."""
        if not requests:
            return []
        if len(requests) <= self.fits:
            try:
                return self._generate(requests, chats)
            except Exception as error:  # noqa: BLE001 - model code raises anything; it fails these requests, not the run
                reason = f"{type(error).__name__}: {str(error).strip()[:500]}"
                no_memory = _is_memory_error(error)
            # outside the except block: the failed attempt's tensors are freed only once its frames are gone
            if no_memory and torch.cuda.is_available():
                torch.cuda.empty_cache()
            if len(requests) == 1:
                hint = " Even one request does not fit: use a smaller dtype or smaller pictures." if no_memory else ""
                return [ModelError(f"generating raised {reason}.{hint}", kind="model_error")]
            if no_memory:
                self.fits = max(1, len(requests) // 2)
        half = len(requests) // 2
        return self._solve(requests[:half], chats[:half]) + self._solve(requests[half:], chats[half:])

    def _generate(self, requests: list[Request], chats: list[Chat]) -> list[Response | Exception]:
        batch = self._encode(chats)
        lengths = batch["attention_mask"].sum(dim=1).tolist()
        fitting = [row for row, length in enumerate(lengths) if not self._too_long(length)]
        results: list[Response | Exception] = [self._overflow(length) for length in lengths]
        if not fitting:
            return results
        if len(fitting) < len(requests):
            batch = self._encode([chats[row] for row in fitting])
        lengths = [lengths[row] for row in fitting]
        answers = self._complete([requests[row].settings for row in fitting], batch, lengths)
        for row, answer in zip(fitting, answers, strict=True):
            results[row] = answer
        return results

    def _encode(self, chats: list[Chat]) -> Any:
        """Render the chat template and return tensors, padded on the left."""
        padding = {"processor_kwargs": {"padding": True}} if self.sees else {"padding": True}
        return self.loaded.renderer.apply_chat_template(
            chats,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **padding,
            **self.loaded.variables,
        )

    def _complete(self, settings: list[Settings], batch: Any, lengths: list[int]) -> list[Response]:
        """Generate for encoded prompts that fit; `lengths` are their tokens without padding."""
        model, shared = self.loaded.model, settings[0]
        prompt = batch["input_ids"].shape[1]
        stopper = Stopper(self.loaded.tokenizer, shared.stop, prompt, self.abort)
        processors = []
        if shared.temperature:
            seeds = [each.seed for each in settings]
            processors.append(SeededSampler(shared.temperature, shared.top_p, seeds, model.device))
        with torch.inference_mode():
            output = model.generate(
                **_moved(batch, model),
                generation_config=self._config(self._room(shared.max_tokens, max(lengths))),
                logits_processor=processors,
                stopping_criteria=[stopper],
            )
        rows = output[:, prompt:].tolist()
        return [
            self._response(ids, length, shared.stop, stopper.ended_at.get(row))
            for row, (ids, length) in enumerate(zip(rows, lengths, strict=True))
        ]

    def _response(self, ids: list[int], length: int, stop: Sequence[str], stopped_at: int | None) -> Response:
        end = next((at + 1 for at, token in enumerate(ids) if token in self.ends), None)
        marks = [at for at in (end, stopped_at) if at is not None]
        ids = ids[: min(marks, default=len(ids))]
        text = cut(self.loaded.tokenizer.decode(ids, skip_special_tokens=True), stop)
        return Response(text, "stop" if marks else "length", Usage(length, len(ids)))

    def _config(self, max_new_tokens: int) -> Any:
        """The checkpoint's own generation settings, greedy: sampling is SeededSampler's work."""
        config = copy.deepcopy(self.loaded.model.generation_config)
        config.update(
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            max_length=None,
            max_new_tokens=max_new_tokens,
            use_cache=True,
        )
        if config.pad_token_id is None:
            config.pad_token_id = self.loaded.tokenizer.pad_token_id
        return config

    def _room(self, max_tokens: int, longest: int) -> int:
        """Tokens that may be generated: positions past the context make no sense to the model."""
        return max_tokens if self.loaded.context is None else min(max_tokens, self.loaded.context - longest)

    def _too_long(self, length: int) -> bool:
        return self.loaded.context is not None and length >= self.loaded.context

    def _overflow(self, length: int) -> ModelError:
        return ModelError(
            f"the prompt has {length} tokens and the model's context {self.loaded.context}. "
            "Show fewer or smaller pictures, or use a model with a longer context.",
            kind="bad_request",
        )


def _moved(batch: Any, model: Any) -> dict[str, Any]:
    """The tensors on the model's device, pictures in its precision."""
    return {
        name: value.to(model.device, model.dtype if torch.is_floating_point(value) else value.dtype)
        if isinstance(value, torch.Tensor)
        else value
        for name, value in batch.items()
    }


def _is_memory_error(error: Exception) -> bool:
    told = str(error).lower()
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "out of memory" in told or "can't alloc" in told
