"""hf, part by part: finding and identifying a checkpoint, filling batches, drawing tokens."""

from __future__ import annotations

import asyncio

import pytest

from spatialeval.errors import UsageError
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.hf.batching import MicroBatcher
from spatialeval.models.hf.checkpoint import digest, locate


def test_the_identity_of_a_folder_follows_its_weights(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(bytes(100))
    model = open_model(f"hf:{tmp_path}", ModelOptions(batch_size=3, extra={"dtype": "bfloat16"}))
    before = model.identity()
    (tmp_path / "model.safetensors").write_bytes(b"\x01" + bytes(99))
    assert before["dtype"] == "bfloat16"
    assert digest(tmp_path) != before["checkpoint"]
    assert "batch_size" not in before


def test_the_digest_of_a_large_file_sees_its_middle(tmp_path):
    weights = tmp_path / "model.safetensors"
    data = bytearray(17 * 1024 * 1024)
    weights.write_bytes(data)
    before = digest(tmp_path)
    data[len(data) // 2 + 5] = 1
    weights.write_bytes(data)
    assert digest(tmp_path) != before


@pytest.mark.parametrize(
    ("name", "revision", "match"),
    [
        ("./nowhere/at/all", None, "no folder nowhere/at/all"),
        ("/nowhere", None, "Put the checkpoint there"),
        ("a/b/c", None, "no folder a/b/c"),
    ],
)
def test_a_folder_that_is_not_there_is_refused(name, revision, match):
    with pytest.raises(UsageError, match=match):
        locate(name, revision)


def test_a_folder_without_config_or_with_a_revision_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"config\.json"):
        locate(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="revision"):
        locate(str(tmp_path), "main")


def test_a_repository_that_is_not_cached_offline_says_how_to_bring_it(monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match=r"--local-dir FOLDER"):
        locate("someone/some-model")


def test_the_embedded_model_takes_no_name_and_is_an_ordinary_folder():
    with pytest.raises(UsageError, match="hf:tiny"):
        open_model("embedded:tiny")
    model = open_model("embedded")
    assert model.spec == "embedded"
    assert model.name.endswith("spatialeval/embedded/tiny")


async def test_a_batch_takes_items_of_one_key_and_of_like_size():
    batches = []

    def work(items):
        batches.append(items)
        return [item.upper() for item in items]

    batcher = MicroBatcher([work], batch_size=2, key=lambda item: item[0], size=len)
    items = ["a", "bb", "aaaaaaaa", "aa", "b", "aaaaaaa"]
    answers = await asyncio.gather(*(batcher.submit(item) for item in items))
    await batcher.close()
    assert answers == [item.upper() for item in items]
    assert sorted(batches) == [["a", "aa"], ["aaaaaaa", "aaaaaaaa"], ["b", "bb"]]


async def test_an_exception_in_a_result_reaches_only_its_item_and_a_raised_one_reaches_all():
    def work(items):
        if "raise" in items:
            raise RuntimeError("broken")
        return [ValueError(item) if item == "bad" else item for item in items]

    batcher = MicroBatcher([work], batch_size=8, key=lambda item: item == "raise", size=len)
    submitted = (batcher.submit(item) for item in ("fine", "bad", "raise"))
    fine, bad, raised = await asyncio.gather(*submitted, return_exceptions=True)
    await batcher.close()
    assert fine == "fine"
    assert isinstance(bad, ValueError)
    assert isinstance(raised, RuntimeError)


async def test_a_cancelled_item_is_not_worked_on():
    seen = []
    batcher = MicroBatcher([lambda items: seen.extend(items) or items], batch_size=4, key=lambda _: 0, size=len)
    cancelled = asyncio.create_task(batcher.submit("cancelled"))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await batcher.submit("kept") == "kept"
    await batcher.close()
    assert seen == ["kept"]


async def test_missing_packages_name_the_extra(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "spatialeval.models.hf.engine", raising=False)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match=r"pip install 'spatialeval\[hf\]'"):
        await open_model(f"hf:{tmp_path}").start()


@pytest.mark.slow
def test_sampling_draws_from_the_softmax():
    import torch

    from spatialeval.models.hf.sampling import SeededSampler

    scores = torch.tensor([[2.0, 1.0, 0.0, -5.0]]).repeat(4000, 1)
    whole = SeededSampler(2.0, None, range(4000), "cpu")(scores, scores).argmax(dim=1).bincount(minlength=4) / 4000
    top = SeededSampler(1.0, 0.7, range(4000), "cpu")(scores, scores).argmax(dim=1).bincount(minlength=4)
    assert torch.allclose(whole, (scores[0] / 2).softmax(dim=0), atol=0.03)
    assert top[:2].min() > 0  # the first two hold 0.66 and 0.91 of the mass
    assert top[2:].sum() == 0
