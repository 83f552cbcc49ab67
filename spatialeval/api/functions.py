"""What identifies a function as a model: its code, and the plain values that it works with."""

from __future__ import annotations

import dis
import hashlib
import inspect
from functools import partial
from pathlib import PurePath
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from spatialeval.models.base import FunctionModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLAIN = (str, bytes, int, float, complex, PurePath, type(None))
_MAKING = frozenset({"__init__", "__post_init__", "__new__", "__setstate__"})


class Function(FunctionModel):
    """A function whose code is part of the run's identity: another one does not go on with its answers."""

    def identity(self) -> dict[str, Any]:
        """Return the name and a digest of the code and of the plain values it was made with, and of nothing else."""
        text = "|".join(_Look().facts(self.function))
        return {**super().identity(), "function": hashlib.sha256(text.encode()).hexdigest()[:16]}

    def unidentified(self) -> str:
        """Return the values that it works with and that are known by their type only."""
        look = _Look()
        look.facts(self.function)
        return ", ".join(dict.fromkeys(look.unknown))


class _Look:
    """A look at a function and at what it holds; `unknown` lists what may be told otherwise next time."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._inside: list[int] = []

    def facts(self, function: Callable[..., Any]) -> list[str]:
        """Return texts that are the same in every process for the same function."""
        if id(function) in self._inside:
            return ["itself"]
        self._inside.append(id(function))
        try:
            return list(self._facts(function))
        finally:
            self._inside.pop()

    def _facts(self, function: Any) -> Iterator[str]:
        if isinstance(function, partial):
            yield "partial"
            yield from self.facts(function.func)
            yield self._value("an argument", function.args)
            yield self._mapping(dict(sorted(function.keywords.items())))
        elif inspect.ismethod(function):
            yield from self.facts(function.__func__)
            yield from self._instance(function.__self__)
        elif inspect.isfunction(function):
            yield from self._function(function)
        else:
            call = getattr(type(function), "__call__", None)  # noqa: B004 - it is looked at, not whether it is there
            if inspect.isfunction(call):
                yield from self.facts(call)
                yield from self._instance(function)
            else:  # a class, or something that is not made of Python
                yield self._value(repr(getattr(function, "__name__", "it")), function)

    def _function(self, function: FunctionType) -> Iterator[str]:
        code = function.__code__
        yield from map(_stable, (code.co_code, code.co_consts, code.co_names))
        yield self._value("a default", function.__defaults__)
        yield "None" if function.__kwdefaults__ is None else self._mapping(function.__kwdefaults__)
        counters = {each.argval for each in dis.get_instructions(code) if each.opname == "STORE_DEREF"}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if name not in counters:
                try:
                    yield self._value(name, cell.cell_contents)
                except ValueError:  # not set yet
                    yield "None"

    def _instance(self, held: Any) -> Iterator[str]:
        """Yield what an object holds, but for what its own methods change, such as counts."""
        kinds = type(held).__mro__
        yield type(held).__qualname__
        methods = [each for kind in kinds for name, each in vars(kind).items() if name not in _MAKING]
        steps = (step for each in methods if inspect.isfunction(each) for step in dis.get_instructions(each))
        changed = {step.argval for step in steps if step.opname == "STORE_ATTR"}
        slots = [name for kind in kinds for name in getattr(kind, "__slots__", ())]
        names = {*getattr(held, "__dict__", ()), *(name for name in slots if hasattr(held, name))}
        for name in sorted(names - changed - {"__dict__", "__weakref__"}):
            yield f"{name}={self._value(name, getattr(held, name))}"

    def _mapping(self, held: dict[str, Any]) -> str:
        return f"{{{', '.join(f'{name!r}: {self._value(name, value)}' for name, value in held.items())}}}"

    def _value(self, name: str, value: Any) -> str:
        if isinstance(value, tuple):
            return f"({','.join(self._value(name, each) for each in value)})"
        if isinstance(value, _PLAIN):
            return repr(value)
        if inspect.isfunction(value) or inspect.ismethod(value) or isinstance(value, partial):
            return f"({'|'.join(self.facts(value))})"
        self.unknown.append(f"{name} (a {type(value).__qualname__})")
        return repr(type(value).__qualname__)


def _stable(fact: Any) -> str:
    """Return a text that is the same in every process: no addresses of nested code, sets in a fixed order."""
    if isinstance(fact, tuple):
        return f"({','.join(map(_stable, fact))})"
    if isinstance(fact, frozenset):
        return f"{{{','.join(sorted(map(_stable, fact)))}}}"
    return fact.co_code.hex() + _stable(fact.co_consts) if isinstance(fact, CodeType) else repr(fact)
