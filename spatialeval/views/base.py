"""The interface of a view and the registry of views."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from spatialeval.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spatialeval.samples import Answer, Sample
    from spatialeval.tasks import TaskProtocol
    from spatialeval.tasks.robustness import Rule

Reduce = Literal["each", "all", "any", "mean", "majority", "vote"]
"""What the samples that a view makes of one are worth together: each by itself; all right; any right; their mean; more
right than wrong; or `vote`: the answer most of them give, after each is mapped back, is scored as the sample's own."""


class Skipped(NamedTuple):
    """A sample that a view cannot change safely, and why: such a reason is counted, so the samples' texts stay out."""

    reason: str


class View(ABC):
    """Turns one sample into the samples that are really asked. Frozen dataclasses: the fields are the options."""

    name: ClassVar[str]
    section: ClassVar[str] = ""
    """The part of a task's `robustness` section that says where the view applies; "" for views that need none."""

    @property
    def reduce(self) -> Reduce:
        """How the samples made of one count together."""
        return "each"

    def bound(self, samples: Sequence[Sample], rule: Rule | None = None) -> Self:  # noqa: ARG002 - most need neither
        """Return the view for a task: some need its other samples (their pictures), some what the task declares.

        Args:
            samples: all samples of the task.
            rule: what the task's `robustness` section says for this view.
        """
        return self

    def asked_by(self, protocol: TaskProtocol) -> Self:  # noqa: ARG002 - most look at the sample alone
        """Return the view for a protocol: some must know its words."""
        return self

    @abstractmethod
    def expand(self, sample: Sample) -> Mapping[str, Sample] | Skipped:
        """Return the samples to ask, each under a key that is stable between runs. Their targets are already mapped.

        Where there are several that count each by itself, those of one sample are one cluster.
        """

    def back(self, key: str, answer: Answer, sample: Sample) -> Answer:  # noqa: ARG002 - many views keep the answer
        """Return what an answer to the sample under `key` says about the `sample` itself."""
        return answer

    def identity(self) -> dict[str, Any]:
        """Return what can change an answer, JSON-able: name and options."""
        options: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)} if is_dataclass(self) else {}
        return {"name": self.name, **options}


VIEWS: Registry[Callable[..., View]] = Registry("view", "spatialeval.views")
