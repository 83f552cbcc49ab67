"""The sample browser's data: every answer of every run, in gzipped pieces that the page opens when they are looked at.

An index says in one letter how each sample ended under each run; the pieces hold questions, what was sent, replies and
pictures, so many samples at a time with all runs' answers side by side. Little of it lies in the page; much of it lies
in files beside the page, which loads them as scripts: a page opened from disk may read nothing else.
"""

from __future__ import annotations

import base64
import gzip
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from pydantic_core import to_json

from spatialeval.report.html.asked import Listed
from spatialeval.report.html.names import apart
from spatialeval.report.html.thumbs import Pictures
from spatialeval.run.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spatialeval.report.html.board import Board, BoardRun
    from spatialeval.report.html.runs import Run

PIECE = 200
"""Samples in a piece."""
INSIDE = 16_000_000
"""Bytes of pieces that lie in the page; more lie beside it."""
BESIDE = "report-samples"
"""Folder of the pieces beside the page."""
_LEVEL = 3
"""Of gzip: a third of the time of its default, a tenth more bytes."""


@dataclass(frozen=True)
class Chunk:
    """One piece of data: its name, and gzipped JSON as base64."""

    id: str
    data: Markup


@dataclass(frozen=True)
class Samples:
    """The pieces in the page, the index first; how many samples there are, and whether pieces lie beside the page."""

    chunks: tuple[Chunk, ...]
    questions: int
    beside: bool


def make_samples(
    board: Board, runs: Sequence[Run], media: Path | None, limit: int, out: Path, inside: int = INSIDE
) -> Samples:
    """Return the browser's data for all runs, one task at a time; write the pieces beside the page where they are many.

    Args:
        board: what the runs were made into.
        runs: in the order of the board's.
        media: folder of the pictures that were sent; those of generated tasks need none.
        limit: bytes of small pictures in the page, at most.
        out: folder of the page.
        inside: bytes of pieces in the page, at most.

    Raises:
        StorageError: when samples cannot be read, or a piece cannot be written.
    """
    by_task: defaultdict[str, list[tuple[BoardRun, Run]]] = defaultdict(list)
    for shown, run in zip(board.runs, runs, strict=True):
        by_task[shown.task].append((shown, run))
    for old in (out / BESIDE).glob("samples-*.js"):
        old.unlink()
    pictures = Pictures(media, limit)
    index: list[dict[str, Any]] = []
    kept: list[Chunk] = []
    beside, held = False, 0
    for number, (task, members) in enumerate(by_task.items()):
        listed = Listed()
        for _, run in members:
            listed.add(run.place)
        index.append({**_index([shown for shown, _ in members], listed), "task": task})
        pictures.begin(task, [shown for shown, _ in members])
        for chunk in _pieces(number, listed, pictures):
            kept.append(chunk)
            held += len(chunk.data)
            if beside or held > inside:
                beside = True
                for one in kept:
                    _write(out, one)
                kept = []
    head = _chunk("samples-index", {"piece": PIECE, "beside": BESIDE if beside else "", "tasks": index})
    return Samples((head, *kept), sum(len(each["ids"]) for each in index), beside)


def _write(out: Path, chunk: Chunk) -> None:
    """Write a piece as a script that hands it to the page."""
    (out / BESIDE).mkdir(parents=True, exist_ok=True)
    text = f'spatialevalPiece("{chunk.id}", "{chunk.data}");\n'
    write_atomically(out / BESIDE / f"{chunk.id}.js", text.encode())


def _index(runs: Sequence[BoardRun], listed: Listed) -> dict[str, Any]:
    categories = list(dict.fromkeys(listed.categories))
    places = {name: place for place, name in enumerate(categories)}
    return {
        "runs": [
            {**run.model_dump(include={"id", "model", "protocol", "strategy"}), "apart": ", ".join(apart(run, runs))}
            for run in runs
        ],
        "ids": listed.ids,
        "categories": categories,
        "category": [places[category] for category in listed.categories],
        "text": listed.texts,
        "states": ["".join(run.states.get(name, "-") for name in listed.ids) for run in listed.runs],
    }


def _pieces(task: int, listed: Listed, pictures: Pictures) -> Iterator[Chunk]:
    for number, start in enumerate(range(0, len(listed.ids), PIECE)):
        part = listed.questions(listed.ids[start : start + PIECE])
        wanted = {digest: name for question in part for digest, name in question.wanted.items()}
        thumbs = {digest: uri for digest, name in wanted.items() if (uri := pictures.thumb(digest, name))}
        items = [question.as_json() for question in part]
        yield _chunk(f"samples-{task}-{number}", {"items": items, "thumbs": thumbs})


def _chunk(name: str, content: Any) -> Chunk:
    packed = gzip.compress(to_json(content), _LEVEL, mtime=0)
    return Chunk(name, Markup(base64.b64encode(packed).decode()))  # noqa: S704 - letters, digits and +/= alone
