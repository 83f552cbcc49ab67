"""Colours of the solids and of the rooms. The rooms of the train and test wordings have no colour in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spatialeval.generators.scenes.solids import RGB

EASY_COLORS: tuple[str, ...] = ("red", "green", "blue", "yellow", "purple", "orange")
COLORS: dict[str, RGB] = {
    "red": (218, 36, 40),
    "green": (36, 160, 62),
    "blue": (40, 84, 226),
    "yellow": (246, 216, 40),
    "purple": (138, 52, 186),
    "orange": (246, 132, 24),
    "cyan": (60, 205, 215),
    "pink": (248, 140, 196),
}

# Walls are close to grey, so that no solid hides in its background.
WALLS: dict[str, tuple[RGB, ...]] = {
    "train": (
        (238, 238, 234),
        (226, 230, 238),
        (236, 226, 216),
        (212, 214, 212),
        (196, 202, 210),
        (204, 196, 188),
        (178, 184, 180),
        (164, 164, 172),
        (148, 150, 146),
        (118, 122, 130),
        (96, 94, 92),
        (74, 78, 84),
        (58, 56, 62),
        (40, 42, 44),
        (26, 28, 34),
        (248, 248, 250),
    ),
    "test": ((232, 234, 226), (218, 222, 230), (190, 190, 184), (156, 160, 166), (84, 86, 92), (48, 48, 54)),
}
FLOORS: dict[str, tuple[RGB, ...]] = {
    "train": ((198, 186, 168), (170, 172, 176), (144, 138, 128), (208, 206, 200), (112, 114, 120)),
    "test": ((188, 180, 170), (158, 162, 158), (130, 128, 134)),
}
