"""Which frames of a video are shown, that they are the right pictures, and that a video is decoded once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spatialeval.data import frames
from spatialeval.data.frames import (
    count_frames,
    frames_by_time,
    pick,
    pick_by_time,
    read_frames,
    sample_frames,
)
from spatialeval.errors import MediaError, UsageError
from spatialeval.lru import LRU
from spatialeval.media import Media, open_image

av = pytest.importorskip("av", reason="the video extra is not installed")

STEP = 6
"""Frame i of the test videos is grey of brightness i * STEP."""


def write_video(path, total=40, *, container=None, options=None, rotation=0, size=(64, 48)):
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = 8_000_000  # so that neighbours in brightness stay apart
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(total):
            pixels = np.full((size[1], size[0], 3), index * STEP, dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode())
    return path


def brightness(image: Media) -> float:
    return float(np.asarray(open_image(image)).mean())


def shown(images) -> list[int]:
    return [round(brightness(image) / STEP) for image in images]


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Media:
    path = write_video(tmp_path_factory.mktemp("videos") / "scene.mp4")
    return Media("video", "scannet/scene.mp4", path)


@pytest.fixture
def decoded(monkeypatch) -> list:
    """Every decoding of a video, with an empty cache before it."""
    calls = []
    decode = frames._decode
    monkeypatch.setattr(frames, "_CACHE", LRU(frames.CACHE_BYTES, frames._weight))
    monkeypatch.setattr(frames, "_decode", lambda video, wanted: calls.append(video.name) or decode(video, wanted))
    return calls


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [
        (40, 4, [0, 13, 26, 39]),
        (10, 4, [0, 3, 6, 9]),
        (100, 8, [0, 14, 28, 42, 56, 70, 84, 99]),
        (40, 1, [0]),
        (1, 3, [0, 0, 0]),
        (3, 5, [0, 0, 1, 1, 2]),
    ],
)
def test_linspace_is_even_from_first_to_last_and_rounds_down(total, count, expected):
    assert pick(total, count, "linspace") == expected


@pytest.mark.parametrize("total", [1, 2, 7, 33, 997, 4096])
@pytest.mark.parametrize("count", [1, 2, 8, 16, 32, 128])
def test_uniform_tail_is_linspace_with_the_last_frame(total, count):
    even, tail = pick(total, count, "linspace"), pick(total, count, "uniform_tail")
    assert tail[-1] == total - 1
    assert tail == (even if count > 1 or total == 1 else [0, total - 1])


@pytest.mark.parametrize(("total", "count"), [(0, 4), (4, 0), (-1, 2)])
def test_nothing_can_be_picked_from_nothing(total, count):
    with pytest.raises(UsageError, match="both must be at least 1"):
        pick(total, count, "linspace")


def test_the_right_frames_come_as_lossless_pictures_in_the_order_asked(video):
    images = read_frames(video, [39, 0, 13, 13])
    assert shown(images) == [39, 0, 13, 13]
    assert [image.name for image in images] == [f"scannet/scene.mp4#{index}" for index in (39, 0, 13, 13)]
    assert all(image.kind == "image" and image.read().startswith(b"\x89PNG") for image in images)
    assert open_image(images[0]).size == (64, 48)


def test_frames_equal_those_of_a_plain_decoding_bit_for_bit(video):
    with av.open(str(video.source)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for index, image in zip(range(40), read_frames(video, range(40)), strict=True):
        assert np.array_equal(np.asarray(open_image(image)), plain[index])


def test_a_sampled_frame_opens_the_video_only_when_read(tmp_path, decoded):
    late = Media("video", "late.mp4", tmp_path / "late.mp4")
    images = sample_frames(late, 4)
    assert [image.name for image in images] == [f"late.mp4#linspace:{place}/4" for place in (1, 2, 3, 4)]
    with pytest.raises(MediaError, match=r"'late\.mp4' is missing.*--media"):
        images[0].read()
    write_video(late.source)
    assert shown(images) == [0, 13, 26, 39]
    assert decoded == ["late.mp4"]


@pytest.mark.parametrize(("rule", "expected"), [("linspace", [0]), ("uniform_tail", [0, 39])])
def test_a_single_frame_is_the_first_and_the_tail_rule_adds_the_last(video, rule, expected):
    assert shown(sample_frames(video, 1, rule)) == expected


def test_many_questions_at_once_decode_a_video_once(video, decoded):
    def ask(_):
        return shown(sample_frames(video, 8))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    assert answers == [[0, 5, 11, 16, 22, 27, 33, 39]] * 24
    assert decoded == ["scannet/scene.mp4"]


def test_a_replaced_video_is_decoded_again(tmp_path, decoded):
    path = write_video(tmp_path / "v.mp4", 10)
    video = Media("video", "v.mp4", path)
    assert shown(sample_frames(video, 2)) == [0, 9]
    write_video(path, 20)
    assert shown(sample_frames(video, 2)) == [0, 19]
    assert len(decoded) == 2


def test_the_cache_forgets_the_least_used_video_above_its_limit(tmp_path, decoded, monkeypatch):
    videos = [Media("video", name, write_video(tmp_path / name, 4)) for name in ("a.mp4", "b.mp4", "c.mp4")]
    weight = frames.CACHE_BYTES // frames.CACHE_VIDEOS  # of a small video
    monkeypatch.setattr(frames, "_CACHE", LRU(int(2.5 * weight), frames._weight))
    decoded.clear()
    for place in (0, 1, 0, 2, 0, 1):
        read_frames(videos[place], [0, 3])
    assert decoded == ["a.mp4", "b.mp4", "c.mp4", "b.mp4"]


def test_one_video_larger_than_the_cache_still_serves_all_its_questions(video, decoded, monkeypatch):
    monkeypatch.setattr(frames, "_CACHE", LRU(1, frames._weight))
    assert shown(read_frames(video, [0, 39])) == shown(read_frames(video, [0, 39])) == [0, 39]
    assert len(decoded) == 1


def test_videos_held_in_the_rows_are_read_from_memory(video):
    held = Media("video", "column", video.source.read_bytes())
    assert shown(sample_frames(held, 3)) == [0, 19, 39]


@pytest.mark.parametrize("container", ["matroska", "avi", "mpegts"])
def test_containers_without_a_frame_count_are_counted(tmp_path, container):
    video = Media("video", "v", write_video(tmp_path / "v.bin", 20, container=container))
    assert count_frames(video) == 20
    assert shown(sample_frames(video, 3)) == [0, 9, 19]


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_sideways_video_is_turned_as_players_do(tmp_path, rotation):
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        stream.set_display_rotation(rotation)
        pixels = np.zeros((32, 64, 3), dtype=np.uint8)
        pixels[:, 48:] = 255
        for _ in range(2):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode())
    (image,) = read_frames(Media("video", "phone.mp4", path), [0])
    turned = np.rot90(pixels, rotation // 90)
    assert np.abs(np.asarray(open_image(image)).astype(int) - turned).mean() < 10


@pytest.mark.parametrize("damage", ["empty", "junk", "head only", "playlist"])
def test_a_file_that_is_no_video_names_itself(tmp_path, damage, video):
    content = {
        "empty": b"",
        "junk": b"x" * 5000,
        "head only": video.source.read_bytes()[:200],
        "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{video.source}\n#EXT-X-ENDLIST\n".encode(),
    }[damage]
    (tmp_path / "bad.mp4").write_bytes(content)
    for source in (tmp_path / "bad.mp4", content):
        with pytest.raises(MediaError, match=r"'rooms/bad\.mp4' cannot be decoded: .*Fetch the file again"):
            sample_frames(Media("video", "rooms/bad.mp4", source), 4)[0].read()


def test_a_video_cut_off_in_the_middle_never_gives_other_frames(tmp_path):
    path = write_video(tmp_path / "cut.mp4", 40, options={"movflags": "faststart"}, size=(640, 480))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match=r"'cut\.mp4' gives \d+ frames, but frame 39 is asked for"):
        sample_frames(Media("video", "cut.mp4", path), 4)[0].read()


def test_a_sound_file_has_no_frames(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), dtype=np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with pytest.raises(MediaError, match="no video stream"):
        sample_frames(Media("video", "sound.mp4", path), 4)[0].read()


def test_frames_over_the_size_limit_are_refused(video, monkeypatch):
    monkeypatch.setattr(frames, "MAX_PIXELS", 1000)
    with pytest.raises(MediaError, match="over the size limit"):
        read_frames(Media("video", "big.mp4", video.source), [1, 2])


def test_without_the_extra_the_message_says_what_to_install(video, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError, match=r"pip install 'spatialeval\[video\]'"):
        sample_frames(Media("video", "fresh.mp4", video.source), 5)[0].read()


@pytest.mark.parametrize(
    ("total", "rate", "fps", "most", "indices"),
    [
        (40, 10, 1, None, [0, 10, 20, 30]),
        (40, 10, 2, None, [0, 5, 10, 15, 20, 25, 30, 35]),
        (45, 10, 1, None, [0, 10, 20, 30]),
        (40, 10, 2, 4, [0, 13, 26, 39]),
        (5, 10, 1, None, [0]),
        (31, 29.97, 1, None, [0]),
    ],
)
def test_frames_by_time_are_at_even_steps_and_at_most_as_many_as_said(total, rate, fps, most, indices):
    assert pick_by_time(total, rate, fps, most) == indices


def test_a_video_shows_its_frames_by_time(video):
    images = frames_by_time(video, 1)
    assert [image.name for image in images] == [f"scannet/scene.mp4#fps=1:{n}/4" for n in range(1, 5)]
    assert shown(images) == [0, 10, 20, 30]


def test_a_video_that_is_not_here_is_one_picture_that_cannot_be_read(tmp_path):
    (image,) = frames_by_time(Media("video", "absent.mp4", tmp_path / "absent.mp4"), 1)
    with pytest.raises(MediaError, match=r"absent\.mp4"):
        image.read()
