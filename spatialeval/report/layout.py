"""How a table of names and numbers fits a terminal: numbers never wrap, names fold where there is little room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spatialeval.report.cells import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table
    from rich.text import Text

_SHORTEST_NAME = 8


class Head(NamedTuple):
    """A column's header: on one line, and on two for narrow terminals."""

    wide: str
    narrow: str


class Line(NamedTuple):
    """One line of a table: its names, its numbers as they are shown, and the style of all of it."""

    names: tuple[str, ...]
    numbers: Sequence[Text]
    style: str = ""


@dataclass(frozen=True)
class Layout:
    """The form of a table, made for all the lines that it, or several tables below each other, will have.

    The wide form has headers on one line, two blanks between columns and a column for each name; it is used where
    every name fits on one line. The narrow form has headers on two lines, one blank, and the names below each other.

    Attributes:
        wide: which of the two.
        titles: headers of the name columns.
        heads: headers of the number columns.
        names: widths of the name columns.
        numbers: widths of the number columns.
    """

    wide: bool
    titles: tuple[str, ...]
    heads: tuple[str, ...]
    names: tuple[int, ...]
    numbers: tuple[int, ...]

    @classmethod
    def fit(cls, titles: Sequence[str], heads: Sequence[Head], lines: Sequence[Line], width: int) -> Layout:
        """Return the layout of `lines` for a terminal of `width` columns."""
        shown = tuple(head.wide for head in heads)
        names = [max(map(len, column)) for column in zip(titles, *(line.names for line in lines), strict=True)]
        numbers = _widths(shown, lines)
        if sum(names) + sum(numbers) + 2 * (len(names) + len(numbers) - 1) <= width:
            return cls(True, tuple(titles), shown, tuple(names), numbers)
        shown = tuple(head.narrow for head in heads)
        numbers = _widths(shown, lines)
        room = max(_SHORTEST_NAME, width - sum(numbers) - len(numbers))
        title = ", ".join(titles)
        longest = max(map(len, [title, *(name for line in lines for name in line.names)]))
        return cls(False, (title,), shown, (min(room, longest),), numbers)

    @property
    def width(self) -> int:
        """The columns that the table takes: more than the terminal has, where even short names do not fit."""
        gap = 2 if self.wide else 1
        return sum(self.names) + sum(self.numbers) + gap * (len(self.names) + len(self.numbers) - 1)

    def table(self, sections: Iterable[Sequence[Line]]) -> Table:
        """Return the table of `sections`, set apart from each other by an empty line."""
        from rich import box  # noqa: PLC0415 - only commands that print tables pay for it
        from rich.table import Table  # noqa: PLC0415

        # The box draws a blank between columns; padding makes it two.
        table = Table(box=box.SIMPLE, padding=(0, int(self.wide), 0, 0), pad_edge=False, show_edge=False)
        for title, width in zip(self.titles, self.names, strict=True):
            table.add_column(fold(title, width), min_width=width, overflow="fold", header_style="bold")
        for head, width in zip(self.heads, self.numbers, strict=True):
            table.add_column(head, min_width=width, justify="right", no_wrap=True, header_style="bold")
        for section in sections:
            for line in section:
                names = line.names if self.wide else ("\n".join(fold(name, self.names[0]) for name in line.names),)
                table.add_row(*names, *line.numbers, style=line.style)
            table.add_section()
        return table


def _widths(heads: Sequence[str], lines: Sequence[Line]) -> tuple[int, ...]:
    columns = list(zip(*(line.numbers for line in lines), strict=True)) or [()] * len(heads)
    return tuple(
        max(map(len, [*head.split("\n"), *(cell.plain for cell in column)]))
        for head, column in zip(heads, columns, strict=True)
    )
