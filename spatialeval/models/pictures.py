"""Decoded pictures for models in this process: a picture that several questions show is decoded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatialeval.lru import LRU
from spatialeval.media import open_image

if TYPE_CHECKING:
    import PIL.Image

    from spatialeval.media import Media

DECODED_BYTES = 256 * 2**20
"""Pixels kept for the next question about them."""


class Pictures:
    """The latest decoded pictures, by the digest of their stored bytes. For several threads; nobody may change one."""

    def __init__(self, limit: int = DECODED_BYTES) -> None:
        self._held: LRU[PIL.Image.Image] = LRU(limit, _weigh)

    def open(self, media: Media) -> PIL.Image.Image:
        """Return the decoded RGB picture; raise MediaError as `open_image` does."""
        return self._held.get(media.sha256, lambda: open_image(media))


def _weigh(picture: PIL.Image.Image) -> int:
    return 4 * picture.width * picture.height  # Pillow keeps RGB in four bytes
