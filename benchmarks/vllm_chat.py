"""`vllm:` against vLLM's own `LLM.chat` on the same prompts, turn by turn in one process; the same words as `hf:`?

    python benchmarks/vllm_chat.py                                   # the model in the package, pictures
    python benchmarks/vllm_chat.py --model FOLDER --max-tokens 32    # a text model: questions alone

Both engines have the same arguments and are warm. Every round has prompts of its own, asked by each in turn, whoever
comes first alternating; what is timed reaches from stored bytes and text to replies. Printed: requests per second of
both (median, slowest and fastest round), their ratio, CPU of client and scheduler (workers compute), how many prompts
(token ids) and replies are the same, and with `--hf` how many are the same as transformers'.
Needs vLLM; docs/models-vllm.md says how to get its CPU build.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import multiprocessing
import operator
import os
import statistics
import time
from collections.abc import Callable  # noqa: TC003 - read by dataclasses
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image as Picture

import spatialeval
from spatialeval.generators.scenes import scenes
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model

EMBEDDED = Path(spatialeval.__file__).parent / "embedded" / "tiny"
ENGINE = {
    "dtype": "float32",
    "enforce_eager": True,
    "seed": 0,
    "generation_config": "vllm",
    "enable_prefix_caching": True,
}
BATCHED = 2048


def requests_of(round_number: int, count: int, max_tokens: int, *, sees: bool) -> list[Request]:
    """Return the questions of one round: scenes with a picture each, or their words alone."""
    settings = Settings(max_tokens=max_tokens)
    found = []
    for number, row in enumerate(scenes(seed=1000 + round_number, rows=count, level="easy")):
        picture = [Image(Media("image", f"{number}.png", row["image"]))] if sees else []
        text = row["question"] if sees else f"{round_number}-{number}. {row['question']} Say why."
        found.append(Request((Message("user", (*picture, Text(text))),), settings))
    return found


def chat_of(request: Request) -> list[dict]:
    """Return what `LLM.chat` takes; the stored picture is opened here, as its caller would."""
    (message,) = request.messages
    if not message.images:
        return [{"role": "user", "content": message.text}]
    pictures = [Picture.open(io.BytesIO(image.media.read())).convert("RGB") for image in message.images]
    shown = [{"type": "image_pil", "image_pil": picture} for picture in pictures]
    return [{"role": "user", "content": [*shown, {"type": "text", "text": message.text}]}]


async def ask_all(model, requests: list[Request]) -> list[str]:
    """Return our replies; as many in flight as the runner has."""
    gate = asyncio.Semaphore(model.concurrency)

    async def ask(request: Request) -> str:
        async with gate:
            return (await model.ask(request)).text

    return await asyncio.gather(*map(ask, requests))


async def prompts_of(model, requests: list[Request]) -> list[list[int]]:
    """Return the token ids that our requests become."""
    return [list((await model._engine._prompt(each.messages))["prompt_token_ids"]) for each in requests]


def theirs_of(llm, params, requests: list[Request]) -> tuple[list[str], list[list[int]]]:
    """Return replies and prompts of `LLM.chat`."""
    outputs = llm.chat([chat_of(request) for request in requests], params, use_tqdm=False)
    return [output.outputs[0].text for output in outputs], [list(output.prompt_token_ids) for output in outputs]


def transformers_of(folder: str, requests: list[Request]) -> tuple[list[str], list[list[int]]]:
    """Return replies and prompts of `hf:`."""

    async def ask() -> tuple[list[str], list[list[int]]]:
        model = open_model(f"hf:{folder}", ModelOptions(extra={"dtype": "float32", "device": "cpu"}))
        await model.start()
        try:
            engine = model._engines[0]
            chats = [[engine._turn(message) for message in request.messages] for request in requests]
            return await ask_all(model, requests), [engine._encode([chat])["input_ids"][0].tolist() for chat in chats]
        finally:
            await model.close()

    return asyncio.run(ask())


def same(ours: list, theirs: list) -> str:
    """Return how many are equal, as text."""
    return f"{sum(one == other for one, other in zip(ours, theirs, strict=True))} of {len(ours)}"


def cpu_of(pids: list[int]) -> float:
    """Return the CPU seconds of this process and of an engine's first process, which schedules, until now."""
    ticks = 0
    for pid in pids:
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after[11]) + int(after[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Side:
    """One of the two: how it asks, the processes of its engine, and what each round took."""

    name: str
    ask: Callable[[list[Request]], tuple[list[str], list[list[int]]]]
    pids: list[int]
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def round(self, requests: list[Request]) -> tuple[list[str], list[list[int]]]:
        """Ask a round; return replies, and prompts where they come with them."""
        began, used = time.perf_counter(), cpu_of(self.pids)
        said = self.ask(requests)
        self.rates.append(len(requests) / (time.perf_counter() - began))
        self.cpu.append(1000 * (cpu_of(self.pids) - used) / len(requests))
        return said

    def __str__(self) -> str:
        rates, cpu = self.rates, self.cpu
        spread = f"{min(rates):.1f} to {max(rates):.1f}"
        return (
            f"{self.name:<10}{statistics.median(rates):8.1f} requests/s  {spread:<16}  "
            f"CPU {statistics.median(cpu):.2f} ms a request, {min(cpu):.2f} to {max(cpu):.2f}"
        )


def race(sides: tuple[Side, Side], make: Callable[[int], list[Request]], rounds: int) -> None:
    """Let both ask every round, and print what it took."""
    ours, theirs = sides
    for side in sides:
        side.ask(make(0)[:20])
    asked, equal = 0, 0
    for number in range(1, rounds + 1):
        requests = make(number)
        said = {side.name: side.round(requests)[0] for side in (sides if number % 2 else reversed(sides))}
        asked, equal = asked + len(requests), equal + sum(map(operator.eq, said[ours.name], said[theirs.name]))
    ratios = [one / other for one, other in zip(ours.rates, theirs.rates, strict=True)]
    print(ours, theirs, sep="\n")
    print(f"requests per second, ours to theirs: median of rounds {statistics.median(ratios):.3f}, ", end="")
    print(f"{min(ratios):.3f} to {max(ratios):.3f}; fastest rounds {max(ours.rates) / max(theirs.rates):.3f}")
    less = statistics.median(theirs.cpu) / statistics.median(ours.cpu)
    print(f"CPU of client and scheduler, theirs to ours: {less:.3f}")
    print(f"the same replies: {equal} of {asked}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=str(EMBEDDED), help="folder of a checkpoint")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--running", type=int, default=64, help="max_num_seqs of both engines")
    parser.add_argument("--hf", action="store_true", help="compare a round with transformers too")
    given = parser.parse_args()

    engine = {**ENGINE, "max_model_len": 1024, "max_num_seqs": given.running}
    extra = {**engine, "engine_args": {"max_num_batched_tokens": BATCHED}}
    model = open_model(f"vllm:{given.model}", ModelOptions(extra=extra))
    with asyncio.Runner() as runner:
        try:
            runner.run(model.start())
            from vllm import LLM, SamplingParams  # after `start`, which sets its environment

            ours = [process.pid for process in model._engine.processes]
            llm = LLM(model=given.model, max_num_batched_tokens=BATCHED, disable_log_stats=True, **engine)
            theirs = [child.pid for child in multiprocessing.active_children() if child.pid not in ours]
            params = SamplingParams(temperature=0.0, max_tokens=given.max_tokens)
            sides = (
                Side("vllm:", lambda requests: (runner.run(ask_all(model, requests)), []), ours),
                Side("LLM.chat", partial(theirs_of, llm, params), theirs),
            )
            make = partial(requests_of, count=given.requests, max_tokens=given.max_tokens, sees=model._engine.sees)
            print(f"{given.requests} requests a round, {given.running} at once, at most {given.max_tokens} tokens each")
            race(sides, make, given.rounds)
            prompts = runner.run(prompts_of(model, make(1)))
            texts, ids = sides[1].ask(make(1))
            print(f"the same prompts: {same(prompts, ids)}", flush=True)
        finally:
            runner.run(model.close())
    if given.hf:
        said, ids = transformers_of(given.model, make(1))
        print(f"as transformers: prompts {same(prompts, ids)}, replies {same(texts, said)}")


if __name__ == "__main__":
    main()
