"""Backend-specific options of a model: every backend lists the keys it knows, and a key it does not know is refused."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar, cast

from spatialeval.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spatialeval.models.base import ModelOptions

T = TypeVar("T")


class UnknownOptionError(UsageError):
    """A backend has no option of that name.

    Args:
        model: the backend.
        key: the option.
        known: the options that it has.
    """

    def __init__(self, model: str, key: str, known: Iterable[str]) -> None:
        self.model, self.key, self.known = model, key, tuple(known)
        if key == "batch":
            super().__init__(f"{model} has no batch API: --batch is for openai: models. Leave it out for {model}.")
            return
        super().__init__(f"{model} has no option {key!r}. {nearest(key, self.known)}Remove or rename it.")


def check_keys(model: str, options: ModelOptions, known: Iterable[str]) -> None:
    """Raise UsageError, naming the nearest key, when `options.extra` holds one that `model` does not know."""
    known = list(known)
    for key in options.extra:
        if key not in known:
            raise UnknownOptionError(model, key, known)


def option(model: str, options: ModelOptions, key: str, default: T, kind: type | tuple[type, ...]) -> T:
    """Return `options.extra[key]`, or `default` when it is unset; raise UsageError when it is not of type `kind`."""
    value: Any = options.extra.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        names = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
        raise UsageError(f"option {key!r} of {model} is {value!r}; give a {names}.")
    return cast("T", value)


def one_of(model: str, options: ModelOptions, key: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return the option `key`, which must be one of `allowed`; raise UsageError otherwise."""
    value = option(model, options, key, default, str)
    if value not in allowed:
        raise UsageError(f"option {key!r} of {model} is {value!r}. {nearest(value, allowed)}Give one of them.")
    return value


def check_packages(spec: str, extra: str, *modules: str) -> None:
    """Raise UsageError when a module that an extra brings is not installed; imports none of them."""
    for module in modules:
        found = sys.modules[module] is not None if module in sys.modules else find_spec(module) is not None
        if not found:
            raise UsageError(f"{spec} needs more packages (no module named {module!r}): {how_to_install(extra)}")


def how_to_install(extra: str) -> str:
    """Return the command that brings an extra with torch, and what comes before it on a machine without a GPU."""
    first = "" if extra == "vllm" else " (on a machine without a GPU first torch from its CPU wheels, as README does)"
    return f"pip install 'spatialeval[{extra}]'{first}"


def choices_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the only replies that can be generated, where options or an identity bind the model to some.

    That is another way of asking than free text, and named as such wherever results are.
    """
    body = settings.get("body")
    body = body if isinstance(body, Mapping) else {}
    outputs = body.get("structured_outputs")
    bound = [settings.get("choices"), body.get("guided_choice"), isinstance(outputs, Mapping) and outputs.get("choice")]
    return next((tuple(map(str, found)) for found in bound if found and isinstance(found, list)), ())
