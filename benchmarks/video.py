"""Questions about videos: how often a video is decoded, what that costs, and what the prefix cache of vLLM serves.

    python benchmarks/video.py                # 36, 72 and 144 videos, 640 questions for 36, a mock server
    python benchmarks/video.py --vllm         # the same shape through `vllm:` in process; docs/models-vllm.md

Every set runs in a process of its own, through the whole of `spatialeval run`. VSI-Bench has the same shape: 288
videos with 5,130 questions, the rows not sorted by video. `--in-flight` and `--frames` change what is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from measuring import folder, run, server

TESTS = Path(__file__).parents[1] / "tests"
SHAPES = ((36, 640), (72, 1280), (144, 2560))
MARK = "measured: "
"""Before the line with the figures: an engine prints lines of its own."""
VLLM = {"dtype": "float32", "enforce_eager": True, "max_model_len": 1024, "max_num_seqs": 32}


def counted() -> Counter[str]:
    """Return a counter of decodings and encodings from now on."""
    from spatialeval.data import frames
    from spatialeval.models import chat

    done: Counter[str] = Counter()

    def spied(name, inner):
        def spy(*given):
            done[name] += 1
            return inner(*given)

        return spy

    for module, name in ((frames, "_decode"), (frames, "_png"), (chat, "_data_url")):
        setattr(module, name, spied(name, getattr(module, name)))
    return done


def one(given: argparse.Namespace) -> None:
    """Run one set in this process; print what it took as JSON."""
    sys.path.insert(0, str(TESTS))
    from video_set import write_set

    import spatialeval
    from spatialeval.models import ModelOptions
    from spatialeval.run.execute import RunSpec, execute

    size = (64, 64) if given.vllm else (320, 240)
    task = write_set(
        given.at / "set", given.videos, given.questions, frames=given.frames, size=size, total=64, noisy=not given.vllm
    )
    options = ModelOptions(base_url=given.url, concurrency=given.in_flight)
    model = "openai:mock"
    if given.vllm:
        extra = {**VLLM, "limit_mm_per_prompt": {"image": given.frames}, "engine_args": {"block_size": given.block}}
        model = f"vllm:{Path(spatialeval.__file__).parent / 'embedded' / 'tiny'}"
        options = ModelOptions(concurrency=given.in_flight, extra=extra)
    spec = RunSpec(
        task=str(task), model=model, data=task.parent / "videos.jsonl", media=task.parent, out=given.at, options=options
    )
    done, began, used = counted(), time.perf_counter(), time.process_time()
    outcome = asyncio.run(execute(spec))
    told = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "complete": outcome.complete,
        **done,
        "prompt": outcome.summary.tokens.prompt,
        "cached": outcome.summary.tokens.cached,
    }
    print(f"\n{MARK}{json.dumps(told)}", flush=True)


def measured(given: argparse.Namespace, url: str, shape: tuple[int, int]) -> dict[str, float]:
    """Return what `one` says about a shape, from a process of its own."""
    with folder() as at:
        command = [sys.executable, __file__, "--one", "--at", at, "--url", url]
        command += ["--videos", str(shape[0]), "--questions", str(shape[1]), "--frames", str(given.frames)]
        command += ["--in-flight", str(given.in_flight), "--block", str(given.block)]
        told = run([*command, *(["--vllm"] if given.vllm else [])]).out
    return json.loads(next(line for line in told.splitlines() if line.startswith(MARK)).removeprefix(MARK))


def show(given: argparse.Namespace, shape: tuple[int, int], told: dict[str, float]) -> None:
    videos, questions = shape
    print(f"{videos} videos, {questions} questions, {given.frames} frames each, {given.in_flight} in flight")
    print(f"  decoded {told['_decode']} videos, encoded {told['_png']} frames; complete: {told['complete']}")
    if not given.vllm:
        print(f"  encoded {told['_data_url']} data URLs of {questions * given.frames} sent")
        print(f"  {told['seconds']:.1f} s, CPU {1000 * told['cpu'] / questions:.2f} ms a question")
        print(f"  peak memory {told['rss']:.0f} MB", flush=True)
        return
    share, most = told["cached"] / told["prompt"], (questions - videos) / questions
    prompt = told["prompt"] / questions
    whole = int(16 * given.frames // given.block * given.block)
    print(f"  {told['prompt']:,} prompt tokens ({prompt:.0f} a question, {16 * given.frames} of them pictures)")
    print(f"  {told['cached']:,} of them from the prefix cache by the engine's count: {100 * share:.1f} %")
    print(f"  of what can be shared, (Q-V)/Q of the tokens before the question: {100 * share * prompt / whole:.1f} %")
    print(f"  (Q-V)/Q is {100 * most:.1f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vllm", action="store_true", help="the real engine in process, with the model in the package")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument(
        "--block", type=int, default=32, help="tokens of a block of vLLM's cache; CPUs take 32 and more"
    )
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--videos", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--questions", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one(given)
        return
    with server("--latency", "0.02") as mock:
        for shape in SHAPES[:1] if given.vllm else SHAPES:
            show(given, shape, measured(given, mock.url, shape))


if __name__ == "__main__":
    main()
