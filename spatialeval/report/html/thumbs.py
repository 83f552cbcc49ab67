"""Small pictures for the page, of exactly the pictures that were sent: a file counts only where its digest agrees."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from functools import cached_property
from typing import TYPE_CHECKING

from spatialeval.errors import MediaError, SpatialEvalError, UsageError
from spatialeval.media import Media
from spatialeval.report.html.remade import Remade
from spatialeval.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spatialeval.report.html.board import BoardRun

_SIDE = 360
"""Pixels of the longer side."""


_FRAME = re.compile(r"(?P<video>.+)#(?:(?P<rule>linspace|uniform_tail)|fps=(?P<fps>[\d.]+)):(?P<at>\d+)/(?P<of>\d+)")
"""How requests name frames: see spatialeval.data.frames."""


class Pictures:
    """Where pictures come from, and how many bytes of them the page may still take."""

    def __init__(self, folder: Path | None, limit: int) -> None:
        self._folder, self._left = folder, limit
        self._generated: dict[str, Media] = {}
        self._made: dict[str, str | None] = {}

    def begin(self, task: str, runs: Sequence[BoardRun] = ()) -> None:
        """Make the pictures of a generated task anew, as the views of its runs showed them."""
        self._generated = {}
        if self._left <= 0:
            return
        try:
            samples = Remade(load_task(task)).shown(runs)
            self._generated = {
                media.sha256: media for sample in samples for media in sample.media if media.kind == "image"
            }
        except SpatialEvalError:  # the task file is not here any more: its pictures are shown by name
            return

    def thumb(self, digest: str, name: str) -> str | None:
        """Return a picture as data URI; None when it is not here, is no picture, or does not fit the limit any more."""
        if digest not in self._made:
            made = self._generated.get(digest)
            data = made.read() if made else self._file(digest, name)
            self._made[digest] = self._small(data) if data else None
        return self._made[digest]

    def _file(self, digest: str, name: str) -> bytes | None:
        """Return a picture of the folder, or a frame of a video there, where it is the one that was sent."""
        if self._folder is None:
            return None
        frame = _FRAME.fullmatch(name)
        for path in self._paths(frame["video"] if frame else name):
            try:
                data = _frame(path, frame) if frame else path.read_bytes()
            except (MediaError, UsageError, OSError):  # a damaged video, or its extra is not installed
                continue
            if hashlib.sha256(data).hexdigest() == digest:
                return data
        return None

    def _paths(self, name: str) -> Iterator[Path]:
        """Yield the files inside of the folder that a name may mean."""
        if self._folder is None:
            return
        named: list[Path] = self._by_name.get(name.rpartition("/")[2], [])
        for path in dict.fromkeys([self._folder / name.lstrip("/"), *named]):
            try:
                inside = path.resolve().is_relative_to(self._folder.resolve()) and path.is_file()
            except (OSError, ValueError):  # no name that a file can have
                continue
            if inside:
                yield path

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in self._folder.rglob("*") if self._folder else ():
            found.setdefault(path.name, []).append(path)
        return found

    def _small(self, data: bytes) -> str | None:
        from PIL import Image  # noqa: PLC0415 - only reports with pictures need it

        out = io.BytesIO()
        try:
            with Image.open(io.BytesIO(data)) as picture:
                small = picture.convert("RGB")
                small.thumbnail((_SIDE, _SIDE))
                small.save(out, "WEBP", quality=75)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        uri = "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()
        if len(uri) > self._left:
            return None
        self._left -= len(uri)
        return uri


def _frame(path: Path, name: re.Match[str]) -> bytes:
    """Return the frame of a video that a request named."""
    from spatialeval.data.frames import frames_by_time, sample_frames  # noqa: PLC0415 - only videos need it

    video, count = Media("video", path.name, path), int(name["of"])
    if name["fps"]:
        frames = frames_by_time(video, float(name["fps"]), count)
    else:
        frames = sample_frames(video, count, "linspace" if name["rule"] == "linspace" else "uniform_tail")
    return frames[min(int(name["at"]), len(frames)) - 1].read()
