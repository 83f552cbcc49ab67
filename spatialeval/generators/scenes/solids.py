"""Ray-cast solids: exact silhouettes and shading of a cube, a ball, a cone, a cylinder and a little robot.

Coordinates of a solid: x to the right, y up, z toward the viewer when it faces the camera; one unit is its `size`.
Rays are parallel (the solid is small beside its distance), and only + - * / and square roots touch the pixels, which
IEEE 754 rounds the same way everywhere, so a picture does not depend on the machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float64]

RGB = tuple[int, int, int]
Vector = tuple[float, float, float]

SHAPES = ("cube", "ball", "cone", "cylinder")
ROBOT = "robot"
FACINGS: dict[str, float] = {"left": -90.0, "right": 90.0, "toward the camera": 0.0, "away from the camera": 180.0}

LIGHT: Vector = (-0.45, 0.75, 0.485)  # unit length, from the upper left in front
AMBIENT = 0.5
REACH = 1.15  # every solid lies within this many sizes of its centre, seen from any side

CUBE_HALF = 0.74
TUBE = (0.72, 0.82)  # radius and half height of the cylinder
CONE = (0.88, 0.9)

_WHITE: RGB = (250, 250, 250)
_DARK: RGB = (38, 38, 44)
# Centre, half extents, colour (None: the robot's own). Pale face and dark pack stick out, to show from the side too.
ROBOT_PARTS: tuple[tuple[Vector, Vector, RGB | None], ...] = (
    ((0.0, -0.32, 0.0), (0.50, 0.44, 0.40), None),
    ((0.0, 0.46, 0.0), (0.44, 0.36, 0.40), None),
    ((0.0, 0.48, 0.46), (0.38, 0.27, 0.16), _WHITE),
    ((-0.17, 0.52, 0.62), (0.09, 0.12, 0.05), _DARK),
    ((0.17, 0.52, 0.62), (0.09, 0.12, 0.05), _DARK),
    ((0.0, -0.26, -0.50), (0.36, 0.34, 0.16), _DARK),
    ((-0.25, -0.86, 0.10), (0.19, 0.12, 0.42), _DARK),
    ((0.25, -0.86, 0.10), (0.19, 0.12, 0.42), _DARK),
)


class Rays(NamedTuple):
    """Parallel rays in a solid's own coordinates: where they cross the view plane, and the way to the viewer."""

    x: Plane
    y: Plane
    z: Plane
    toward: Vector


class Hit(NamedTuple):
    """The surface nearest to the viewer along each ray; `t` is minus infinity where the ray misses."""

    t: Plane
    normal: tuple[Plane, Plane, Plane]


def aim(across: Plane, up: Plane, yaw: float, pitch: float) -> Rays:
    """Rays through the view plane at (across, up), for a solid turned by `yaw` and seen `pitch`° from above."""
    sy, cy = _sin_cos(yaw)
    sp, cp = _sin_cos(pitch)
    y, depth = up * cp, -up * sp
    return Rays(across * cy - depth * sy, y, across * sy + depth * cy, (-cp * sy, sp, cp * cy))


def _sin_cos(degrees: float) -> tuple[float, float]:
    # Rounded, because the last bit of a sine differs between C libraries.
    return round(math.sin(math.radians(degrees)), 9), round(math.cos(math.radians(degrees)), 9)


def hit_box(rays: Rays, centre: Vector, half: Vector) -> Hit:
    """A box with its sides along the solid's axes."""
    leave = np.full_like(rays.x, np.inf)
    enter = np.full_like(rays.x, -np.inf)
    exits: list[Plane] = []
    toward = [step if abs(step) > 1e-9 else 1e-9 for step in rays.toward]  # a ray along a side never divides by 0
    for origin, step, middle, reach in zip(rays[:3], toward, centre, half, strict=True):
        first, second = (middle - reach - origin) / step, (middle + reach - origin) / step
        exits.append(np.maximum(first, second))
        leave, enter = np.minimum(leave, exits[-1]), np.maximum(enter, np.minimum(first, second))
    sides = [np.where(edge <= leave, 1.0 if step > 0 else -1.0, 0.0) for edge, step in zip(exits, toward, strict=True)]
    return Hit(np.where(enter < leave, leave, -np.inf), (sides[0], sides[1], sides[2]))


def hit_ball(rays: Rays, radius: float) -> Hit:
    """A sphere about the origin."""
    dx, dy, dz = rays.toward
    along = rays.x * dx + rays.y * dy + rays.z * dz
    inside = along * along - (rays.x**2 + rays.y**2 + rays.z**2 - radius * radius)
    t = np.where(inside > 0, np.sqrt(np.maximum(inside, 0.0)) - along, -np.inf)
    reach = np.where(inside > 0, t, 0.0)
    return Hit(t, ((rays.x + reach * dx) / radius, (rays.y + reach * dy) / radius, (rays.z + reach * dz) / radius))


def hit_turned(rays: Rays, radius: float, half: float, taper: float) -> Hit:
    """A body of revolution about y with straight sides: `taper` 0 is a cylinder, 1 a cone with its tip up."""
    dx, dy, dz = rays.toward
    slope = taper * radius / (2 * half)
    wide = radius - slope * (rays.y + half)
    a = dx * dx + dz * dz - slope * slope * dy * dy
    b = rays.x * dx + rays.z * dz + slope * wide * dy
    inside = b * b - a * (rays.x**2 + rays.z**2 - wide * wide)
    side = (np.sqrt(np.maximum(inside, 0.0)) - b) / a
    height = rays.y + side * dy
    on_side = (inside > 0) & (np.abs(height) <= half)
    length = math.sqrt(1 + slope * slope)
    round_at = np.maximum(radius - slope * (height + half), 1e-6) * length
    normal_x, normal_z = (rays.x + side * dx) / round_at, (rays.z + side * dz) / round_at
    normal_y = np.full_like(side, slope / length)
    t = np.where(on_side, side, -np.inf)
    if taper == 0 and dy > 0:
        lid = (half - rays.y) / dy
        on_lid = (rays.x + lid * dx) ** 2 + (rays.z + lid * dz) ** 2 <= radius * radius
        t = np.where(on_lid, lid, t)
        normal_x, normal_z = np.where(on_lid, 0.0, normal_x), np.where(on_lid, 0.0, normal_z)
        normal_y = np.where(on_lid, 1.0, normal_y)
    return Hit(t, (normal_x, normal_y, normal_z))


def cast(shape: str, color: RGB, across: Plane, up: Plane, yaw: float, pitch: float) -> tuple[Plane, NDArray[np.bool_]]:
    """The colours (0-255) of the rays that hit the solid named by `shape`, one a line, and which rays these are."""
    rays = aim(across, up, yaw, pitch)
    nearest = np.full_like(across, -np.inf)
    shade = np.zeros((*across.shape, 3))
    for hit, paint in _surfaces(shape, color, rays):
        front = hit.t > nearest
        nearest[front] = hit.t[front]
        normal = tuple(plane[front] for plane in hit.normal)
        shade[front] = _shade(normal, paint, yaw, pitch, glossy=shape == "ball")
    cover = nearest > -np.inf
    return shade[cover], cover


def _surfaces(shape: str, color: RGB, rays: Rays) -> list[tuple[Hit, RGB]]:
    if shape == "cube":
        return [(hit_box(rays, (0.0, 0.0, 0.0), (CUBE_HALF, CUBE_HALF, CUBE_HALF)), color)]
    if shape == "ball":
        return [(hit_ball(rays, 1.0), color)]
    if shape == "cylinder":
        return [(hit_turned(rays, *TUBE, 0.0), color)]
    if shape == "cone":
        return [(hit_turned(rays, *CONE, 1.0), color)]
    if shape == ROBOT:
        return [(hit_box(rays, centre, half), paint or color) for centre, half, paint in ROBOT_PARTS]
    raise ValueError(f"unknown shape {shape!r}: known are {', '.join((*SHAPES, ROBOT))}")


def _shade(normal: tuple[Plane, ...], paint: RGB, yaw: float, pitch: float, *, glossy: bool) -> Plane:
    sy, cy = _sin_cos(yaw)
    sp, cp = _sin_cos(pitch)
    nx, ny, nz = normal
    # The normal back in view coordinates: turn by yaw, then tip by pitch.
    vx, deep = nx * cy + nz * sy, nz * cy - nx * sy
    facing_light = vx * LIGHT[0] + (ny * cp - deep * sp) * LIGHT[1] + (ny * sp + deep * cp) * LIGHT[2]
    bright = AMBIENT + (1.1 - AMBIENT) * np.maximum(facing_light, 0.0)
    gloss = np.maximum(facing_light - 0.93, 0.0) * (1800.0 if glossy else 0.0)
    return np.minimum(bright[..., None] * np.array(paint, dtype=np.float64) + gloss[..., None], 255.0)
