"""Suites: named lists of tasks in suites.yaml, usable wherever a task is."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from spatialeval.errors import TaskFileError
from spatialeval.templates import shipped
from spatialeval.yamlfile import checked, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Suite(BaseModel):
    """A title, and the names of tasks, variants or other suites."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    title: str
    tasks: list[str] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    suites: dict[str, Suite]


def suites_file() -> Path:
    """Return the shipped file of suites; it lies beside the folder of task files."""
    return shipped("tasks").parent / "suites.yaml"


def suites() -> dict[str, Suite]:
    """Return every suite by its name, in the order of the file."""
    return _read(suites_file())


def expand(names: Iterable[str]) -> list[str]:
    """Return `names` with every suite replaced by its tasks, in order, each task once.

    Raises:
        TaskFileError: when a suite holds itself.
    """
    return list(dict.fromkeys(_expand(names, suites(), ())))


def _expand(names: Iterable[str], known: dict[str, Suite], above: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield name
        elif name in above:
            circle = " -> ".join((*above, name))
            raise TaskFileError(
                f"holds itself: {circle}. Take one of them out.", file=suites_file(), key=f"suites.{name}"
            )
        else:
            yield from _expand(known[name].tasks, known, (*above, name))


@lru_cache(maxsize=4)
def _read(file: Path) -> dict[str, Suite]:
    raw, lines = read_yaml(file)
    return checked(_File, raw, file, lines).suites
