"""Images and videos: where they are, read when needed, passed on as the bytes they are stored as."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from spatialeval.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import PIL.Image

MAX_PIXELS = 100_000_000
"""Images with more pixels are refused: a small file can unpack to gigabytes."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


class Shelf(Protocol):
    """A table on disk that gives any cell of its rows."""

    def read(self, row: int, path: tuple[str | int, ...]) -> bytes:
        """Return the bytes of a cell; raise MediaError when they cannot be read."""
        ...

    def at_hand(self, row: int, path: tuple[str | int, ...]) -> bool:
        """Tell whether a cell can be had without reading the disk."""
        ...


class Cell:
    """Bytes that stand in a table on disk: known by their digest, read from the table each time.

    Args:
        digest: SHA-256 of the bytes.
        shelf: the table.
        row: the row's number in it.
        path: from the row to the bytes: column, then fields of structs and places in lists.
    """

    __slots__ = ("digest", "path", "row", "shelf")

    def __init__(self, digest: bytes, shelf: Shelf, row: int, path: tuple[str | int, ...]) -> None:
        self.digest, self.shelf, self.row, self.path = digest, shelf, row, path

    @property
    def at_hand(self) -> bool:
        """Whether the bytes can be had without reading the disk."""
        return self.shelf.at_hand(self.row, self.path)

    def read(self, name: str) -> bytes:
        """Return the bytes of the media `name`; raise MediaError when they are not what they were."""
        data = self.shelf.read(self.row, self.path)
        if hashlib.sha256(data).digest() != self.digest:
            raise MediaError(
                f"{name!r} in row {self.row} of the data has changed since the rows were loaded. Run the command again."
            )
        return data

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same bytes."""
        return isinstance(other, Cell) and other.digest == self.digest

    def __hash__(self) -> int:
        """Hash the digest."""
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as the bytes themselves: another process or machine may not have the table."""
        return bytes, (self.read("media"),)


@dataclass(frozen=True)
class Media:
    """One image or video of a sample.

    Attributes:
        kind: "image" or "video".
        name: how messages and errors call it: a file name or a column name.
        source: the stored bytes, the cell or the file that holds them, or a function that makes them (a frame of a
            video).
        edit: what is done to the frames of a video before they are shown (mirrored, in another order).
    """

    kind: Literal["image", "video"]
    name: str
    source: bytes | Cell | Path | Callable[[], bytes] = field(repr=False)
    edit: Callable[[Sequence[Media]], Sequence[Media]] | None = field(default=None, repr=False, compare=False)

    def read(self) -> bytes:
        """Return the stored bytes; raise MediaError, naming the file, when they cannot be read."""
        if isinstance(self.source, bytes):
            return self.source
        if isinstance(self.source, Cell):
            return self.source.read(self.name)
        if callable(self.source):
            return self.source()
        try:
            return self.source.read_bytes()
        except FileNotFoundError as error:
            raise MediaError(
                f"{self.kind} {self.name!r} is missing: there is no file {self.source}. "
                "Put the file there, or point --media at the folder that holds it."
            ) from error
        except OSError as error:
            raise MediaError(
                f"{self.kind} {self.name!r} cannot be read from {self.source}: {error.strerror}. "
                "Put the file there, or point --media at the folder that holds it."
            ) from error

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the stored bytes; results name media by it."""
        if isinstance(self.source, Cell):
            return self.source.digest.hex()
        return hashlib.sha256(self.read()).hexdigest()

    @property
    def in_row(self) -> bool:
        """Whether the bytes came with the sample's row, so that their digest costs no reading."""
        return isinstance(self.source, bytes | Cell)

    @property
    def at_hand(self) -> bool:
        """Whether reading the bytes is no work for a disk or a decoder, so that an event loop may do it."""
        return isinstance(self.source, bytes) or (isinstance(self.source, Cell) and self.source.at_hand)

    @property
    def fingerprint(self) -> str:
        """A cheap identity for noticing changed data: the digest of bytes in rows, or a file's name and size."""
        if self.in_row:
            return self.sha256
        if not isinstance(self.source, Path):
            return self.name
        try:
            return f"{self.name}:{self.source.stat().st_size}"
        except OSError:
            return f"{self.name}:absent"


def sniff_mime(data: bytes, name: str = "image") -> str:
    """Return the MIME type of an image from its first bytes; raise MediaError when they are no image's."""
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in {b"ftypavif", b"ftypheic"}:
        return f"image/{data[8:12].decode()}"
    raise MediaError(f"image {name!r} is not a picture: its first bytes are {data[:8]!r}. Fetch the file again.")


def open_image(media: Media) -> PIL.Image.Image:
    """Return the decoded RGB picture; raise MediaError when it is corrupt or larger than MAX_PIXELS."""
    import PIL.Image  # noqa: PLC0415 - only models that take pixels pay for it

    try:
        with PIL.Image.open(io.BytesIO(media.read())) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise MediaError(f"image {media.name!r} has {picture.width}x{picture.height} pixels, over the limit.")
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise MediaError(f"image {media.name!r} is corrupt: {error}. Fetch the file again.") from error
