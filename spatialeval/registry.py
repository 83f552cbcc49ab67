"""Named things that YAML files and commands refer to: readers, scorers, strategies, views, models, generators.

A registry belongs to one package, such as `spatialeval.readers`. A look-up imports the module of that package that
registers the name, so adding a thing is adding a module; nothing else has a list. Other distributions add theirs under
the entry point group `spatialeval.<kind>` (for example `spatialeval.readers`), loaded when a name is not built in.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from spatialeval.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to things of one kind.

    Args:
        kind: the singular noun used in messages, such as "reader".
        package: the package whose modules register the built-in ones.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._things: dict[str, T] = {}
        self._discovered = False
        self._elsewhere: frozenset[str] | None = None

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that stores a thing under `name`; a second, different thing of that name is refused."""

        def store(thing: T) -> T:
            held = self._things.setdefault(name, thing)
            if held is not thing:
                raise ValueError(f"two {self.kind}s are named {name!r}: {held!r} and {thing!r}")
            return thing

        return store

    def get(self, name: str) -> T:
        """Return the thing called `name`; raise UnknownNameError, naming the nearest names, when there is none."""
        if name not in self:
            raise UnknownNameError(self.kind, name, self.names())
        return self._things[name]

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a thing of this name; loads it. Raise UsageError where that cannot be done."""
        if name not in self._things and not self._discovered:
            self._import_those_that_register(name)
        if name not in self._things:
            self._discover()
        if name not in self._things:
            self._load_entry_point(name)
        return name in self._things

    def names(self) -> list[str]:
        """Return every known name, sorted, entry points included."""
        self._discover()
        if self._elsewhere is None:  # looking through all installed distributions takes milliseconds, each time
            self._elsewhere = frozenset(point.name for point in entry_points(group=self._group))
        return sorted({*self._things, *self._elsewhere})

    @property
    def _group(self) -> str:
        return f"spatialeval.{self.package.rsplit('.', 1)[-1]}"

    def _import_those_that_register(self, name: str) -> None:
        """Import a module or two instead of a hundred, which takes a third of a second."""
        importlib.import_module(self.package)
        for module, names in _registered(self.package).items():
            if name in names:
                importlib.import_module(f"{self.package}.{module}")

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")

    def _load_entry_point(self, name: str) -> None:
        for point in entry_points(group=self._group, name=name):
            try:
                thing = point.load()
            except Exception as error:  # importing runs foreign code, which may raise anything
                owner = f" of package {point.dist.name}" if point.dist else ""
                raise UsageError(
                    f"{self.kind} {name!r}{owner} cannot be loaded: {type(error).__name__} ({error}). "
                    f"Mend {point.value}, which its pyproject.toml names under {self._group}, and install it again."
                ) from error
            self._things.setdefault(name, thing)


_NAMED = re.compile(r'\bregister\("([^"]+)"\)')


@lru_cache
def _registered(package: str) -> dict[str, list[str]]:
    """Return module -> the names that its text registers, as far as the modules are files."""
    found = {}
    for folder in importlib.import_module(package).__path__:
        for file in Path(folder).glob("*.py"):
            found[file.stem] = _NAMED.findall(file.read_text(encoding="utf-8"))
    return found
