"""Questions as they were asked, and what every run answered, as the page's sample browser shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from spatialeval.report.html.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

LONGEST = 20_000
"""Letters of one text in the page; more are in samples.parquet."""
PREVIEW = 110
_STATES = {"unparsed": "u", "truncated": "t", "failed": "f"}
_TOLD = ("state", "score", "read", "rule", "finish", "failure")
_TEXTS = ("reply", "thoughts", "message")
_COLUMNS = ("sample_id", "view", "question", "target", "calls", *_TOLD, *_TEXTS)


@dataclass(frozen=True)
class Asked:
    """The rows of one run: which of them are about a sample, and how each ended."""

    rows: Rows
    places: dict[str, list[int]]
    states: dict[str, str]


@dataclass
class Question:
    """A sample in the forms it was asked in, and what every run made of it."""

    forms: list[dict[str, Any]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    wanted: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {"forms": self.forms, "sent": self.sent, "answers": self.answers}


@dataclass
class Listed:
    """The samples of one task in the order of the runs: ids, categories, the beginning of each question."""

    ids: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    runs: list[Asked] = field(default_factory=list)

    def add(self, folder: Path) -> None:
        """Read which samples a run is about, and how it ended on them."""
        rows = Rows(folder)
        held = rows.columns(("sample_id", "category", "state", "score"))
        places: dict[str, list[int]] = {}
        letters: dict[str, str] = {}
        known = {name for run in self.runs for name in run.places}
        fresh: list[int] = []
        for place, (name, state, score) in enumerate(zip(held["sample_id"], held["state"], held["score"], strict=True)):
            if name in places:
                letters[name] = _together(letters[name], letter(state, score))
            else:
                letters[name] = letter(state, score)
                if name not in known:
                    fresh.append(place)
            places.setdefault(name, []).append(place)
        self.ids += [held["sample_id"][place] for place in fresh]
        self.categories += [held["category"][place] or "" for place in fresh]
        self.texts += [_preview(row["question"]) for row in rows.take(fresh, ["question"])]
        self.runs.append(Asked(rows, places, letters))

    def questions(self, names: Sequence[str]) -> list[Question]:
        """Return some samples with the answers of all runs."""
        found = {name: Question() for name in names}
        for number, run in enumerate(self.runs):
            places = [place for name in names for place in run.places.get(name, ())]
            for row in run.rows.take(places, _COLUMNS):
                _answer(number, row, found[row["sample_id"]])
        return list(found.values())


def letter(state: str, score: float | None) -> str:
    """Return one letter: 1 right, 0 wrong, p partly right, u unparsed, t truncated, f failed."""
    return _STATES.get(state) or ("1" if score == 1 else "p" if score else "0")


def _together(one: str, other: str) -> str:
    """Return the letter of a sample whose forms ended in two ways: partly right where one is right, else the first."""
    if one == other:
        return one
    return "p" if {one, other} & {"1", "p"} else one


def _preview(text: str | None) -> str:
    return " ".join((text or "")[: 10 * PREVIEW].split())[:PREVIEW]


def _answer(number: int, row: dict[str, Any], question: Question) -> None:
    media: dict[str, str] = {}
    try:
        calls = from_json(row["calls"] or "[]")
        sent = cut("\n\n".join(_sent(call, media) for call in calls))
    except (ValueError, AttributeError, TypeError) as error:
        sent = f"The column `calls` cannot be read: {error}"
    form = {
        "view": row["view"] or "",
        "question": cut(row["question"] or ""),
        "target": cut(row["target"] or ""),
        "media": [[name, digest] for digest, name in media.items()],
    }
    question.wanted |= media
    told = {name: row[name] for name in _TOLD if row[name] is not None}
    texts = {name: cut(row[name]) for name in _TEXTS if row[name]}
    answer = {"run": number, "form": _place(form, question.forms), **told, **texts}
    if sent:
        answer["sent"] = _place(sent, question.sent)
    question.answers.append(answer)


def _place(value: Any, among: list[Any]) -> int:
    """Return the place of a value in a list, which it joins where it is new."""
    if value not in among:
        among.append(value)
    return among.index(value)


def _sent(call: dict[str, Any], media: dict[str, str]) -> str:
    """Return the messages of a call as text; note the media among them."""
    return "\n".join(_lines(call.get("request", {}).get("messages", []), media))


def _lines(messages: Iterable[dict[str, Any]], media: dict[str, str]) -> Iterable[str]:
    for message in messages:
        yield f"[{message.get('role', '')}]"
        for part in message.get("parts", []):
            if part.get("type") == "text":
                yield str(part.get("text", ""))
            else:
                name, digest = str(part.get("name", "")), str(part.get("sha256", ""))
                media.setdefault(digest, name)
                yield f"<{part.get('type', 'media')} {name}>"


def cut(text: str) -> str:
    """Return a text of at most `LONGEST` letters, which says what it lacks."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n\N{HORIZONTAL ELLIPSIS} {len(text) - LONGEST:,} more characters are in samples.parquet"
