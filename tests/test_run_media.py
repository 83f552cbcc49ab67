"""Media of a run: read beside the loop, missed by their own samples only, noticed when they change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from run_fakes import Counting, FakeProtocol, make_items, run

from spatialeval.errors import MediaError, RunChangedError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request
from spatialeval.models.base import Model


@dataclass(frozen=True)
class WithPicture(FakeProtocol):
    def request(self, sample, *, instruction=None, settings=None):
        plain = super().request(sample)
        return Request((Message("user", (*map(Image, sample.media), *plain.messages[0].parts)),), self.settings, sample)


def with_picture(folder, *names):
    return [
        replace(item, sample=replace(item.sample, media=(Media("image", name, folder / name),)))
        for item, name in zip(make_items(len(names)), names, strict=True)
    ]


async def test_a_missing_picture_fails_its_own_sample_until_it_is_there(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    items, model = with_picture(tmp_path, "a.png", "b.png"), Counting()
    records = await run(items, tmp_path, model, protocol=WithPicture())
    assert [(r.state, r.failure) for r in records] == [("scored", None), ("failed", "media")]
    assert "b.png" in records[1].message
    assert records[1].attempts == 0
    (tmp_path / "b.png").write_bytes(b"b")
    records = await run(with_picture(tmp_path, "a.png", "b.png"), tmp_path, model, protocol=WithPicture())
    assert [record.state for record in records] == ["scored", "scored"]
    assert model.asked == {"s0": 1, "s1": 1}


async def test_a_picture_that_changed_after_its_answer_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    (tmp_path / "a.png").write_bytes(b"another")
    with pytest.raises(RunChangedError, match=r"1 answered samples.*'s0'.*--fresh"):
        await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    (tmp_path / "a.png").unlink()
    (record,) = await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    assert record.state == "scored"


async def test_media_are_read_beside_the_loop(tmp_path, monkeypatch):
    threads = set()

    def read(media):
        import threading

        threads.add(threading.current_thread() is threading.main_thread())
        return b"x"

    monkeypatch.setattr(Media, "read", read)
    await run(with_picture(tmp_path, "a.png"), tmp_path, protocol=WithPicture())
    assert threads == {False}


async def test_a_picture_that_only_the_model_cannot_read_fails_its_sample(tmp_path):
    def corrupt(request):
        raise MediaError("image 'a.png' is corrupt")

    class Direct(Model):
        spec = "direct"

        async def ask(self, request):
            return corrupt(request)

    (record,) = await run(make_items(1), tmp_path, model=Direct())
    assert (record.state, record.failure) == ("failed", "media")
