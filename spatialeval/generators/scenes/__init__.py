"""Rendered pictures of coloured solids (cube, ball, cone, cylinder, robot) with exact ground truth.

Levels:

* easy, 128 x 128: two or three solids (up to five to count), each near the centre of its own cell of a 4 x 4 grid,
  before a plain wall. One cue at a time: solids that differ in depth share their true size, solids that differ in
  size share their depth, so the size in the picture answers either question.
* medium, 192 x 192: three to five solids of any size at any depth on a tiled floor, some in the air above their
  shadows, none touching in the picture. Half of the size and depth questions have a look that misleads; floor,
  shadow and perspective tell the truth.
* hard, 256 x 256: five to eight solids in few colours before textures, some partly hidden (never their centres),
  and questions about the pair with the closest call the margin allows.

What the kinds mean is told in `questions`, the camera in `world`.
"""

from spatialeval.generators import GENERATORS
from spatialeval.generators.scenes.questions import FORMS, KINDS
from spatialeval.generators.scenes.rows import LEVELS, scenes

GENERATORS.register("scenes")(scenes)

__all__ = ["FORMS", "KINDS", "LEVELS", "scenes"]
