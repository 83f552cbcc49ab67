"""Rendered pictures of coloured solids with exact ground truth."""

from spatialeval.generators import GENERATORS
from spatialeval.generators.scenes.questions import FORMS, KINDS
from spatialeval.generators.scenes.rows import LEVELS, scenes

SCENES_VERSION = 1

GENERATORS.register("scenes")(scenes)

__all__ = ["FORMS", "KINDS", "LEVELS", "SCENES_VERSION", "scenes"]
