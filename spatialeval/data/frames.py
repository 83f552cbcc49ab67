"""Frames of videos: which ones a protocol shows, and one decoding for all questions on the same video."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spatialeval.errors import MediaError, UsageError
from spatialeval.lru import LRU
from spatialeval.media import MAX_PIXELS, Media

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

FrameRule = Literal["linspace", "uniform_tail", "fps"]
"""How the frames are picked:

linspace      evenly from the first to the last, rounded down; a short video repeats frames. As in
              vision-x-nyu/thinking-in-space:lmms_eval/models/llava_onevision.py and lmms-eval's decord loaders.
uniform_tail  the same, and the last frame behind them where it is not among them. As in
              vision-x-nyu/thinking-in-space:lmms_eval/models/gpt4v.py and
              open-compass/VLMEvalKit:vlmeval/dataset/vsibench.py. As linspace ends on the last frame whenever two or
              more are asked for, the two rules differ for a single frame only.
fps           frames at even steps in time, the first one first, as many as whole steps fit. As in
              open-compass/VLMEvalKit:vlmeval/dataset/video_base.py. Above a limit, that many by linspace.
"""

CACHE_BYTES = 256 * 2**20
"""Encoded frames kept for the next question on the same video."""
CACHE_VIDEOS = 32
"""Videos whose frames are kept, however small: a run asks all about one before it comes to the next."""
SHOWN_FRAMES = 20_000
"""Frames, without their pixels, that keep their digest for the next question: about 1 KB each."""

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,gif,flv,ogg"


def pick(total: int, count: int, rule: FrameRule) -> list[int]:
    """Return the 0-based indices of the frames to show, in order.

    Args:
        total: frames of the video, at least 1.
        count: frames asked for, at least 1.
        rule: see `FrameRule`.
    """
    if total < 1 or count < 1:
        raise UsageError(f"cannot pick {count} of {total} frames: both must be at least 1.")
    import numpy as np  # noqa: PLC0415 - slow to import, and only videos need it

    indices: list[int] = np.linspace(0, total - 1, count, dtype=int).tolist()
    if rule == "uniform_tail" and indices[-1] != total - 1:
        indices.append(total - 1)
    return indices


def pick_by_time(total: int, rate: float, fps: float, most: int | None = None) -> list[int]:
    """Return the indices of the frames that rule `fps` shows of a video of `total` frames at `rate` per second."""
    count = max(1, int(total / rate * fps))
    if most is not None and count > most:
        return pick(total, most, "linspace")
    return [min(total - 1, int(place * rate / fps)) for place in range(count)]


def frames_by_time(video: Media, fps: float, most: int | None = None) -> tuple[Media, ...]:
    """Return images that stand for `fps` frames per second of a video, at most `most`.

    How many there are only the video knows. Where it is not here, one image stands for all, and reading it says so.
    """
    key = (_identity(video), fps, most)
    try:
        indices = _INDICES.get(key, lambda: _timed(video, fps, most))
    except MediaError:
        return (Media("image", f"{video.name}#fps={fps:g}", partial(_timed_frame, video, key, 0)),)
    names = [f"{video.name}#fps={fps:g}:{place + 1}/{len(indices)}" for place in range(len(indices))]
    return _SHOWN.get(
        (video.name, key),
        lambda: tuple(
            Media("image", name, partial(_timed_frame, video, key, place)) for place, name in enumerate(names)
        ),
    )


def sample_frames(video: Media, count: int, rule: FrameRule = "linspace") -> tuple[Media, ...]:
    """Return images that stand for the picked frames; the video is opened when the first one is read.

    Their names, such as "scannet/scene0011_00.mp4#linspace:3/32", say what they show, so two requests that show the
    same frames carry the same names. They are the same objects for all questions on a video, so that their digests
    are taken once. Reading one raises MediaError as `read_frames` does.
    """
    shown = 2 if rule == "uniform_tail" and count == 1 else count
    return _SHOWN.get(
        (video.name, _identity(video), count, rule),
        lambda: tuple(
            Media("image", f"{video.name}#{rule}:{place + 1}/{count}", partial(_frame, video, count, rule, place))
            for place in range(shown)
        ),
    )


def read_frames(video: Media, indices: Sequence[int]) -> list[Media]:
    """Return the frames at these 0-based indices as PNG images (lossless: protocols show the decoder's pixels).

    The video is decoded once for all questions that show the same frames, also when they are asked at the same time.

    Raises:
        MediaError: the video is missing, corrupt or shorter than the indices.
        UsageError: the `video` extra is not installed.
    """
    wanted = tuple(indices)
    pictures = _CACHE.get((_identity(video), wanted), partial(_decode, video, frozenset(wanted)))
    return [Media("image", f"{video.name}#{index}", pictures[index]) for index in wanted]


def count_frames(video: Media) -> int:
    """Return how many frames the video has: the container's figure, or its packets where it gives none."""
    with _open(video) as container:
        stream = container.streams.video[0]
        if stream.frames:
            return int(stream.frames)
        return sum(1 for packet in container.demux(stream) if packet.size)


def _timed(video: Media, fps: float, most: int | None) -> list[int]:
    with _open(video) as container:
        rate = container.streams.video[0].average_rate
    total = count_frames(video)
    if not total or not rate:
        raise MediaError(f"video {video.name!r} does not say how many frames it has per second. Fetch it again.")
    return pick_by_time(total, float(rate), fps, most)


def _timed_frame(video: Media, key: tuple[Hashable, float, int | None], place: int) -> bytes:
    indices = _INDICES.get(key, lambda: _timed(video, key[1], key[2]))
    return read_frames(video, indices)[min(place, len(indices) - 1)].read()


def _frame(video: Media, count: int, rule: FrameRule, place: int) -> bytes:
    indices = _INDICES.get((_identity(video), count, rule), lambda: _picked(video, count, rule))
    return read_frames(video, indices)[min(place, len(indices) - 1)].read()


def _picked(video: Media, count: int, rule: FrameRule) -> list[int]:
    total = count_frames(video)
    if not total:
        raise MediaError(f"video {video.name!r} has no frames. Fetch it again.")
    return pick(total, count, rule)


def _decode(video: Media, wanted: frozenset[int]) -> dict[int, bytes]:
    pictures: dict[int, bytes] = {}
    seen = 0
    with _open(video) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for index, frame in enumerate(container.decode(stream)):
            seen = index + 1
            if index in wanted:
                pictures[index] = _png(frame)
            if len(pictures) == len(wanted):
                break
    if missing := sorted(wanted - pictures.keys()):
        raise MediaError(
            f"video {video.name!r} gives {seen} frames, but frame {missing[-1]} is asked for: it is cut off or its "
            "header is wrong. Fetch it again."
        )
    return pictures


def _png(frame: Any) -> bytes:
    picture = frame.to_image()
    if frame.rotation:
        # Phones store frames sideways with a note; decord, which most harnesses use, turns them too (dmlc/decord#51).
        picture = picture.rotate(frame.rotation, expand=True)
    out = io.BytesIO()
    picture.save(out, format="PNG", compress_level=1)
    return out.getvalue()


class _open:  # noqa: N801 - used as a function: `with _open(video) as container`
    """An opened container whose every error, also while decoding, becomes a MediaError that names the video."""

    def __init__(self, video: Media) -> None:
        self._video = video

    def __enter__(self) -> Any:
        try:
            import av  # noqa: PLC0415 - an extra, and heavy
        except ImportError as error:
            raise UsageError("videos need PyAV: pip install 'spatialeval[video]'") from error
        self._errors: tuple[type[Exception], ...] = (av.error.FFmpegError, OSError)
        source = self._video.source
        if isinstance(source, Path):
            if not source.is_file():
                self._video.read()  # raises, saying where the file should be
            place: Any = str(source)
        else:
            place = io.BytesIO(self._video.read())
        # Only plain video files: a playlist under a video's name could make FFmpeg open other files and addresses.
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
        try:
            self._container = av.open(place, options=options)
        except self._errors as error:
            raise self._corrupt(error) from error
        streams = self._container.streams.video
        if not streams or streams[0].codec_context.width * streams[0].codec_context.height > MAX_PIXELS:
            self._container.close()
            raise self._corrupt("no video stream in it, or frames over the size limit")
        return self._container

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._container.close()
        if isinstance(error, self._errors):
            raise self._corrupt(error) from error

    def _corrupt(self, why: object) -> MediaError:
        return MediaError(f"video {self._video.name!r} cannot be decoded: {why}. Fetch the file again.")


def _identity(video: Media) -> Hashable:
    if not isinstance(video.source, Path):
        return video.sha256
    try:
        facts = video.source.stat()
    except OSError:
        return str(video.source)
    return str(video.source), facts.st_mtime_ns, facts.st_size


def _weight(pictures: dict[int, bytes]) -> int:
    return max(sum(map(len, pictures.values())), CACHE_BYTES // CACHE_VIDEOS)


_CACHE: LRU[dict[int, bytes]] = LRU(CACHE_BYTES, _weight)
_INDICES: LRU[list[int]] = LRU(SHOWN_FRAMES, len)
_SHOWN: LRU[tuple[Media, ...]] = LRU(SHOWN_FRAMES, len)
