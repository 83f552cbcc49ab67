"""Objects that show the tables of the commands: as text in a terminal, as escaped HTML in a notebook."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 120
"""Columns of the tables, in text and in a notebook."""

_FORM = '<pre style="white-space: pre; overflow-x: auto; line-height: 1.3">{code}</pre>'


class Shown(ABC):
    """Something that prints itself as a command would."""

    @abstractmethod
    def print_on(self, console: Console) -> None:
        """Print the tables on a console."""

    def __str__(self) -> str:
        """Return the tables as text without colours."""
        from spatialeval.report.table import make_console  # noqa: PLC0415 - loads rich, only where something is shown

        out = io.StringIO()
        self.print_on(make_console(out, width=WIDTH))
        return out.getvalue()

    def __repr__(self) -> str:
        """Return the same, without the empty lines around it."""
        return str(self).strip("\n")

    def _repr_html_(self) -> str:
        """Return the same for a notebook; every text of a model or a data set is escaped."""
        from rich.console import Console  # noqa: PLC0415 - see above

        console = Console(
            file=io.StringIO(), record=True, width=WIDTH, markup=False, emoji=False, highlight=False, color_system=None
        )
        self.print_on(console)
        return console.export_html(inline_styles=True, code_format=_FORM)
