"""plain: the protocol's own question and instruction, one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spatialeval.strategies.base import STRATEGIES, Ask, Strategy

if TYPE_CHECKING:
    from spatialeval.messages import Response
    from spatialeval.samples import Sample
    from spatialeval.tasks import TaskProtocol


@STRATEGIES.register("plain")
@dataclass(frozen=True)
class Plain(Strategy):
    """Ask exactly what the protocol says."""

    name: ClassVar[str] = "plain"

    @property
    def keeps_names(self) -> bool:
        """Nothing of its own names an option."""
        return True

    async def run(self, sample: Sample, protocol: TaskProtocol, ask: Ask) -> Response:
        """One call."""
        return await ask(protocol.request(sample))
