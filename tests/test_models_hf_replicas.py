"""hf: batch size and number of copies change how fast answers come, not which; a shared picture is decoded once."""

from __future__ import annotations

import asyncio
import functools
import json
import threading

import pytest

from spatialeval.errors import UsageError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model, pictures
from spatialeval.models.hf.batching import MicroBatcher
from spatialeval.run.execute import RunSpec, execute
from spatialeval.run.results import read_samples


async def replies(folder, *, batch_size=8, **extra):
    """Return reply and score of 32 scenes, by sample."""
    options = ModelOptions(batch_size=batch_size, extra=extra or {"device": "cpu"})
    spec = RunSpec(task="scenes:hard(rows=32,seed=5)", model="embedded", out=folder, options=options)
    outcome = await execute(spec)
    return {row["sample_id"]: (row["reply"], row["score"]) for row in read_samples(outcome.folder).to_pylist()}


@pytest.mark.slow
async def test_batch_size_and_copies_change_no_reply_and_no_score(tmp_path):
    pytest.importorskip("torch", reason="the embedded model needs the hf extra")
    alone = await replies(tmp_path / "1", batch_size=1)
    assert len({reply for reply, _ in alone.values()}) > 5
    assert len({score for _, score in alone.values()}) > 1
    assert await replies(tmp_path / "8", batch_size=8) == alone
    assert await replies(tmp_path / "two", batch_size=8, devices="cpu,cpu") == alone


@pytest.mark.slow
async def test_two_copies_of_a_model_share_what_waits_and_end_together():
    pytest.importorskip("torch", reason="the embedded model needs the hf extra")
    model = open_model("embedded", ModelOptions(batch_size=2, extra={"devices": ["cpu", "cpu"]}))
    assert model.concurrency == 2 * open_model("embedded", ModelOptions(batch_size=2)).concurrency
    asked = [Request((Message("user", (Text(f"Is it {n}?"),)),), Settings(max_tokens=4)) for n in range(40)]
    try:
        await model.start()
        first, second = model._engines
        assert first.loaded.model is not second.loaded.model
        seen = {place: [] for place in range(2)}
        for place, engine in enumerate(model._engines):
            inner = engine._generate
            engine._generate = lambda batch, chats, place=place, inner=inner: (
                seen[place].append((len(batch), threading.current_thread().name)) or inner(batch, chats)
            )
        answers = await asyncio.gather(*map(model.ask, asked))
    finally:
        await model.close()
    assert len(answers) == 40
    assert sum(size for batches in seen.values() for size, _ in batches) == 40
    assert [len({name for _, name in batches}) for batches in seen.values()] == [1, 1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spatialeval-hf")]


async def test_a_worker_that_is_busy_leaves_what_waits_to_the_other():
    began, go_on, quick = threading.Event(), threading.Event(), []

    def slow(items):
        began.set()
        go_on.wait(10)
        return items

    batcher = MicroBatcher([slow, lambda items: quick.extend(items) or items], 1, key=lambda _: 0, size=lambda _: 1)
    asked = [asyncio.create_task(batcher.submit(item)) for item in range(6)]
    for _ in range(5):
        await asyncio.wait([task for task in asked if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        if sum(task.done() for task in asked) == 5:
            break
    assert began.is_set()
    go_on.set()
    assert await asyncio.gather(*asked) == list(range(6))
    await batcher.close()
    assert len(quick) == 5


@pytest.mark.parametrize(
    "extra", [{"devices": "cpu,cpu", "device": "cpu"}, {"devices": "auto"}, {"devices": "cuda:0,"}, {"devices": []}]
)
def test_places_for_copies_that_make_no_sense_are_refused(extra):
    with pytest.raises(UsageError, match="devices=cuda:0,cuda:1"):
        open_model("embedded", ModelOptions(extra=extra))


def test_where_copies_are_is_no_part_of_a_runs_identity():
    plain = open_model("embedded").identity()
    assert open_model("embedded", ModelOptions(extra={"devices": "cuda:0,cuda:1"})).identity() == plain
    assert open_model("embedded", ModelOptions(extra={"dtype": "bfloat16"})).identity() != plain


@pytest.mark.slow
async def test_after_the_prompt_each_step_computes_one_token(tmp_path):
    pytest.importorskip("torch", reason="the checkpoint needs the hf extra")
    from tiny_checkpoints import write_text_model

    folder = write_text_model(tmp_path / "text")
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "use_cache": False}))
    model = open_model(f"hf:{folder}", ModelOptions(extra={"device": "cpu"}))
    try:
        await model.start()
        seen, inner = [], model._engines[0].loaded.model.forward

        @functools.wraps(inner)
        def forward(*given, **named):
            seen.append(named["input_ids"].shape[1])
            return inner(*given, **named)

        model._engines[0].loaded.model.forward = forward
        answer = await model.ask(Request((Message("user", (Text("Where?"),)),), Settings(max_tokens=5)))
    finally:
        await model.close()
    assert seen == [answer.usage.prompt_tokens, 1, 1, 1, 1]


@pytest.mark.slow
async def test_a_picture_that_several_questions_show_is_decoded_once(monkeypatch):
    pytest.importorskip("torch", reason="the embedded model needs the hf extra")
    from spatialeval.generators.scenes import scenes

    decoded, inner = [], pictures.open_image
    monkeypatch.setattr(pictures, "open_image", lambda media: decoded.append(media.name) or inner(media))
    (row,) = scenes(seed=3, rows=1, level="easy")
    shown = [Media("image", f"copy {n}", row["image"]) for n in range(6)]
    model = open_model("embedded", ModelOptions(batch_size=2, extra={"device": "cpu"}))
    try:
        await model.start()
        answers = await asyncio.gather(
            *(model.ask(Request((Message("user", (Image(m), Text(row["question"]))),), Settings())) for m in shown)
        )
    finally:
        await model.close()
    assert len(decoded) == 1
    assert len({answer.text for answer in answers}) == 1
