"""Options put in another order, and the texts that quote them with their letters."""

from __future__ import annotations

import random
import re
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from spatialeval.edits import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MENTIONS = re.compile(
    r"\b(?:options?|choices?|answers?)\s+\(?[A-H]\b|(?<!\w)\(?[A-H]\)?\s*(?:and|or|&|/|,)\s*\(?[A-H]\)?(?!\w)"
    r"|\(\s*[A-H]\s*\)"
)
_PHRASES = re.compile(
    r"\b(?:both|neither|either)\b|\b(?:all|none|any|some|two|one)\s+of\b|\b(?:all|none|any)\s+(?:the\s+)?above\b"
    r"|\bthe\s+(?:above|others?|rest|former|latter|previous|following)\b|^\s*(?:none|all|others?)\s*\.?\s*$",
    re.IGNORECASE,
)
_STYLES = ("({}) {}", "{}. {}", "{}: {}", "{}) {}", "{} {}")


def labels_in_options(choices: Sequence[str]) -> str | None:
    """Return why options cannot change places: they mention letters, or each other; None when they can."""
    if any(choice.strip().strip("().") in ascii_uppercase[: len(choices)] for choice in choices if choice.strip()):
        return "options:letters"
    if any(_MENTIONS.search(choice) for choice in choices):
        return "options:letters"
    if any(_PHRASES.search(choice) for choice in choices):
        return "options:phrases"
    return None


def ordered_scale(choices: Sequence[str]) -> bool:
    """Tell whether three or more options are numbers that rise or fall from first to last."""
    try:
        numbers = [float(choice.replace(",", "").strip()) for choice in choices]
    except ValueError:
        return False
    return len(numbers) > 2 and numbers in (sorted(numbers), sorted(numbers, reverse=True))


def rotation(count: int, by: int) -> tuple[int, ...]:
    """Return for each new place the old one: option j moves to place (j + by) mod count."""
    return tuple((place - by) % count for place in range(count))


def drawn(count: int, key: str) -> tuple[int, ...]:
    """Return an order drawn from `key` that is not the one there is."""
    dice = random.Random(key)  # noqa: S311 - a shuffle, not a secret
    order = list(range(count))
    while order == list(range(count)) and count > 1:
        dice.shuffle(order)
    return tuple(order)


def moved_letter(letter: str, order: Sequence[int]) -> str:
    """Return where the option of a letter stands after `order`, as a letter."""
    return ascii_uppercase[order.index(ascii_uppercase.index(letter))]


def first_letter(letter: str, order: Sequence[int]) -> str:
    """Return the letter that the option had before `order`."""
    return ascii_uppercase[order[ascii_uppercase.index(letter)]]


def permutation(choices: Sequence[str], change: Callable[[str], str]) -> tuple[int, ...] | None:
    """Return for each option the place where its changed text stands among the options.

    None where the changed options are not the same set: then they are other options.
    """
    changed = [change(choice) for choice in choices]
    if len(set(choices)) != len(choices) or set(changed) != set(choices):
        return None
    return tuple(choices.index(text) for text in changed)


def listing(text: str, options: Sequence[str]) -> tuple[str, re.Match[str]] | None:
    """Return how the list of options in a text is written, and where: its groups are what stands between options."""
    for style in _STYLES:
        lines = [style.format(letter, option) for letter, option in zip(ascii_uppercase, options, strict=False)]
        pattern = r"(?<!\w)" + r"(\s{1,4}|,\s|;\s)".join(map(re.escape, lines)) + r"(?![^\W_])"
        if found := re.search(pattern, text):
            return style, found
    return None


def requoted(text: str, old: Sequence[str], new: Sequence[str]) -> str:
    """Return `text` with the list of options in it (each behind its letter) replaced by another list.

    Texts without such a list stay.

    Raises:
        Refused: "options:quoted" when some option stands there behind its letter, but no full list does.
    """
    if not old or tuple(old) == tuple(new):
        return text
    if listed := listing(text, old):
        style, found = listed
        with_new = [style.format(letter, option) for letter, option in zip(ascii_uppercase, new, strict=False)]
        whole = with_new[0] + "".join(gap + line for gap, line in zip(found.groups(), with_new[1:], strict=True))
        return requoted(text[: found.start()], old, new) + whole + requoted(text[found.end() :], old, new)
    for letter, option in zip(ascii_uppercase, old, strict=False):
        if any(style.format(letter, option) in text for style in _STYLES[:4]):
            raise Refused("options:quoted")
    return text


def rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """Return JSON-able data with every text in it changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(rewritten(each, change) for each in value)
    if isinstance(value, dict):
        return _mapped(value, change)
    return value


def _mapped(value: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    return {key: rewritten(each, change) for key, each in value.items()}
