"""The words of a request: templates rendered for one sample, and pictures put where they belong among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import jinja2

from spatialeval.errors import DataError
from spatialeval.messages import Image, Part, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatialeval.samples import Sample
    from spatialeval.templates import Sandbox


def names_of(sample: Sample) -> dict[str, Any]:
    """Return what prompt templates see of a sample."""
    options = [{"letter": a, "text": b} for a, b in zip(sample.letters, sample.choices, strict=True)]
    return {
        "id": sample.id,
        "answer": sample.answer,
        "question": sample.question,
        "choices": list(sample.choices),
        "options": options,
        "letters": list(sample.letters),
        "labels": list(sample.labels),
        "category": sample.category,
        "facets": {name: list(values) for name, values in sample.facets.items()},
        "media_count": len(sample.media),
        "meta": dict(sample.meta),
    }


def render(environment: Sandbox, source: str, sample: Sample, *, what: str, **names: Any) -> str:
    """Return a template's text for a sample.

    Args:
        environment: the sandbox of the task file.
        source: the template.
        sample: seen by it, see `names_of`.
        what: names the template in errors.
        names: further names it sees.

    Raises:
        DataError: when it cannot be rendered.
    """
    try:
        return environment.rendered(source, {**names_of(sample), **names})
    except jinja2.TemplateNotFound as error:
        raise DataError(f"{what} includes {error}, which is not in the prompts folder.") from error
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise DataError(f"{what} cannot be written for sample {sample.id!r}: {error}") from error


def arrange(
    text: str, pictures: Sequence[Image], order: Literal["first", "last", "inline"], marker: str, *, film: bool = False
) -> tuple[Part, ...]:
    """Return a message's parts: pictures before the text, after it, or at its marks.

    `film` says that the pictures are the frames of one video, which stand together at the one mark of a text.
    """
    if order == "last":
        return (Text(text), *pictures)
    if order == "first":
        return (*pictures, Text(text))
    if "{n}" in marker:
        return _numbered(text, pictures, marker)
    pieces = text.split(marker)
    if pictures and len(pieces) - 1 > len(pictures):
        raise DataError(f"the text has {len(pieces) - 1} {marker} marks for {len(pictures)} pictures: {text[:80]!r}")
    if film and len(pieces) == 2:  # before and after the mark
        return (*(Text(piece) for piece in pieces[:1] if piece), *pictures, *(Text(p) for p in pieces[1:] if p))
    # Pictures without a mark come first; without pictures (a blind view) the marks vanish.
    unmarked = max(0, len(pictures) - (len(pieces) - 1))
    parts: list[Part] = list(pictures[:unmarked])
    for i, piece in enumerate(pieces):
        parts += [Text(piece)] if piece else []
        parts += pictures[unmarked + i : unmarked + i + 1]
    return tuple(parts)


def _numbered(text: str, pictures: Sequence[Image], marker: str) -> tuple[Part, ...]:
    """Put picture n at each of its marks, such as "<image 2>"; those without any come first, as above."""
    pieces = re.split(re.escape(marker).replace(re.escape("{n}"), r"(\d{1,3})"), text)
    marks = [int(number) for number in pieces[1::2]]
    if pictures and any(not 1 <= number <= len(pictures) for number in marks):
        raise DataError(f"the text has marks for pictures {marks}, of which there are {len(pictures)}: {text[:80]!r}")
    parts: list[Part] = [picture for number, picture in enumerate(pictures, start=1) if number not in marks]
    for number, piece in zip([0, *marks], pieces[::2], strict=True):
        parts += [pictures[number - 1]] if number and pictures else []
        parts += [Text(piece)] if piece else []
    return tuple(parts)
