"""Scene to PNG: backdrop, soft shadows, solids from far to near, drawn at twice the size and averaged down."""

from __future__ import annotations

import io
import math
import random
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spatialeval.generators.scenes.palette import COLORS
from spatialeval.generators.scenes.solids import REACH, cast
from spatialeval.lru import LRU

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatialeval.generators.scenes.world import Backdrop, Camera, Scene, Solid

OVERSAMPLE = 2
TILE = 1.0  # metres between the lines of the floor
EASY_PITCH = 22.0  # degrees from above, in rooms without a floor to derive it from


def draw(scene: Scene) -> Image.Image:
    """The picture of a scene."""
    canvas = _backdrop(scene.camera, scene.backdrop)
    far_to_near = sorted(scene.solids, key=lambda solid: -solid.z)
    for solid in far_to_near:
        _shadow(canvas, scene, solid)
    for solid in far_to_near:
        _solid(canvas, scene, solid)
    return Image.fromarray(np.clip(_averaged(canvas) + 0.5, 0, 255).astype(np.uint8))


def _averaged(canvas: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each square of pixels, added in the order of numpy's own mean: the same bits, far quicker."""
    total = np.zeros([side // OVERSAMPLE for side in canvas.shape[:2]] + [3])
    for down, across in product(range(OVERSAMPLE), repeat=2):
        total += canvas[down::OVERSAMPLE, across::OVERSAMPLE]
    total /= OVERSAMPLE**2
    return total


def png(scene: Scene) -> bytes:
    """The picture as PNG bytes."""
    return _drawn.get((scene.camera, scene.solids, scene.backdrop), lambda: _encoded(scene))


_drawn: LRU[bytes] = LRU(128 * 2**20, len)
"""Pictures drawn lately: a training asks for the same ones for its guard, each stage, each seed and each exam."""


def _encoded(scene: Scene) -> bytes:
    buffer = io.BytesIO()
    draw(scene).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def _window(canvas: NDArray[np.float64], u: float, v: float, reach_u: float, reach_v: float) -> tuple[slice, slice]:
    height, width = canvas.shape[:2]
    rows = slice(max(0, math.floor(v - reach_v)), min(height, math.ceil(v + reach_v) + 1))
    return rows, slice(max(0, math.floor(u - reach_u)), min(width, math.ceil(u + reach_u) + 1))


def _offsets(rows: slice, columns: slice, u: float, v: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    across = np.arange(columns.start, columns.stop) + 0.5 - u
    down = np.arange(rows.start, rows.stop) + 0.5 - v
    wide, tall = np.meshgrid(across, down)
    return wide, tall


def _solid(canvas: NDArray[np.float64], scene: Scene, solid: Solid) -> None:
    u, v, radius = (value * OVERSAMPLE for value in (solid.u, solid.v, solid.radius))
    rows, columns = _window(canvas, u, v, REACH * radius, REACH * radius)
    across, down = _offsets(rows, columns, u, v)
    shade, cover = cast(
        solid.shape, COLORS[solid.color], across / radius, -down / radius, solid.yaw, _pitch(scene, solid)
    )
    canvas[rows, columns][cover] = shade


def _pitch(scene: Scene, solid: Solid) -> float:
    if scene.backdrop.floor is None:
        return EASY_PITCH
    return max(8.0, math.degrees(math.atan2(scene.camera.height - solid.y, solid.z)))


def _shadow(canvas: NDArray[np.float64], scene: Scene, solid: Solid) -> None:
    """A soft ellipse: on the floor straight under the solid, or just below it where the room has no floor."""
    if scene.backdrop.floor is None:
        u, v, wide, tall, dark = solid.u, solid.v + 0.92 * solid.radius, 0.95 * solid.radius, 0.3 * solid.radius, 0.3
    else:
        u, v = scene.camera.project(solid.x, 0.0, solid.z)
        wide = 1.05 * solid.radius
        tall, dark = wide * max(0.15, scene.camera.height / solid.z), 0.5
    u, v, wide, tall = (value * OVERSAMPLE for value in (u, v, wide, tall))
    rows, columns = _window(canvas, u, v, 1.3 * wide, 1.3 * tall)
    across, down = _offsets(rows, columns, u, v)
    away = np.sqrt((across / wide) ** 2 + (down / tall) ** 2)
    strength = dark * np.clip(1.3 - away, 0.0, 0.6) / 0.6
    canvas[rows, columns] *= 1.0 - strength[..., None]


def _backdrop(camera: Camera, backdrop: Backdrop) -> NDArray[np.float64]:
    size = camera.width * OVERSAMPLE
    canvas = np.empty((size, size, 3))
    down = (np.arange(size) + 0.5) / size
    canvas[:] = (np.array(backdrop.wall, dtype=np.float64) * (1.04 - 0.1 * down)[:, None])[:, None]
    if backdrop.floor is not None:
        _tiles(canvas, camera, np.array(backdrop.floor, dtype=np.float64))
    if backdrop.texture != "plain":
        _texture(canvas, backdrop)
    return canvas


def _tiles(canvas: NDArray[np.float64], camera: Camera, floor: NDArray[np.float64]) -> None:
    """A tiled floor in true perspective: the honest cue to depth."""
    size = canvas.shape[0]
    first = math.ceil(camera.horizon * OVERSAMPLE + 0.045 * size)
    below = (np.arange(first, size) + 0.5) / OVERSAMPLE - camera.horizon
    depth = camera.focal * camera.height / below
    across = ((np.arange(size) + 0.5) / OVERSAMPLE - camera.width / 2)[None, :] * depth[:, None] / camera.focal
    odd = (np.floor(across / TILE).astype(np.int64) + np.floor(depth / TILE).astype(np.int64)[:, None]) & 1
    canvas[first:] = np.where(odd[..., None], floor * (0.92 + 0.12), floor * 0.92)


def _texture(canvas: NDArray[np.float64], backdrop: Backdrop) -> None:
    """A slanted gradient, stripes or blotches, weak enough to leave every solid legible."""
    rng = random.Random(f"texture {backdrop.texture_seed}")  # noqa: S311 - a texture, not a secret
    size = canvas.shape[0]
    across, down = np.meshgrid(np.arange(size) / size, np.arange(size) / size)
    slant = rng.uniform(-1, 1)
    if backdrop.texture == "gradient":
        change = (across * slant + down * (1 - abs(slant))) * 0.5 - 0.25
    elif backdrop.texture == "stripes":
        change = ((np.floor((across + slant * down) * rng.randint(8, 16)) % 2) - 0.5) * 0.16
    else:
        coarse = Image.fromarray(np.array([[rng.randrange(256) for _ in range(16)] for _ in range(16)], dtype=np.uint8))
        smooth = np.asarray(coarse.resize((size, size), Image.Resampling.BILINEAR), dtype=np.float64)
        change = (smooth / 255 - 0.5) * 0.4
    canvas *= (1.0 + change)[..., None]
