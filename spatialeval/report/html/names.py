"""What runs are called beside each other: a name, and what tells those apart that have the same one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.report.html.board import BoardRun


def apart(run: BoardRun, others: Sequence[BoardRun]) -> list[str]:
    """Return what a run's model, protocol and strategy do not say: its setting, its folder where another has the same.

    Args:
        run: of one task.
        others: the runs that it stands beside, itself among them.
    """
    again = Counter(_asked(other) for other in others)[_asked(run)] > 1
    return [*([run.setting] if run.setting else []), *([run.folder] if again else [])]


def name_of(run: BoardRun, others: Sequence[BoardRun]) -> str:
    """Return the model's name, with everything in which runs of that name differ."""
    parts = [run.model]
    parts += [run.protocol] if len({other.protocol for other in others}) > 1 else []
    parts += [run.strategy] if len({other.strategy for other in others}) > 1 else []
    return ", ".join([*parts, *apart(run, others)])


def _asked(run: BoardRun) -> tuple[str, ...]:
    return run.model, run.protocol, run.strategy, run.setting
