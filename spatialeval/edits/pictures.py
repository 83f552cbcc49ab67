"""Pictures edited when they are read: the same bytes for the same picture, and lossy only where that is the edit.

A picture is turned upright first, as its EXIF tag says, and written without the tag: every reader then sees the same.
PNG is written whatever the picture came as, in the mode it has: palettes, transparency and 16 bits stay.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from spatialeval.errors import MediaError
from spatialeval.lru import LRU
from spatialeval.media import MAX_PIXELS, Media

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import PIL.Image

    Edit = Callable[[PIL.Image.Image], PIL.Image.Image]

NOISES = ("brighter", "darker", "jpeg", "blur", "smaller", "padded")
"""The kinds of `noisy`."""
GREY = (128, 128, 128)
EDITED_BYTES = 64 * 2**20
"""Edited pictures kept: each is read at least twice for a question, and frames by every question on their video."""
_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"}


def upright(data: bytes, name: str) -> PIL.Image.Image:
    """Return a decoded picture as it is meant to be seen; raise MediaError when it is corrupt or too large."""
    import PIL.Image  # noqa: PLC0415 - slow to import, and most views need no pixels
    import PIL.ImageOps  # noqa: PLC0415

    try:
        with PIL.Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise MediaError(f"image {name!r} has {picture.width}x{picture.height} pixels, over the limit.")
            seen = PIL.ImageOps.exif_transpose(picture)
            seen.load()
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise MediaError(f"image {name!r} is corrupt: {error}. Fetch the file again.") from error
    return _kept(seen)


def _kept(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture in a mode that PNG can hold: 16 bits in one, exotic ones as RGB."""
    if picture.mode.startswith("I;16"):
        return picture if picture.mode == "I;16" else picture.convert("I").convert("I;16")
    if picture.mode in _MODES:
        return picture
    return picture.convert("RGBA" if picture.mode in {"PA", "La", "RGBa"} else "RGB")


def png(picture: PIL.Image.Image) -> bytes:
    """Return a picture as PNG with nothing in it but pixels, palette and transparency."""
    buffer = io.BytesIO()
    clear = {"transparency": picture.info["transparency"]} if "transparency" in picture.info else {}
    picture.info.clear()
    picture.save(buffer, format="PNG", compress_level=6, **clear)
    return buffer.getvalue()


def plain(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture in RGB, transparency over white, 16 bits scaled to 8."""
    import PIL.Image  # noqa: PLC0415

    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L").convert("RGB")
    if picture.mode in {"RGBA", "LA"} or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", seen.size, (255, 255, 255, 255))
        return PIL.Image.alpha_composite(white, seen).convert("RGB")
    return picture.convert("RGB")


def changed(media: Media, name: str, edit: Callable[[bytes, str], bytes]) -> Media:
    """Return an image, or a video of which every frame is, edited when it is read."""
    if media.kind == "video":
        return frames_changed(media, lambda frames: [_frame_changed(frame, name, edit) for frame in frames])
    return Media("image", f"{media.name}|{name}", partial(_read, media, name, edit))


def frames_changed(media: Media, edit: Callable[[Sequence[Media]], Sequence[Media]]) -> Media:
    """Return a video whose list of frames is edited before it is shown, after any edit it has already."""
    before = media.edit

    def both(frames: Sequence[Media]) -> Sequence[Media]:
        return edit(before(frames) if before else frames)

    return replace(media, edit=both)


def _frame_changed(frame: Media, name: str, edit: Callable[[bytes, str], bytes]) -> Media:
    """Return an edited frame: the same object for all questions on a video, so that its digest is taken once."""
    # by identity: hashing a Media may hash its bytes; the entry keeps the frame, so its id stays taken
    return _FRAMES.get((id(frame), name), lambda: (frame, changed(frame, name, edit)))[1]


def _read(media: Media, name: str, edit: Callable[[bytes, str], bytes]) -> bytes:
    return _EDITED.get((media.sha256, name), lambda: edit(media.read(), media.name))


def mirrored(media: Media) -> Media:
    """Return a picture or video with left and right swapped."""
    return changed(media, "mirror", _mirror)


def turned(media: Media, quarters: int) -> Media:
    """Return a picture or video turned by quarters, counter-clockwise; the canvas turns along."""
    return changed(media, f"turn{90 * (quarters % 4)}", partial(_turn, quarters=quarters % 4))


def blank(media: Media) -> Media:
    """Return a grey picture, or video of grey frames, of the same size."""
    return changed(media, "blank", _blank)


def noisy(media: Media, kind: str) -> Media:
    """Return a picture or video with a small change of one of the `NOISES`."""
    return changed(media, kind, partial(_noise, kind=kind))


def shuffled_frames(media: Media, key: str) -> Media:
    """Return a video whose frames come in an order drawn from `key`."""

    def shuffle(frames: Sequence[Media]) -> Sequence[Media]:
        places = range(len(frames))
        return [frames[place] for place in sorted(places, key=lambda place: _draw(f"{key}|{place}"))]

    return frames_changed(media, shuffle)


def reversed_frames(media: Media) -> Media:
    """Return a video whose frames come in the other order."""
    return frames_changed(media, lambda frames: list(reversed(frames)))


def width_of(media: Media) -> int:
    """Return the width of an image in pixels, as it is meant to be seen."""
    return upright(media.read(), media.name).width


def _draw(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _mirror(data: bytes, name: str) -> bytes:
    import PIL.Image  # noqa: PLC0415

    return png(upright(data, name).transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT))


def _turn(data: bytes, name: str, quarters: int) -> bytes:
    import PIL.Image  # noqa: PLC0415

    picture = upright(data, name)
    ways = (None, PIL.Image.Transpose.ROTATE_90, PIL.Image.Transpose.ROTATE_180, PIL.Image.Transpose.ROTATE_270)
    way = ways[quarters]
    return png(picture if way is None else picture.transpose(way))


def _blank(data: bytes, name: str) -> bytes:
    import PIL.Image  # noqa: PLC0415

    return png(PIL.Image.new("RGB", upright(data, name).size, GREY))


def _noise(data: bytes, name: str, kind: str) -> bytes:
    import PIL.Image  # noqa: PLC0415
    import PIL.ImageEnhance  # noqa: PLC0415
    import PIL.ImageFilter  # noqa: PLC0415

    picture = plain(upright(data, name))
    if kind in {"brighter", "darker"}:
        return png(PIL.ImageEnhance.Brightness(picture).enhance(1.2 if kind == "brighter" else 0.8))
    if kind == "jpeg":
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=50, subsampling=2, optimize=False, progressive=False)
        return buffer.getvalue()
    if kind == "blur":
        return png(picture.filter(PIL.ImageFilter.GaussianBlur(radius=max(0.8, max(picture.size) / 400))))
    if kind == "smaller":
        size = (max(1, round(0.75 * picture.width)), max(1, round(0.75 * picture.height)))
        return png(picture.resize(size, PIL.Image.Resampling.BICUBIC))
    side = max(picture.size)
    square = PIL.Image.new("RGB", (side, side), GREY)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return png(square)


_EDITED: LRU[bytes] = LRU(EDITED_BYTES, len)
_FRAMES: LRU[tuple[Media, Media]] = LRU(20_000, lambda _: 1)
