"""vllm, the real engine and the real server on a CPU: the answers of transformers, the prefix cache, nothing left.

Takes some minutes. docs/models-vllm.md has the one line that runs it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import textwrap

import pytest
from video_set import write_set

REASON = "vllm is not installed in this environment; docs/models-vllm.md says how to run these"
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason=REASON),
]

# In a process of its own: vLLM sets up threads, signals and multiprocessing for good.
PROGRAM = '''
import asyncio, json, os, sys
from pathlib import Path

import spatialeval
from spatialeval.errors import ModelError
from spatialeval.messages import Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model
from spatialeval.run.execute import RunSpec, execute, prepare

TINY = Path(spatialeval.__file__).parent / "embedded" / "tiny"
EXTRA = dict(dtype="float32", enforce_eager=True, max_model_len=512, limit_mm_per_prompt={"image": 2})


def processes():
    """Processes of this one's tree, the resource tracker of Python itself apart."""
    found, tree = [], {os.getpid()}
    for folder in sorted((f for f in Path("/proc").iterdir() if f.name.isdigit()), key=lambda f: int(f.name)):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            words = (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(parent) in tree:
            tree.add(int(folder.name))
            if "resource_tracker" not in words:
                found.append(f"{folder.name} {state} {words}")
    return found


def spec(model, out, **extra):
    options = ModelOptions(extra=extra, batch_size=20)
    return RunSpec(task="scenes:easy(rows=20,seed=77)", model=model, out=Path(out), options=options)


def texts(spec):
    """Replies by sample, as a run stores them."""
    from spatialeval.run.results import read_samples
    table = read_samples(asyncio.run(execute(spec)).folder)
    return {row["sample_id"]: row["reply"] for row in table.to_pylist()}
'''


def run(folder, body, **environment):
    """Run PROGRAM and `body` in the environment that vLLM on a CPU wants; return what it printed."""
    program = folder / "program.py"
    inner = textwrap.indent(textwrap.dedent(body), "    ")
    program.write_text(f"{PROGRAM}\n\nif __name__ == '__main__':\n{inner}")
    settings = {"OMP_NUM_THREADS": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", **environment}
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, **settings},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def test_twenty_scenes_are_answered_as_by_transformers_and_nothing_is_left(tmp_path):
    done = run(
        tmp_path,
        f"""
        ours = texts(spec(f"vllm:{{TINY}}", {str(tmp_path / "vllm")!r}, **EXTRA))
        left = processes()
        theirs = texts(spec("embedded", {str(tmp_path / "hf")!r}))
        assert len(ours) == 20 and len(set(ours.values())) > 3, ours
        assert ours == theirs, [(ours[k], theirs[k]) for k in ours if ours[k] != theirs[k]]
        assert left == [], left
        print("same", len(ours))
        """,
    )
    assert "same 20" in done.stdout
    assert "Exception ignored" not in done.stderr


def test_a_shared_prompt_comes_from_the_prefix_cache_and_refusals_have_kinds(tmp_path):
    run(
        tmp_path,
        f"""
        async def main():
            items = prepare(spec("embedded", {str(tmp_path)!r})).items
            media = items[0].sample.media[0]
            from spatialeval.messages import Image
            def ask(text, pictures=1, **settings):
                parts = (*[Image(media)] * pictures, Text(text))
                settings = Settings(**dict(dict(max_tokens=8), **settings))
                return model.ask(Request((Message("user", parts),), settings))
            model = open_model(f"vllm:{{TINY}}", ModelOptions(extra=dict(EXTRA, engine_args=dict(block_size=32))))
            try:
                await model.start()
                first = await ask("Where is the red circle?")
                again = await ask("Where is the red circle?")
                assert again.text == first.text
                assert (first.usage.cached_tokens, again.usage.cached_tokens) == (0, 32), (first, again)
                refused = await asyncio.gather(
                    ask("many", pictures=3), ask("long " * 600), ask("fine"), return_exceptions=True
                )
                assert [getattr(r, "kind", None) for r in refused] == ["bad_request", "bad_request", None], refused
                drawn = [await ask("Where?", temperature=1.0, seed=5) for _ in range(2)]
                assert drawn[0].text == drawn[1].text
                cut = await ask("Where is the red circle?", max_tokens=1)
                assert cut.finish == "length"
            finally:
                await model.close()
            assert processes() == [], processes()
        asyncio.run(main())
        """,
    )


def test_prompts_have_the_token_ids_of_transformers(tmp_path):
    done = run(
        tmp_path,
        f"""
        from spatialeval.messages import Image
        items = prepare(spec("embedded", {str(tmp_path)!r})).items
        one, other = (Image(item.sample.media[0]) for item in items[:2])
        chats = [
            (Message("user", (Text("Where is it?"),)),),
            (Message("user", (one, Text("Where is the red circle?"))),),
            (Message("system", (Text("Look well."),)), Message("user", (one, Text(" or "), other, Text("?")))),
            (
                Message("user", (one, Text("Left?"))),
                Message("assistant", (Text("yes"),)),
                Message("user", (Text("Sure?"),)),
            ),
        ]
        async def main():
            ours = open_model(f"vllm:{{TINY}}", ModelOptions(extra=EXTRA))
            theirs = open_model("embedded", ModelOptions(extra=dict(device="cpu")))
            try:
                await ours.start()
                await theirs.start()
                for chat in chats:
                    asked = Request(chat, Settings(max_tokens=8))
                    one, two = await asyncio.gather(ours.ask(asked), theirs.ask(asked))
                    # after asking: what was rendered and never asked is missing in the engine
                    mine = list((await ours._engine._prompt(chat))["prompt_token_ids"])
                    engine = theirs._engines[0]
                    wanted = engine._encode([[engine._turn(message) for message in chat]])["input_ids"][0].tolist()
                    assert mine == wanted, (mine, wanted)
                    assert one.text == two.text
                    assert one.usage.prompt_tokens == two.usage.prompt_tokens == len(mine)
                print("same", len(chats))
            finally:
                await theirs.close()
                await ours.close()
        asyncio.run(main())
        """,
    )
    assert "same 4" in done.stdout


def test_questions_on_one_video_share_its_frames_in_the_prefix_cache(tmp_path):
    """By the engine's own count: of 7 videos with 84 questions, all but the first on each find its frames cached."""
    pytest.importorskip("av", reason="the video extra is not installed")
    write_set(tmp_path / "set", videos=7, questions=84, frames=8)
    done = run(
        tmp_path,
        f"""
        extra = dict(EXTRA, limit_mm_per_prompt=dict(image=8), engine_args=dict(block_size=32))
        options = ModelOptions(extra=extra, concurrency=16)
        given = dict(data=Path({str(tmp_path)!r}) / "set" / "videos.jsonl", media=Path({str(tmp_path)!r}) / "set")
        rooms = RunSpec(task={str(tmp_path / "set" / "rooms.yaml")!r}, model=f"vllm:{{TINY}}", options=options,
                        out=Path({str(tmp_path / "out")!r}), **given)
        from spatialeval.data import frames
        decoded, inner = [], frames._decode
        frames._decode = lambda *given: decoded.append(given) or inner(*given)
        summary = asyncio.run(execute(rooms)).summary
        assert summary.complete
        print("decoded", len(decoded), "cached", summary.tokens.cached, "of", summary.tokens.prompt)
        """,
    )
    found = re.search(r"decoded (\d+) cached (\d+) of (\d+)", done.stdout)
    decoded, cached, prompt = map(int, found.groups())
    shared = (84 - 7) * 8 * 16  # pictures have 16 tokens, and their 128 fill whole blocks of 32
    assert decoded == 7
    assert 0.95 * shared <= cached < prompt


def test_choices_bind_the_answer(tmp_path):
    run(
        tmp_path,
        """
        async def main():
            model = open_model(f"vllm:{TINY}", ModelOptions(extra=dict(EXTRA, choices=["maybe", "never"])))
            try:
                await model.start()
                asked = Request((Message("user", (Text("Is it left?"),)),), Settings(max_tokens=16))
                assert (await model.ask(asked)).text in {"maybe", "never"}
            finally:
                await model.close()
        asyncio.run(main())
        """,
    )


def test_an_engine_ends_with_a_process_that_is_killed(tmp_path):
    done = run(
        tmp_path,
        """
        import signal, subprocess, time
        if len(sys.argv) > 1:
            async def main():
                model = open_model(f"vllm:{TINY}", ModelOptions(extra=EXTRA))
                await model.start()
                print("\\n".join(line.split()[0] for line in processes()), flush=True)
                print("started", flush=True)
                await asyncio.sleep(600)
            asyncio.run(main())
        else:
            child = subprocess.Popen([sys.executable, __file__, "child"], stdout=subprocess.PIPE, text=True)
            pids = []
            for line in child.stdout:
                if line.strip() == "started":
                    break
                pids += [int(line)] if line.strip().isdigit() else []
            assert pids
            child.kill()
            child.wait()
            def alive(pid):
                try:
                    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
                except OSError:
                    return False
            until = time.monotonic() + 60
            while any(map(alive, pids)) and time.monotonic() < until:
                time.sleep(0.5)
            print("left", [pid for pid in pids if alive(pid)])
        """,
    )
    assert "left []" in done.stdout


def test_a_real_server_answers_as_the_engine_and_is_stopped(tmp_path):
    done = run(
        tmp_path,
        f"""
        ours = texts(spec(f"vllm-serve:{{TINY}}", {str(tmp_path / "served")!r}, **EXTRA))
        left = processes()
        theirs = texts(spec("embedded", {str(tmp_path / "hf")!r}))
        assert ours == theirs, [(ours[k], theirs[k]) for k in ours if ours[k] != theirs[k]]
        assert left == [], left
        print("same", len(ours))
        """,
    )
    assert "same 20" in done.stdout
