"""One vLLM engine: chats become prompts, every request awaits its own stream, nothing waits for a batch to fill.

vllm is imported by `Engine.load`, in its thread, because that takes up to a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import signal
from dataclasses import dataclass, field, fields
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from spatialeval.errors import MediaError, ModelError, UsageError, nearest
from spatialeval.messages import Response, Text, Usage
from spatialeval.models.pictures import Pictures
from spatialeval.models.vllm.failures import failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.messages import Finish, Message, Request, Settings
    from spatialeval.models.vllm.options import EngineSettings

PREPARED_AT_ONCE = 8
"""Requests whose pictures are decoded and processed at once: memory does not grow with those waiting."""
END_SECONDS = 30
"""Seconds that the engine's processes, told to end, are waited for."""

_ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    # a forked engine would hold the files and locks of a run open after this process is gone
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
_FINISHED: dict[str, Finish] = {"stop": "stop", "length": "length"}


@dataclass
class Engine:
    """A running engine.

    Attributes:
        client: vLLM's asynchronous engine.
        chat: how chats are rendered (vLLM's ChatParams).
        choices: the only replies that can be generated, where set.
        lora: the adapter of every request, where set.
        sees: True when the model takes pictures.
        processes: what the engine started.
    """

    client: Any
    chat: Any
    choices: tuple[str, ...]
    lora: Any
    sees: bool
    processes: list[Any] = field(default_factory=list)
    _pictures: Pictures = field(default_factory=Pictures)
    _preparing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PREPARED_AT_ONCE))
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @classmethod
    def load(cls, spec: str, arguments: dict[str, Any], settings: EngineSettings) -> Engine:
        """Start an engine and return it once it can answer; raise UsageError when that cannot work."""
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            from vllm import AsyncEngineArgs  # noqa: PLC0415 - see the module
            from vllm.lora.request import LoRARequest  # noqa: PLC0415
            from vllm.renderers.params import ChatParams  # noqa: PLC0415
            from vllm.v1.engine.async_llm import AsyncLLM  # noqa: PLC0415
        except (ImportError, RuntimeError, OSError) as error:  # a torchvision for another torch raises any of them
            raise UsageError(
                f"{spec} needs vLLM, which does not import here ({str(error).strip() or type(error).__name__}): "
                "pip install 'spatialeval[vllm]'"
            ) from error
        known = [each.name for each in fields(AsyncEngineArgs)]
        _refuse_unknown(spec, settings.engine_args, known)
        arguments = {"disable_log_stats": True, **arguments}
        others = multiprocessing.active_children()
        try:
            with _out_of_reach_of_ctrl_c():
                client = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        except Exception as error:  # whatever the engine's start raised, the model cannot be asked
            raise UsageError(
                f"{spec} cannot be loaded: {str(error).strip()[:500] or type(error).__name__}. "
                "What vLLM printed says more; VLLM_LOGGING_LEVEL=INFO prints all of it."
            ) from error
        variables = {**settings.chat_template_kwargs, "add_generation_prompt": True, "continue_final_message": False}
        # a Mistral tokenizer renders a chat to tokens, every other one to text
        variables["tokenize"] = "Mistral" in type(client.renderer.tokenizer).__name__
        template = settings.chat_template.read_text(encoding="utf-8") if settings.chat_template else None
        return cls(
            client=client,
            chat=ChatParams(chat_template=template, chat_template_kwargs=variables),
            choices=settings.choices,
            lora=LoRARequest("adapter", 1, str(settings.lora)) if settings.lora else None,
            sees=bool(client.model_config.is_multimodal_model),
            processes=[process for process in multiprocessing.active_children() if process not in others],
        )

    async def answer(self, request: Request) -> Response:
        """Return the answer to `request`; raise ModelError, or MediaError for a picture that cannot be decoded."""
        try:
            pictures = any(message.images for message in request.messages)
            async with self._preparing if pictures else contextlib.nullcontext():
                prompt = await self._prompt(request.messages)
            output = await self._finished(prompt, request.settings)
        except (MediaError, ModelError):
            raise
        except Exception as error:  # vLLM and templates raise anything; it fails this request, not the run
            raise failure(error) from error
        return _response(output)

    async def close(self) -> None:
        """End the engine's processes and wait for them."""
        if (reader := getattr(self.client, "output_handler", None)) is not None:
            reader.cancel()  # first: it would take the end for a crash, and say so
            await asyncio.gather(reader, return_exceptions=True)
        await asyncio.to_thread(self.client.shutdown)
        for process in self.processes:
            await asyncio.to_thread(process.join, END_SECONDS)
        # vLLM ends an engine once more when it is deleted, which fails aloud when the interpreter is ending too
        self.client.shutdown = lambda *_, **__: None

    async def _prompt(self, messages: Sequence[Message]) -> Any:
        """Render the chat with the model's template and process its pictures, off the event loop."""
        if any(message.images for message in messages):
            chat = await asyncio.to_thread(_turns, messages, self._pictures)
        else:
            chat = _turns(messages, self._pictures)
        renderer = self.client.renderer
        # the template writes the special tokens: a tokenizer that adds them would double the first one
        tokens = renderer.default_chat_tok_params.with_kwargs(add_special_tokens=False)
        _, (prompt,) = await renderer.render_chat_async([chat], self.chat, tokens)
        return prompt

    async def _finished(self, prompt: Any, settings: Settings) -> Any:
        """The finished output of one request; a caller that is cancelled aborts it in the engine."""
        output = None
        stream = self.client.generate(prompt, self._sampling(settings), self._name(), lora_request=self.lora)
        async for output in stream:  # noqa: B007 - only the last one counts
            pass
        if output is None or not output.finished:
            raise ModelError("the vLLM engine ended a request without an answer", kind="model_error", transient=True)
        return output

    def _sampling(self, settings: Settings) -> Any:
        """What the request leaves open is as the checkpoint's generation_config.json has it, as behind a server."""
        from vllm.sampling_params import (  # noqa: PLC0415 - loaded by now
            RequestOutputKind,
            SamplingParams,
            StructuredOutputsParams,
        )

        values: dict[str, Any] = dict(self.client.model_config.get_diff_sampling_param())
        values |= {"max_tokens": settings.max_tokens, "output_kind": RequestOutputKind.FINAL_ONLY}
        for name in ("temperature", "top_p", "seed"):
            if (value := getattr(settings, name)) is not None:
                values[name] = value
        if settings.stop:
            values["stop"] = list(settings.stop)
        if self.choices:
            values["structured_outputs"] = StructuredOutputsParams(choice=list(self.choices))
        return SamplingParams(**values)

    def _name(self) -> str:
        return f"spatialeval-{next(self._numbers)}"


def _turns(messages: Sequence[Message], pictures: Pictures) -> list[dict[str, Any]]:
    """Return the chat in the form that vLLM's renderer takes."""
    return [{"role": message.role, "content": _content(message, pictures)} for message in messages]


def _content(message: Message, pictures: Pictures) -> str | list[dict[str, Any]]:
    """Text alone stays a string, and neighbouring texts become one: vLLM joins text parts with line breaks."""
    if not message.images:
        return message.text
    parts: list[dict[str, Any]] = []
    for part in message.parts:
        if not isinstance(part, Text):
            # named by its bytes, a picture is processed once and found in the prefix cache without hashing its pixels
            parts.append({"type": "image_pil", "image_pil": pictures.open(part.media), "uuid": part.media.sha256})
        elif parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += part.text
        else:
            parts.append({"type": "text", "text": part.text})
    return parts


def _response(output: Any) -> Response:
    completion = output.outputs[0]
    finish = _FINISHED.get(str(completion.finish_reason))
    if finish is None:
        reason = f"the vLLM engine broke off (finish_reason {completion.finish_reason!r})"
        raise ModelError(reason, kind="model_error", transient=True)
    usage = Usage(len(output.prompt_token_ids or ()), len(completion.token_ids), output.num_cached_tokens)
    return Response(completion.text, finish, usage)


@contextlib.contextmanager
def _out_of_reach_of_ctrl_c() -> Iterator[None]:
    """Processes started meanwhile never see SIGINT: a terminal sends it to all, and requests in flight shall finish."""
    resource_tracker.ensure_running()  # now: its start, which belongs to the first process, unblocks signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited, unlike handlers, by new programs
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _refuse_unknown(spec: str, given: dict[str, Any], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(
                f"the engine of {spec} has no argument {name!r}. {nearest(name, known)}Remove or rename it."
            )
