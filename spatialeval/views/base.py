"""The interface of a view and the registry of views."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from spatialeval.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spatialeval.samples import Sample


class View(ABC):
    """Turns one sample into the samples that are really asked. Frozen dataclasses: the fields are the options."""

    name: ClassVar[str]

    @abstractmethod
    def expand(self, sample: Sample) -> Mapping[str, Sample]:
        """Return the samples to ask, each under a key that is stable between runs. Their targets are already mapped.

        Where there are several, each counts as a question of its own, and those of one sample as one cluster.
        """


VIEWS: Registry[Callable[..., View]] = Registry("view", "spatialeval.views")
