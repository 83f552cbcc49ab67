"""The world of a scene: solids in metres, a pinhole camera, and the exact words for where things are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spatialeval.generators.scenes.solids import RGB


@dataclass(frozen=True, slots=True)
class Camera:
    """A level pinhole camera with a shifted sensor. World axes: x right, y up, z away from the camera; unit: metre.

    A point projects to u = width / 2 + focal * x / z and v = horizon + focal * (height - y) / z, in pixels from the
    top left corner of the picture.
    """

    width: int
    focal: float
    height: float
    horizon: float

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Pixels of a point."""
        return self.width / 2 + self.focal * x / z, self.horizon + self.focal * (self.height - y) / z

    def place(self, u: float, v: float, z: float) -> tuple[float, float]:
        """World x and y of the point that lies `z` metres deep behind pixel (u, v)."""
        return (u - self.width / 2) * z / self.focal, self.height - (v - self.horizon) * z / self.focal


@dataclass(frozen=True, slots=True)
class Solid:
    """An object. `size` is half its extent in metres; u, v and radius are centre and size in the picture, in pixels."""

    color: str
    shape: str
    size: float
    x: float
    y: float
    z: float
    yaw: float
    u: float
    v: float
    radius: float
    facing: str | None = None

    @property
    def name(self) -> str:
        """What a question calls it."""
        return f"{self.color} {self.shape}"

    def truth(self) -> dict[str, Any]:
        """All of it, for the row."""
        exact = {key: round(getattr(self, key), 4) for key in ("size", "x", "y", "z", "yaw", "u", "v", "radius")}
        return {"color": self.color, "shape": self.shape, "facing": self.facing, **exact}


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What stands behind the solids: a wall, perhaps a tiled floor, perhaps a texture."""

    wall: RGB
    floor: RGB | None = None
    texture: str = "plain"
    texture_seed: int = 0

    def truth(self) -> dict[str, Any]:
        """All of it, for the row."""
        return {"wall": list(self.wall), "floor": list(self.floor) if self.floor else None, "texture": self.texture}


@dataclass(frozen=True, slots=True)
class Scene:
    """A camera, what it sees, and what lies behind."""

    level: str
    camera: Camera
    solids: tuple[Solid, ...]
    backdrop: Backdrop
    notes: dict[str, Any] = field(default_factory=dict)

    def truth(self) -> dict[str, Any]:
        """The scene as plain JSON values."""
        camera = {key: getattr(self.camera, key) for key in ("width", "focal", "height", "horizon")}
        return {
            "level": self.level,
            "camera": camera,
            "objects": [solid.truth() for solid in self.solids],
            "background": self.backdrop.truth(),
        }

    def describe(self) -> str:
        """The scene in words and numbers, enough to answer every question about it without the picture."""
        width = self.camera.width
        frame = (
            f"A picture of {width} by {width} pixels. Pixel x grows to the right and pixel y grows downward. "
            "Depth is the distance from the camera, height is the height in the room, "
            "size is half the object's extent, all in metres."
        )
        lines = [frame, f"There {'is 1 object' if len(self.solids) == 1 else f'are {len(self.solids)} objects'}:"]
        for index, solid in enumerate(self.solids, start=1):
            facing = f", facing {solid.facing}" if solid.facing else ""
            lines.append(
                f"{index}. {solid.name} at pixel x {solid.u:.0f}, y {solid.v:.0f}, depth {solid.z:.2f}, "
                f"height {solid.y:.2f}, size {solid.size:.2f}{facing}"
            )
        return "\n".join(lines)
