"""Where the solids of a scene go: the easy cell layout, and the rooms with a floor of the medium and hard levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.generators.scenes.palette import COLORS, EASY_COLORS, FLOORS, WALLS
from spatialeval.generators.scenes.solids import FACINGS, ROBOT, SHAPES
from spatialeval.generators.scenes.world import Backdrop, Camera, Scene, Solid

if TYPE_CHECKING:
    import random

CELLS = 4  # an easy picture is a square of 4 x 4 cells with at most one solid near the centre of each
EASY_CAMERA = Camera(width=128, focal=128.0, height=0.0, horizon=64.0)
EASY_DEPTH = 4.0  # metres; where all solids share a depth
EASY_SIZE = 0.3  # metres; where all solids share a size
EASY_SMALL, EASY_LARGE = (6.4, 7.6), (11.2, 12.2)  # pixels in the picture; the ratio is at least 1.47
EASY_ROBOT, EASY_COUNTED = (11.2, 12.2), (8.5, 12.0)
EASY_JITTER = 0.1  # of a cell, either way

ROOMS = {
    "medium": Camera(width=192, focal=172.0, height=1.6, horizon=50.0),
    "hard": Camera(width=256, focal=230.0, height=1.6, horizon=66.0),
}
OBJECTS = {"easy": (2, 3), "medium": (3, 5), "hard": (5, 8)}
NEAREST, FARTHEST = 3.0, 7.0  # metres
SIZES = (0.24, 0.46)  # metres
TEXTURES = {"medium": ("plain",), "hard": ("plain", "gradient", "stripes", "blotches")}


@dataclass(frozen=True, slots=True)
class Named:
    """A solid before it has a place: its words, and the way it faces if it has a front."""

    color: str
    shape: str
    facing: str | None = None


def backdrop(rng: random.Random, level: str, wording: str) -> Backdrop:
    """A wall from the palette of the split; a floor and perhaps a texture above the easy level."""
    wall = rng.choice(WALLS[wording])
    if level == "easy":
        return Backdrop(wall)
    texture = rng.choice(TEXTURES[level])
    return Backdrop(wall, rng.choice(FLOORS[wording]), texture, rng.randrange(1_000_000))


def names(rng: random.Random, level: str, count: int, robots: int) -> list[Named]:
    """`count` distinct colour and shape pairs, the first `robots` of them robots that face any way."""
    colors = list(EASY_COLORS if level == "easy" else COLORS)
    if level == "hard":  # few colours, so that colour alone rarely names an object
        colors = rng.sample(colors, max(robots, 4))
    found = [Named(color, ROBOT, rng.choice(list(FACINGS))) for color in rng.sample(colors, robots)]
    pairs = [(color, shape) for color in colors for shape in SHAPES]
    found += [Named(color, shape) for color, shape in rng.sample(pairs, count - robots)]
    return found


def easy(rng: random.Random, cue: str, things: list[Named], wall: Backdrop) -> Scene:
    """Solids near the centres of distinct cells. `cue` says what may differ: size, depth, or neither (robot, count)."""
    cell = EASY_CAMERA.width / CELLS
    spots = rng.sample(range(CELLS * CELLS), len(things))
    large = [index % 2 == 0 for index in range(len(things))]
    rng.shuffle(large)
    solids = []
    for thing, spot, is_large in zip(things, spots, large, strict=True):
        column, row = spot % CELLS, spot // CELLS
        u, v = ((where + 0.5 + rng.uniform(-EASY_JITTER, EASY_JITTER)) * cell for where in (column, row))
        if cue in {"size", "depth"}:
            radius = rng.uniform(*(EASY_LARGE if is_large else EASY_SMALL))
        else:
            radius = rng.uniform(*(EASY_ROBOT if cue == "robot" else EASY_COUNTED))
        z = EASY_CAMERA.focal * EASY_SIZE / radius if cue == "depth" else EASY_DEPTH
        x, y = EASY_CAMERA.place(u, v, z)
        size = EASY_SIZE if cue == "depth" else radius * z / EASY_CAMERA.focal
        solids.append(Solid(thing.color, thing.shape, size, x, y, z, _yaw(rng, thing), u, v, radius, thing.facing))
    return Scene("easy", EASY_CAMERA, tuple(solids), wall)


def _yaw(rng: random.Random, thing: Named) -> float:
    return FACINGS[thing.facing] if thing.facing else rng.uniform(25.0, 65.0)


def room(rng: random.Random, level: str, things: list[Named], wall: Backdrop, *, hover: bool) -> Scene | None:
    """Solids of any size at any depth on a tiled floor, some in the air if `hover`; None where they do not fit.

    Every solid lies inside the picture. Discs do not touch at the medium level; at the hard level a nearer solid may
    cover part of a farther one, never its centre.
    """
    camera = ROOMS[level]
    solids: list[Solid] = []
    for thing in things:
        for _ in range(40):
            solid = _drop(rng, camera, thing, hover=hover)
            if _inside(camera, solid) and all(_apart(level, solid, other) for other in solids):
                solids.append(solid)
                break
        else:
            return None
    return Scene(level, camera, tuple(solids), wall)


def _drop(rng: random.Random, camera: Camera, thing: Named, *, hover: bool) -> Solid:
    z = rng.uniform(NEAREST, FARTHEST)
    size = rng.uniform(*SIZES)
    lifted = rng.uniform(0.3, 1.5) if hover and rng.random() < 0.5 else 0.0
    x = rng.uniform(-0.5, 0.5) * camera.width * z / camera.focal
    y = size + lifted
    u, v = camera.project(x, y, z)
    return Solid(thing.color, thing.shape, size, x, y, z, _yaw(rng, thing), u, v, camera.focal * size / z, thing.facing)


def _inside(camera: Camera, solid: Solid) -> bool:
    edge = solid.radius + 2
    return edge <= solid.u <= camera.width - edge and edge <= solid.v <= camera.width - edge


def _apart(level: str, one: Solid, other: Solid) -> bool:
    away = math.hypot(one.u - other.u, one.v - other.v)
    if level == "medium":
        return away >= 1.1 * (one.radius + other.radius)
    return away >= max(0.75 * (one.radius + other.radius), 1.05 * max(one.radius, other.radius))
