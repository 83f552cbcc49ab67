"""A set in the shape of VSI-Bench: a video is decoded once, off the loop, and its requests begin alike."""

from __future__ import annotations

import json
import threading
from collections import Counter
from itertools import groupby

import pytest
from fault_server import FaultServer
from video_set import write_set

from spatialeval.data import frames
from spatialeval.edits import pictures
from spatialeval.lru import LRU
from spatialeval.models import ModelOptions, chat
from spatialeval.run.execute import RunSpec, execute

pytest.importorskip("av", reason="the video extra is not installed")

VIDEOS, QUESTIONS, FRAMES = 36, 640, 8
FEW, SOME = 6, 100


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("videos") / "set", VIDEOS, QUESTIONS, frames=FRAMES)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("videos") / "small", FEW, SOME, frames=FRAMES)


@pytest.fixture
def work(monkeypatch):
    """What was done to media, by name, with empty caches before it. Anything on the loop's thread fails the test."""
    done = Counter()

    def spied(module, name):
        inner = getattr(module, name)

        def spy(*given, **named):
            assert threading.current_thread() is not threading.main_thread(), f"{name} holds up the event loop"
            done[name] += 1
            return inner(*given, **named)

        monkeypatch.setattr(module, name, spy)

    monkeypatch.setattr(frames, "_CACHE", LRU(frames.CACHE_BYTES, frames._weight))
    monkeypatch.setattr(frames, "_INDICES", LRU(frames.SHOWN_FRAMES, len))
    monkeypatch.setattr(frames, "_SHOWN", LRU(frames.SHOWN_FRAMES, len))
    monkeypatch.setattr(pictures, "_EDITED", LRU(pictures.EDITED_BYTES, len))
    for module, name in ((frames, "_decode"), (frames, "_png"), (frames, "_timed"), (chat, "_data_url")):
        spied(module, name)
    spied(pictures, "_blank")
    return done


async def asked(made, folder, *, strategy="plain", protocol="even", concurrency=16):
    """Run the whole set against a server; return the parts of every request, in the order in which they came."""
    async with FaultServer() as server:
        spec = RunSpec(
            task=str(made),
            model="openai:m",
            data=made.parent / "videos.jsonl",
            media=made.parent,
            protocol=protocol,
            strategy=strategy,
            out=folder,
            options=ModelOptions(base_url=server.base_url, concurrency=concurrency),
        )
        outcome = await execute(spec)
        assert outcome.complete
        return [body["messages"][-1]["content"] for body in server.bodies]


def shown(parts):
    return tuple(part["image_url"]["url"] for part in parts if part["type"] == "image_url")


@pytest.mark.parametrize(("protocol", "count"), [("even", FRAMES), ("tail", FRAMES), ("timed", 6)])
async def test_as_many_decodings_as_videos_and_one_encoding_of_each_frame(made, work, tmp_path, protocol, count):
    bodies = await asked(made, tmp_path, protocol=protocol)
    assert len(bodies) == QUESTIONS
    assert work["_decode"] == VIDEOS
    assert work["_png"] == work["_data_url"] == VIDEOS * count
    assert work["_timed"] == (VIDEOS if protocol == "timed" else 0)
    assert len({shown(parts) for parts in bodies}) == VIDEOS


async def test_requests_on_one_video_come_together_and_begin_with_its_frames(small, work, tmp_path):
    bodies = await asked(small, tmp_path, concurrency=1)
    assert len([video for video, _ in groupby(bodies, key=shown)]) == FEW
    for parts in bodies:
        assert [part["type"] for part in parts] == ["image_url"] * FRAMES + ["text"]
    begun = Counter(json.dumps(parts[:FRAMES]) for parts in bodies)
    assert sorted(begun.values()) == [16, 16, 17, 17, 17, 17]


@pytest.mark.parametrize(
    ("strategy", "calls"), [("plain+shuffle-frames", 1), ("plain+blank", 1), ("plain+circular", 4)]
)
async def test_a_view_costs_no_further_decoding(small, work, tmp_path, strategy, calls):
    assert len(await asked(small, tmp_path, strategy=strategy)) == calls * SOME
    assert work["_decode"] == FEW
    assert work["_blank"] == (FEW * FRAMES if "blank" in strategy else 0)


async def test_other_rules_for_the_same_frames_and_later_runs_decode_nothing_again(small, work, tmp_path):
    for protocol in ("even", "tail"):
        await asked(small, tmp_path / protocol, protocol=protocol)
    assert work["_decode"] == FEW


async def test_a_cache_of_few_videos_is_enough_for_many_questions_in_flight(small, work, tmp_path, monkeypatch):
    await asked(small, tmp_path / "first")
    few = LRU(3 * frames._CACHE.held // FEW, frames._weight)
    monkeypatch.setattr(frames, "_CACHE", few)
    work.clear()
    await asked(small, tmp_path / "second", concurrency=32)
    assert work["_decode"] == FEW
    assert 0 < few.held <= few.limit
