"""blind: the same question without its pictures, to see what the wording alone gives away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from spatialeval.views.base import VIEWS, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.samples import Sample


@VIEWS.register("blind")
@dataclass(frozen=True)
class Blind(View):
    """Remove every image and video; the text stays byte for byte."""

    name: ClassVar[str] = "blind"

    def expand(self, sample: Sample) -> Mapping[str, Sample]:
        """Return the one sample without media."""
        return {"blind": replace(sample, media=())}
