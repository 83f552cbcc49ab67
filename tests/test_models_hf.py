"""hf: batches answer what single requests answer, and a request that cannot be answered takes no other with it."""

from __future__ import annotations

import asyncio
import io
import json
import random
import shutil
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tiny_checkpoints import CONTEXT, write_text_model, write_vision_model

from spatialeval.errors import MediaError, ModelError, UsageError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model

QUESTIONS = ["Is it red?", "Where is the blue ball of the cube above the other ball?", "A", "yes or no: left, right?"]


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory):
    return write_text_model(tmp_path_factory.mktemp("checkpoints") / "text")


@pytest.fixture(scope="module")
def vision_folder(tmp_path_factory):
    return write_vision_model(tmp_path_factory.mktemp("checkpoints") / "vision")


@asynccontextmanager
async def running(folder, batch_size=4, **extra):
    model = open_model(f"hf:{folder}", ModelOptions(batch_size=batch_size, extra={"device": "cpu", **extra}))
    try:
        await model.start()
        yield model
    finally:
        await model.close()


def picture(seed, name="picture"):
    import PIL.Image

    rng = random.Random(seed)
    image = PIL.Image.new("RGB", (40, 32))
    image.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(40 * 32)])
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return Media("image", name, stored.getvalue())


def request_of(text, *media, **settings):
    settings = Settings(**{"max_tokens": 8, **settings})
    return Request((Message("user", (*(Image(m) for m in media), Text(text))),), settings)


async def outcomes(model, requests):
    return await asyncio.gather(*(model.ask(request) for request in requests), return_exceptions=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "vision"])
async def test_a_batch_answers_what_single_requests_answer(kind, text_folder, vision_folder):
    folder = text_folder if kind == "text" else vision_folder
    media = [()] * len(QUESTIONS) if kind == "text" else [(picture(n),) for n in range(len(QUESTIONS))]
    requests = [request_of(question, *shown) for question, shown in zip(QUESTIONS, media, strict=True)]
    async with running(folder) as model:
        sizes = spy_on_batches(model)
        together = await outcomes(model, requests)
        assert sizes == [len(QUESTIONS)]
        alone = [await model.ask(request) for request in requests]
        assert model._engines[0].loaded.tokenizer.padding_side == "left"
    assert together == alone
    assert len({response.text for response in together}) > 1
    assert len({response.usage.prompt_tokens for response in together}) > 1


def spy_on_batches(model):
    sizes, inner = [], model._engines[0]._generate

    def generate(requests, chats):
        sizes.append(len(requests))
        return inner(requests, chats)

    model._engines[0]._generate = generate
    return sizes


@pytest.mark.slow
async def test_the_answer_depends_on_the_picture_and_pictures_may_be_missing(vision_folder):
    async with running(vision_folder) as model:
        first, second, none = await outcomes(
            model, [request_of("Where?", picture(1)), request_of("Where?", picture(2)), request_of("Where?")]
        )
    assert first.text != second.text
    # 2 x 2 patches
    assert first.usage.prompt_tokens == none.usage.prompt_tokens + 4


@pytest.mark.slow
async def test_an_answer_ends_at_the_end_token_or_is_cut_at_the_cap(text_folder, tmp_path):
    async with running(text_folder) as model:
        generated, inner = [], model._engines[0]._response
        model._engines[0]._response = lambda ids, *rest: generated.append(ids) or inner(ids, *rest)
        full = await model.ask(request_of("Where?"))
        (ids,) = generated
    assert (full.finish, full.usage.completion_tokens) == ("length", 8)
    shutil.copytree(text_folder, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "generation_config.json").read_text())
    # what a checkpoint says about sampling does not make temperature 0 sample
    changed = settings | {"eos_token_id": [ids[2], 3], "do_sample": True, "temperature": 5.0, "top_k": 40}
    (tmp_path / "generation_config.json").write_text(json.dumps(changed))
    async with running(tmp_path) as model:
        ended, other = await outcomes(model, [request_of("Where?"), request_of("A red ball is where?")])
    assert (ended.finish, ended.usage.completion_tokens) == ("stop", ids.index(ids[2]) + 1)
    assert full.text.startswith(ended.text)
    assert other.finish == "length"


@pytest.mark.slow
async def test_an_answer_is_cut_before_a_stop_string(text_folder):
    async with running(text_folder) as model:
        full = await model.ask(request_of("Where?", max_tokens=12))
        stop = full.text[4:6]
        cut = await model.ask(request_of("Where?", max_tokens=12, stop=(stop, "never")))
    assert cut.finish == "stop"
    assert cut.text == full.text[: full.text.index(stop)]
    assert cut.usage.completion_tokens < 12


@pytest.mark.slow
async def test_a_seed_draws_the_same_whatever_shares_the_batch(text_folder):
    def seeded(seed, text="Where?"):
        return request_of(text, temperature=1.0, top_p=0.95, seed=seed)

    async with running(text_folder) as model:
        together = await outcomes(model, [seeded(1), seeded(2), seeded(1), seeded(3, "yes or no?")])
        alone = [await model.ask(seeded(1)), await model.ask(seeded(2))]
        greedy = await model.ask(request_of("Where?"))
    assert together[0] == together[2] == alone[0]
    assert together[1] == alone[1]
    assert len({together[0].text, together[1].text, greedy.text}) == 3


@pytest.mark.slow
async def test_a_prompt_over_the_context_fails_alone_and_names_both_numbers(text_folder):
    long = request_of("x " * CONTEXT)
    async with running(text_folder) as model:
        fine, failed = await outcomes(model, [request_of("Where?"), long])
        nearly = await model.ask(request_of("x" * 40, max_tokens=1000))
    assert fine.text
    assert (failed.kind, failed.transient) == ("bad_request", False)
    assert f"context {CONTEXT}" in str(failed)
    assert nearly.finish == "length"
    assert nearly.usage.prompt_tokens + nearly.usage.completion_tokens == CONTEXT


@pytest.mark.slow
async def test_a_text_model_refuses_pictures(text_folder):
    async with running(text_folder) as model:
        with pytest.raises(ModelError, match=r"text-only model.*\+blind") as caught:
            await model.ask(request_of("Where?", picture(1)))
    assert caught.value.kind == "bad_request"


@pytest.mark.slow
async def test_a_corrupt_picture_fails_only_its_request(vision_folder):
    broken = Media("image", "broken.png", picture(1).read()[:60])
    requests = [request_of("Where?", picture(1)), request_of("Where?", broken), request_of("What?", picture(2))]
    async with running(vision_folder) as model:
        first, failed, last = await outcomes(model, requests)
    assert isinstance(failed, MediaError)
    assert "broken.png" in str(failed)
    assert first.text
    assert last.text


@pytest.mark.slow
async def test_an_exception_of_the_model_fails_only_the_request_that_causes_it(text_folder):
    async with running(text_folder) as model:
        inner = model._engines[0]._encode

        def encode(chats):
            if any("poison" in chat[-1]["content"] for chat in chats):
                raise IndexError("index out of range in self")
            return inner(chats)

        model._engines[0]._encode = encode
        results = await outcomes(model, [request_of(q) for q in (*QUESTIONS[:3], "poison")])
    assert [type(result).__name__ for result in results] == ["Response", "Response", "Response", "ModelError"]
    assert results[3].kind == "model_error"
    assert "IndexError: index out of range" in str(results[3])


@pytest.mark.slow
async def test_a_batch_that_memory_does_not_hold_is_halved_and_later_ones_start_smaller(text_folder):
    requests = [request_of(question) for question in QUESTIONS]
    async with running(text_folder) as model:
        expected = [await model.ask(request) for request in requests]
        tried, inner = [], model._engines[0]._encode

        def encode(chats):
            tried.append(len(chats))
            if len(chats) > 1:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
            return inner(chats)

        model._engines[0]._encode = encode
        assert await outcomes(model, requests) == expected
        assert tried == [4, 2, 1, 1, 1, 1]
        model._engines[0]._encode = lambda chats: (_ for _ in ()).throw(RuntimeError("out of memory"))
        (failed,) = await outcomes(model, requests[:1])
    assert failed.kind == "model_error"
    assert "smaller dtype" in str(failed)


@pytest.mark.slow
async def test_closing_ends_a_running_generation_and_leaves_no_thread(text_folder):
    model = open_model(f"hf:{text_folder}", ModelOptions(extra={"device": "cpu"}))
    await model.start()
    model._engines[0].loaded = replace(model._engines[0].loaded, context=None)
    model._engines[0].loaded.model.generation_config.min_new_tokens = 20_000
    asked = asyncio.create_task(model.ask(request_of("Where?", max_tokens=20_000)))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await model.close()
    assert time.monotonic() - began < 2
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spatialeval-hf")]


@pytest.mark.slow
async def test_variables_reach_the_chat_template(vision_folder, text_folder, tmp_path):
    for folder, sees in ((text_folder, False), (vision_folder, True)):
        copy = shutil.copytree(folder, tmp_path / str(sees))
        template = copy / "chat_template.jinja"
        template.write_text(template.read_text() + "{% if think %}think!{% endif %}")
        async with running(copy, chat_template_kwargs={"think": True}) as model:
            told = await model.ask(request_of("Where?"))
        async with running(copy) as model:
            plain = await model.ask(request_of("Where?"))
        assert told.usage.prompt_tokens > plain.usage.prompt_tokens


@pytest.mark.slow
async def test_a_checkpoint_without_chat_template_is_refused(text_folder, tmp_path):
    shutil.copytree(text_folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(UsageError, match="no chat template"):
        async with running(tmp_path):
            pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "match"),
    [
        (ImportError("Qwen2VLProcessor requires the Torchvision library"), "pip install torchvision"),
        (ImportError("requires num2words"), "num2words"),
        (ValueError("please pass trust_remote_code=True"), "set the option trust_remote_code"),
        (OSError("no file named model.safetensors"), r"cannot be loaded: no file named model\.safetensors"),
    ],
)
async def test_what_is_missing_for_loading_is_said(text_folder, monkeypatch, error, match):
    from transformers import AutoTokenizer

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", fail)
    with pytest.raises(UsageError, match=match):
        async with running(text_folder):
            pass


@pytest.mark.slow
async def test_an_unknown_dtype_or_kind_of_model_is_refused(text_folder, tmp_path):
    with pytest.raises(UsageError, match="float33"):
        async with running(text_folder, dtype="float33"):
            pass
    shutil.copytree(text_folder, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"architectures": ["CLIPModel"], "model_type": "clip"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match="'clip'"):
        async with running(tmp_path):
            pass
