"""Training batches: several single-turn exchanges share one image, kept apart by a block mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from lessons import MENUS, SYSTEM, Lesson, Menu, lesson
from mazes import INSTRUCTIONS, maze
from model import CELLS, IMAGE_TOKENS

from spatialeval.generators.scenes.palette import EASY_COLORS
from spatialeval.generators.scenes.solids import FACINGS, ROBOT, SHAPES

if TYPE_CHECKING:
    import random

    from numpy.typing import NDArray
    from pool import Pooled
    from transformers import PreTrainedTokenizerBase

UNLABELLED = -100
WORDS: dict[str, tuple[str, ...]] = {
    "color": EASY_COLORS,
    "shape": (*SHAPES, ROBOT),
    "size": ("big", "small"),
    "facing": tuple(facing.split()[0] for facing in FACINGS),
}


class Batch(NamedTuple):
    """Inputs of the model, the token ids to predict (UNLABELLED elsewhere), and which pooled scenes they show."""

    inputs: dict[str, torch.Tensor]
    labels: torch.Tensor
    chosen: list[int]


class Row(NamedTuple):
    """One sequence: ids, positions, segment numbers (0: seen by all segments) and labels."""

    ids: list[int]
    positions: list[int]
    segments: list[int]
    labels: list[int]


class Batcher:
    """Turns pooled scenes into batches."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, pool: list[Pooled], pixels: NDArray[np.uint8]) -> None:
        """A batcher over one pool."""
        self.tokenizer, self.pool, self.pixels = tokenizer, pool, pixels

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def scenes(self, rng: random.Random, images: int, questions: int, menu: Menu) -> Batch:
        """`questions` exchanges about each of `images` scenes."""
        chosen = [rng.randrange(len(self.pool)) for _ in range(images)]
        picture = self.encode("<|im_start|>user\n") + self.encode("<image>") * IMAGE_TOKENS + self.encode("\n")
        rows = []
        for index in chosen:
            prefix = list(picture)
            if rng.random() < 0.25 * menu.varied:
                prefix = self.encode(f"<|im_start|>system\n{rng.choice(SYSTEM)}<|im_end|>\n") + prefix
            rows.append(self._row(prefix, [lesson(rng, self.pool[index], menu) for _ in range(questions)]))
        batch = self._stack(rows)
        batch.inputs["pixel_values"] = normalise(self.pixels[chosen], rng)
        return batch._replace(chosen=chosen)

    def mazes(self, rng: random.Random, rows: int, each: int) -> Batch:
        """`each` mazes under one copy of the instructions, without an image."""
        prefix = self.encode("<|im_start|>user\n" + INSTRUCTIONS)
        sizes = (2, 3, 3, 3)
        lessons = [[Lesson(*maze(rng, rng.choice(sizes), 5)) for _ in range(each)] for _ in range(rows)]
        return self._stack([self._row(prefix, some) for some in lessons])

    def _row(self, prefix: list[int], lessons: list[Lesson]) -> Row:
        row = Row(list(prefix), list(range(len(prefix))), [0] * len(prefix), [UNLABELLED] * len(prefix))
        for segment, one in enumerate(lessons, start=1):
            asked = self.encode(one.prompt + "<|im_end|>\n<|im_start|>assistant\n")
            reply = self.encode(one.reply + "<|im_end|>")
            row.ids.extend(asked + reply)
            row.positions.extend(range(len(prefix), len(prefix) + len(asked) + len(reply)))
            row.segments.extend([segment] * (len(asked) + len(reply)))
            row.labels.extend([UNLABELLED] * len(asked) + reply)
        return row

    def _stack(self, rows: list[Row]) -> Batch:
        length = max(len(row.ids) for row in rows)
        fill = (self.tokenizer.pad_token_id, 0, -1, UNLABELLED)
        ids, positions, segments, labels = (
            torch.tensor([row[part] + [fill[part]] * (length - len(row[part])) for row in rows]) for part in range(4)
        )
        seen = (segments[:, :, None] == segments[:, None, :]) | (segments[:, None, :] == 0)
        seen &= torch.ones(length, length, dtype=torch.bool).tril() & (segments[:, None, :] >= 0)
        seen |= torch.eye(length, dtype=torch.bool)  # a padded position sees itself, or its softmax would be empty
        mask = torch.zeros(len(rows), 1, length, length).masked_fill(~seen[:, None], torch.finfo(torch.float32).min)
        return Batch({"input_ids": ids, "position_ids": positions, "attention_mask": mask}, labels, [])


def normalise(pictures: NDArray[np.uint8], rng: random.Random) -> torch.Tensor:
    """Pixels as the processor scales them, with a little random gain and lift against reliance on exact values."""
    values = torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2) / 127.5 - 1
    count = len(pictures)
    gain = torch.tensor([rng.uniform(0.93, 1.07) for _ in range(count)]).view(-1, 1, 1, 1)
    lift = torch.tensor([[rng.uniform(-0.05, 0.05) for _ in range(3)] for _ in range(count)]).view(-1, 3, 1, 1)
    return values * gain + lift


class Marks(NamedTuple):
    """What each image token shows: per attribute the word's number, 0 for none; and where the solid's centre is."""

    words: dict[str, torch.Tensor]
    places: torch.Tensor


def marks(pool: list[Pooled]) -> Marks:
    """The dense targets of every pooled scene."""
    words = {name: torch.zeros(len(pool), CELLS * CELLS, dtype=torch.long) for name in WORDS}
    places = torch.zeros(len(pool), CELLS * CELLS, 2)
    for index, pooled in enumerate(pool):
        sized = {"bigger_smaller", "closer_farther"} & set(pooled.kinds)
        width = pooled.scene.camera.width
        for solid in pooled.scene.solids:
            where = int(solid.v / width * CELLS) * CELLS + int(solid.u / width * CELLS)
            words["color"][index, where] = WORDS["color"].index(solid.color) + 1
            words["shape"][index, where] = WORDS["shape"].index(solid.shape) + 1
            if sized:
                words["size"][index, where] = 1 if solid.radius > 10 else 2
            if solid.facing:
                words["facing"][index, where] = WORDS["facing"].index(solid.facing.split()[0]) + 1
            places[index, where] = torch.tensor([solid.u / width * 2 - 1, solid.v / width * 2 - 1])
    return Marks(words, places)


__all__ = ["MENUS", "WORDS", "Batch", "Batcher", "Marks", "marks", "normalise"]
