"""Views change what is shown of a sample, with a known effect on its gold answer. `plain+blind` asks without media.

@VIEWS.register("blind")
@dataclass(frozen=True)
class Blind(View):
    def expand(self, sample): return {"blind": replace(sample, media=())}
"""

from __future__ import annotations

from spatialeval.views.base import VIEWS, View

__all__ = ["VIEWS", "View"]
