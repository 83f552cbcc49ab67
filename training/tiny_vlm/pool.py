"""A pool of easy training scenes with pictures at the model's resolution, rendered once and kept in a cache folder."""

from __future__ import annotations

import argparse
import pickle
import random
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from spatialeval.generators.scenes.picture import draw
from spatialeval.generators.scenes.rows import Plan, compose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatialeval.generators.scenes.questions import Asked
    from spatialeval.generators.scenes.world import Scene

SIDE = 64  # pixels of the model's input
# Groups of kinds that share a scene, as the generator makes them, with the weight of each in the pool.
GROUPS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("left_right", "above_below", "bigger_smaller"), 3),
    (("left_right", "above_below", "closer_farther"), 3),
    (("bigger_smaller",), 1),
    (("closer_farther",), 1),
    (("count",), 4),
    (("facing",), 2),
    (("facing", "left_right", "above_below"), 2),
)


class Pooled(NamedTuple):
    """A scene, the kinds it was made for, and the count question it holds, if any."""

    scene: Scene
    kinds: tuple[str, ...]
    counting: Asked | None


def sample(index: int, salt: str) -> Pooled:
    """Scene number `index` of the pool named `salt`."""
    rng = random.Random(f"tiny pool {salt} {index}")
    kinds = rng.choices([kinds for kinds, _ in GROUPS], [weight for _, weight in GROUPS])[0]
    forms = {"count": ("number", 5), "facing": ("word", 4)}
    plans = []
    for kind in kinds:
        form, answers = forms.get(kind, ("word", 2))
        plans.append(Plan(kind, form, rng.randrange(answers)))
    scene, asked = compose(rng, "easy", "train", plans)
    return Pooled(scene, kinds, asked[0] if kinds == ("count",) else None)


def shrink(picture: Image.Image) -> NDArray[np.uint8]:
    """The picture as the checkpoint's processor resizes it."""
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.uint8)


def build(folder: Path, salt: str, count: int) -> tuple[list[Pooled], NDArray[np.uint8]]:
    """The pool from the cache folder, rendered first if it is not there."""
    scenes_file, pixels_file = folder / f"{salt}-{count}.pickle", folder / f"{salt}-{count}.npy"
    if not pixels_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pool = [sample(index, salt) for index in range(count)]
        pixels = np.stack([shrink(draw(one.scene)) for one in pool])
        scenes_file.write_bytes(pickle.dumps(pool))
        np.save(pixels_file, pixels)
    return pickle.loads(scenes_file.read_bytes()), np.load(pixels_file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--salt", default="a")
    parser.add_argument("--count", type=int, default=20_000)
    options = parser.parse_args()
    print(len(build(options.cache, options.salt, options.count)[0]), "scenes")
