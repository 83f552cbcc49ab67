"""A run through `vllm:` (a stand-in for the engine): what its results say of cached tokens and of bound replies."""

from __future__ import annotations

from pathlib import Path

import fake_vllm
import pytest

import spatialeval
from spatialeval.models import ModelOptions, pictures
from spatialeval.models.extra import choices_of
from spatialeval.report.notes import notes
from spatialeval.report.table import protocol_label
from spatialeval.run.execute import RunSpec, execute, prepare

TINY = Path(spatialeval.__file__).parent / "embedded" / "tiny"


def spec_of(folder, task="scenes:easy(rows=6,seed=2)", **extra):
    options = ModelOptions(extra=extra)
    return RunSpec(task=task, model=f"vllm:{TINY}", protocol="official", out=folder, options=options)


@pytest.fixture
def engines(monkeypatch):
    return fake_vllm.install(monkeypatch)


async def test_the_share_of_cached_prompt_tokens_is_the_engines_own(tmp_path, engines):
    summary = (await execute(spec_of(tmp_path))).summary
    assert (summary.tokens.prompt, summary.tokens.cached) == (6 * 40, 6 * 32)
    assert "Of 240 prompt tokens, 80.0 % came from a prefix cache" in " ".join(note.text for note in notes(summary))


async def test_bound_replies_are_a_protocol_of_their_own_beside_the_free_ones(tmp_path, engines):
    free = await execute(spec_of(tmp_path))
    bound = await execute(spec_of(tmp_path, choices=["left", "right"]))
    assert [engine.sampled[0].__dict__.get("structured_outputs") is None for engine in engines] == [True, False]
    assert free.folder.name == "official.plain"
    assert bound.folder.name == "official+choices.plain"
    assert protocol_label(free.summary.about) == "official"
    assert protocol_label(bound.summary.about) == "official (choices=left|right)"


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"choices": ["A", "B"]}, ("A", "B")),
        ({"body": {"structured_outputs": {"choice": ["A", "B"]}}}, ("A", "B")),
        ({"body": {"guided_choice": ["A", "B"]}}, ("A", "B")),
        ({"body": {"structured_outputs": {"regex": "[AB]"}}}, ()),
        ({"body": {"top_k": 1}, "spec": "openai:m"}, ()),
        ({}, ()),
    ],
)
def test_choices_are_found_wherever_a_backend_takes_them(settings, found):
    assert choices_of(settings) == found


async def test_a_picture_of_several_questions_is_decoded_once(tmp_path, engines, monkeypatch):
    decoded, inner = [], pictures.open_image
    monkeypatch.setattr(pictures, "open_image", lambda media: decoded.append(media.sha256) or inner(media))
    spec = spec_of(tmp_path, task="scenes:easy(rows=30,seed=2)")
    shown = [media.sha256 for item in prepare(spec).items for media in item.sample.media]
    await execute(spec)
    (engine,) = engines
    assert len(engine.renderer.chats) == 30
    assert sorted(decoded) == sorted(set(shown))


async def test_limits_parallel_sizes_and_an_adapter_reach_the_engine_of_a_run(tmp_path, engines):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    extra = {
        "tensor_parallel_size": 2,
        "pipeline_parallel_size": 2,
        "data_parallel_size": 2,
        "limit_mm_per_prompt": {"image": 32, "video": 0},
        "lora": str(adapter),
    }
    await execute(spec_of(tmp_path / "out", **extra))
    (engine,) = engines
    told = {name: getattr(engine.args, name) for name in extra if name != "lora"}
    assert told == {name: value for name, value in extra.items() if name != "lora"}
    assert {lora.lora_path for lora in engine.loras} == {str(adapter)}
