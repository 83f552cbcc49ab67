"""What may be asked of a scene, and the one right answer.

* left_right: order along the picture's horizontal axis, from the viewer's side; the world's x axis must agree.
* above_below: order along the picture's vertical axis; the height in the room must agree.
* closer_farther: distance from the camera along its axis.
* bigger_smaller: true size in metres; above the easy level only between solids of one shape, where it has one meaning.
* count: how many solids have a colour, a shape, or are there at all, hidden in part or not.
* facing: the way a robot's face points, in the picture's own directions.

A relation is asked only where the two solids differ by at least the level's margin, so the truth is never close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spatialeval.generators.scenes.wordings import ASK, CLAIM, LABELS, RELATION

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from spatialeval.generators.scenes.world import Scene, Solid

KINDS = ("left_right", "above_below", "closer_farther", "bigger_smaller", "count", "facing")
PAIRS = KINDS[:4]
LOOKS = ("closer_farther", "bigger_smaller")  # a larger picture suggests the first word of either
FORMS = ("word", "yesno", "letter", "number")
LETTERS = "ABCD"


@dataclass(frozen=True, slots=True)
class Margins:
    """The least difference asked about: in the picture as a share of its width, in height in metres, and as ratios."""

    picture: float
    height: float
    depth: float
    size: float


MARGINS = {
    "easy": Margins(picture=0.19, height=0.5, depth=1.45, size=1.45),
    "medium": Margins(picture=0.10, height=0.3, depth=1.25, size=1.35),
    "hard": Margins(picture=0.05, height=0.15, depth=1.12, size=1.18),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer. `about` are the positions in the scene of the solids it is about."""

    question: str
    answer: str | int
    about: tuple[int, ...]
    choices: list[str] | None = None
    labels: list[str] | None = None
    detail: str | None = None


def difference(kind: str, a: Solid, b: Solid, level: str) -> float:
    """Signed difference of two solids in units of the level's margin.

    From 1 up the kind's first word holds for `a`, from -1 down its second; between them the pair is too close to ask.
    """
    margins = MARGINS[level]
    width = {"easy": 128, "medium": 192, "hard": 256}[level]
    if kind == "left_right":
        return _agree((b.u - a.u) / (margins.picture * width), (b.x - a.x) / 0.05)
    if kind == "above_below":
        return _agree((b.v - a.v) / (margins.picture * width), (a.y - b.y) / margins.height)
    if kind == "closer_farther":
        return _ratio(b.z, a.z, margins.depth)
    if level != "easy" and a.shape != b.shape:
        return 0.0
    return _ratio(a.size, b.size, margins.size)


def _agree(first: float, second: float) -> float:
    """The smaller of two differences of one sign, else 0."""
    if first * second <= 0:
        return 0.0
    return min(first, second) if first > 0 else max(first, second)


def _ratio(over: float, under: float, margin: float) -> float:
    share = over / under
    return (share - 1) / (margin - 1) if share >= 1 else -(1 / share - 1) / (margin - 1)


def pair(rng: random.Random, scene: Scene, kind: str, misleading: bool | None = None) -> tuple[int, int] | None:
    """Two solids the kind's first word holds for, in that order; None where no two are far enough apart.

    With `misleading` given, only pairs whose look does, or does not, point to the wrong word of a size or depth
    question. The hard level takes the closest call it may.
    """
    found = {
        (i, j): difference(kind, a, b, scene.level)
        for i, a in enumerate(scene.solids)
        for j, b in enumerate(scene.solids)
        if misleading is None or kind not in LOOKS or (a.radius < b.radius) == misleading
    }
    clear = [ij for ij, apart in found.items() if apart >= 1]
    if not clear:
        return None
    return min(clear, key=found.__getitem__) if scene.level == "hard" else rng.choice(clear)


def ask_pair(
    rng: random.Random, scene: Scene, kind: str, form: str, wording: str, ij: tuple[int, int], want: int
) -> Asked:
    """A relation question about two solids; `want` picks the answer among the form's possible ones."""
    labels = LABELS[kind]
    truth = rng.randrange(2) if form != "word" else want
    i, j = ij if truth == 0 else (ij[1], ij[0])
    words = {"a": scene.solids[i].name, "b": scene.solids[j].name}
    if form == "yesno":
        claim = labels[truth if want == 0 else 1 - truth]
        relation = rng.choice(RELATION[claim][wording])
        question = rng.choice(CLAIM[wording]["pair"]).format(**words, r=relation)
        return Asked(question, ("yes", "no")[want], (i, j), detail=claim)
    question = rng.choice(ASK[wording][kind]).format(**words)
    return _close(rng, question, form, labels[truth], labels, (i, j), want)


def ask_facing(rng: random.Random, scene: Scene, form: str, wording: str, want: int) -> Asked:
    """Which way the first solid, a robot, faces. For the word form the scene was made with the wanted facing."""
    labels, truth = LABELS["facing"], scene.solids[0].facing or ""
    name = scene.solids[0].name
    if form == "yesno":
        claim = truth if want == 0 else rng.choice([label for label in labels if label != truth])
        question = rng.choice(CLAIM[wording]["facing"]).format(a=name, r=claim)
        return Asked(question, ("yes", "no")[want], (0,), detail=claim)
    question = rng.choice(ASK[wording]["facing"]).format(a=name)
    return _close(rng, question, form, truth, labels, (0,), want)


def ask_count(rng: random.Random, form: str, wording: str, counted: str, about: tuple[int, ...], want: int) -> Asked:
    """How many solids are `counted`, which `about` lists."""
    truth = len(about)
    if form == "yesno":
        near = [truth - 1, truth + 1] if truth > 1 else [truth + 1, truth + 2]
        claim = truth if want == 0 else rng.choice(near)
        question = _grammar(rng.choice(CLAIM[wording]["count"]), claim, counted)
        return Asked(question, ("yes", "no")[want], about, detail=f"{claim} {counted}")
    question = rng.choice(ASK[wording]["count"]).format(c=counted)
    if form == "number":
        return Asked(question, truth, about, detail=counted)
    start = rng.randint(max(1, truth - 3), truth)
    numbers = tuple(str(number) for number in range(start, start + 4))
    asked = _close(rng, question, form, str(truth), numbers, about, want)
    return Asked(asked.question, asked.answer, about, choices=asked.choices, detail=counted)


def _grammar(frame: str, number: int, counted: str) -> str:
    """The frame filled in, in the singular for one object."""
    if number == 1:
        counted = counted.removesuffix("s")
        frame = frame.replace("there are", "there is").replace("are there", "is there").replace("Are there", "Is there")
    return frame.format(c=counted, n=number)


def _close(
    rng: random.Random, question: str, form: str, truth: str, labels: Sequence[str], about: tuple[int, ...], want: int
) -> Asked:
    if form == "word":
        return Asked(question, truth, about, labels=list(labels))
    others = [label for label in labels if label != truth]
    rng.shuffle(others)
    place = want % len(labels)
    return Asked(question, LETTERS[place], about, choices=[*others[:place], truth, *others[place:]])
