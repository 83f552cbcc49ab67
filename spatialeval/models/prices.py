"""What tokens cost: the table in the package, the user's own table, or a price on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spatialeval.errors import UsageError, nearest
from spatialeval.yamlfile import checked, read_yaml

if TYPE_CHECKING:
    from spatialeval.messages import Usage

TABLE = Path(__file__).with_name("prices.yaml")
_FORM = "in=2.50,out=10 (USD per million tokens, and cached=... where those are cheaper), or a FILE.yaml"


class Price(BaseModel):
    """USD per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    cached: float | None = Field(None, ge=0)
    """Of prompt tokens that the provider had in its cache; as any others where left out."""

    def cost(self, prompt: float, completion: float, cached: float = 0.0) -> float:
        """Return USD for so many tokens; `cached` of the prompt's were in the provider's cache."""
        cached_price = self.prompt if self.cached is None else self.cached
        return ((prompt - cached) * self.prompt + cached * cached_price + completion * self.completion) / 1e6

    def of(self, usage: Usage) -> float:
        """Return USD for what a call used, as far as the backend told."""
        return self.cost(usage.prompt_tokens or 0, usage.completion_tokens or 0, usage.cached_tokens or 0)

    def __str__(self) -> str:
        """Return the price as --price takes it."""
        cached = "" if self.cached is None else f",cached={self.cached:g}"
        return f"in={self.prompt:g},out={self.completion:g}{cached}"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    date: str
    source: str
    models: dict[str, Price]


@dataclass(frozen=True)
class Quote:
    """A price, and where it is from."""

    price: Price
    source: str

    def halved(self) -> Quote:
        """Return what the same costs in a batch, as hosted batch APIs have it."""
        price = self.price
        cached = None if price.cached is None else price.cached / 2
        half = Price(prompt=price.prompt / 2, completion=price.completion / 2, cached=cached)
        return Quote(half, f"half of {self.source}, for batches")


def read_price(text: str, name: str) -> Quote:
    """Return the price that --price gives for the model called `name`; raise UsageError when it gives none."""
    if "=" in text:
        return Quote(_written(text), "--price")
    file = Path(text).expanduser()
    if not file.is_file():
        raise UsageError(f"--price {text!r} is neither a price nor a file. Give {_FORM}.")
    table = _table(file)
    if name not in table.models:
        raise UsageError(f"{file} has no price of {name!r}. {nearest(name, table.models)}Add it there.")
    return Quote(table.models[name], f"{file.name}, {table.date}")


def known_price(name: str) -> Quote | None:
    """Return the price of a hosted model from the table in the package, None where it is not there."""
    table = _table(TABLE)
    return Quote(table.models[name], f"table of {table.date}") if name in table.models else None


def estimated(quote: Quote | None, prompt: float, completion: float) -> str:
    """Return what so many tokens will cost, as the end of a sentence; nothing where the price is not known."""
    if quote is None or quote.price.cost(1, 1) == 0:
        return ""
    asked, answered = quote.price.cost(prompt, 0), quote.price.cost(0, completion)
    return f": about {dollars(asked)} for the prompts and at most {dollars(answered)} for the answers"


def dollars(amount: float) -> str:
    """Return an amount in USD with as many digits as matter."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}".rstrip("0").rstrip(".")


@cache
def _table(file: Path) -> _Table:
    raw, lines = read_yaml(file)
    return checked(_Table, raw, file, lines)


def _written(text: str) -> Price:
    names = {"in": "prompt", "out": "completion", "cached": "cached"}
    values: dict[str, Any] = {}
    for piece in text.split(","):
        key, _, value = piece.partition("=")
        if key.strip() not in names:
            raise UsageError(f"--price {text!r}: {key.strip()!r} is no part of a price. Give {_FORM}.")
        values[names[key.strip()]] = value.strip()
    try:
        return Price.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        part = next(short for short, long in names.items() if long == first["loc"][0])
        raise UsageError(f"--price {text!r}: {part}= is missing or no number of at least 0. Give {_FORM}.") from None
