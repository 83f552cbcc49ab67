"""From a row's cell to Media: bytes, dicts of bytes and path, base64 texts, paths below a folder, lists of these."""

from __future__ import annotations

import ast
import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal

from spatialeval.data.cells import CellBytes
from spatialeval.errors import DataError, MediaError
from spatialeval.media import Cell, Media, sniff_mime

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spatialeval.samples import Sample

Kind = Literal["image", "video"]

_DATA_URL = re.compile(r"data:[\w.+/-]*(?:;[\w=.-]+)*;base64,")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_SPACE = re.compile(r"\s+")
_VIDEO_HEADS = (b"\x1a\x45\xdf\xa3", b"RIFF")

_SHORTEST_BASE64 = 64
"""Characters; the smallest valid picture takes more, so a shorter text is a path, or was cut off."""
_HEADS = ("/9j/4", "iVBORw0KGgo")
"""How the base64 of any JPEG and PNG begins."""
_ALPHABET = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Unreadable:
    """The source of media that cannot be read: reading fails with the reason, so one sample fails and not the load."""

    reason: str

    def __call__(self) -> bytes:
        """Raise MediaError with the reason."""
        raise MediaError(self.reason)


@dataclass(frozen=True)
class MissingMedia:
    """Media files that are not where the rows say.

    Attributes:
        count: how many different ones are missing.
        first: names of the first five.
        total: how many different ones there are, missing or not.
    """

    count: int
    first: tuple[str, ...]
    total: int = 0


def resolve_media(value: Any, *, kind: Kind, name: str, root: Path | None) -> list[Media]:
    """Return the media that one cell holds, in order; none for null and for an empty text.

    Whether files exist is not looked at here: see `check_media`.

    Args:
        value: the cell: bytes, a dict with `bytes` or `path`, base64 text, a path below `root`, or a list of these
            (also written as JSON or Python text, as the TSV mirrors do).
        kind: what the cell holds.
        name: the column, for messages and for media without a file name.
        root: the folder of media files; None when the user gave none.

    Raises:
        DataError: the cell is none of these, or its path leads out of `root`.
    """
    if value is None or value == "":
        return []
    if isinstance(value, (list, tuple)):
        return [
            media
            for place, item in enumerate(value)
            for media in resolve_media(item, kind=kind, name=f"{name}[{place}]", root=root)
        ]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return [Media(kind, name, _source(value))]
    if isinstance(value, dict):
        return _from_dict(value, kind, name, root)
    if isinstance(value, str):
        return _from_text(value, kind, name, root)
    raise DataError(
        f"{name}: {kind} cells must be bytes, base64, paths or lists of these, not {type(value).__name__}. "
        "Correct the expression in the task file."
    )


def check_media(samples: Iterable[Sample]) -> MissingMedia:
    """Return which media files are absent, so that a run can say so before its first request."""
    absent: dict[str, bool] = {}
    for sample in samples:
        for media in sample.media:
            if isinstance(media.source, Path):
                where = str(media.source)
                if where not in absent:
                    absent[where] = not media.source.is_file()
            elif isinstance(media.source, Unreadable):
                absent[media.name] = True
            else:
                absent[f"{media.name} of {sample.id}"] = False
    missing = [where for where, is_absent in absent.items() if is_absent]
    return MissingMedia(len(missing), tuple(missing[:5]), len(absent))


def _from_dict(value: dict[str, Any], kind: Kind, name: str, root: Path | None) -> list[Media]:
    held, path = value.get("bytes"), value.get("path")
    if held is not None:
        return [Media(kind, str(path or name), _source(held))]
    if path:
        return [_file(str(path), kind, name, root)]
    if value.keys() & {"bytes", "path"}:
        return []
    raise DataError(f"{name}: a {kind} dict needs `bytes` or `path`, found {', '.join(map(repr, value))}.")


def _source(value: bytes | bytearray | memoryview) -> bytes | Cell:
    """Return the bytes, or where they stand if a table has them."""
    if not isinstance(value, CellBytes):
        return bytes(value)
    return Cell(hashlib.sha256(value).digest(), value.shelf, value.row, value.path)


def _from_text(text: str, kind: Kind, name: str, root: Path | None) -> list[Media]:
    if text.startswith("[") and text.endswith("]"):
        return resolve_media(_parse_list(text, name), kind=kind, name=name, root=root)
    if found := _DATA_URL.match(text):
        return [_unpack(text[found.end() :], kind, name)]
    if _is_base64(text, kind):
        return [_unpack(text, kind, name)]
    return [_file(text, kind, name, root)]


def _parse_list(text: str, name: str) -> list[Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise DataError(f"{name}: {text[:60]!r} looks like a list but cannot be read as one.") from None
    return list(value)


def _is_base64(text: str, kind: Kind) -> bool:
    """Tell base64 from a path by what the first bytes decode to; "/9j/..." is a JPEG, not an absolute path."""
    if len(text) < _SHORTEST_BASE64:
        return text.startswith(_HEADS) and _ALPHABET.fullmatch(text) is not None
    try:
        head = base64.b64decode(_SPACE.sub("", text[:_SHORTEST_BASE64])[:32], validate=True)
        if kind == "video":
            return head.startswith(_VIDEO_HEADS) or head[4:8] == b"ftyp"
        sniff_mime(head)
    except (binascii.Error, ValueError, MediaError):
        return False
    return True


def _unpack(text: str, kind: Kind, name: str) -> Media:
    if len(text) < _SHORTEST_BASE64:
        reason = f"{kind} {name!r} is damaged base64: it ends after {len(text)} characters. Fetch the data file again."
        return Media(kind, name, Unreadable(reason))
    try:
        return Media(kind, name, base64.b64decode(_SPACE.sub("", text), validate=True))
    except (binascii.Error, ValueError) as error:
        reason = f"{kind} {name!r} is damaged base64 ({error}). Fetch the data file again."
        return Media(kind, name, Unreadable(reason))


def _file(path: str, kind: Kind, name: str, root: Path | None) -> Media:
    if _URL.match(path):
        raise DataError(f"{name}: {path[:100]!r} is a web address. Download it and pass the folder as --media.")
    # A Windows drive, a UNC share or a leading slash in either style is an anchor.
    if PureWindowsPath(path).anchor or "\0" in path:
        raise DataError(f"{name}: path escapes the media folder: {path[:100]!r}. Paths in rows must be relative.")
    relative = PurePosixPath(path.replace("\\", "/"))
    if ".." in relative.parts:
        raise DataError(f"{name}: path escapes the media folder: {path[:100]!r}. Paths in rows must not hold '..'.")
    if root is None:
        reason = f"{kind} {str(relative)!r} is not here: pass the folder that holds it as --media."
        return Media(kind, str(relative), Unreadable(reason))
    place = root / relative
    if not any(place.resolve().is_relative_to(allowed) for allowed in _allowed(root)):
        raise DataError(
            f"{name}: path escapes the media folder: {path[:100]!r} is a link to {place.resolve()}. "
            "Copy the file, or pass the folder it really lies in as --media."
        )
    return Media(kind, str(relative), place)


def _allowed(root: Path) -> list[Path]:
    """Return where a file below `root` may really lie: there, or in the blobs beside a snapshot of the Hub's cache."""
    real = root.resolve()
    blobs = [parent.parent / "blobs" for parent in real.parents if parent.name == "snapshots"]
    return [real, *blobs]
