"""The stream of rows: which scene, which kinds, which forms, balanced answers."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from spatialeval.generators.scenes import layouts
from spatialeval.generators.scenes.palette import COLORS, EASY_COLORS
from spatialeval.generators.scenes.picture import png
from spatialeval.generators.scenes.questions import (
    FORMS,
    KINDS,
    PAIRS,
    Asked,
    ask_count,
    ask_facing,
    ask_pair,
    pair,
)
from spatialeval.generators.scenes.solids import FACINGS, SHAPES
from spatialeval.generators.scenes.wordings import LABELS, WORDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spatialeval.generators.scenes.world import Scene

LEVELS = ("easy", "medium", "hard")

# One round asks every kind once; the kinds of one inner tuple share a scene.
ROUNDS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("left_right", "above_below", "bigger_smaller"), ("closer_farther",), ("count",), ("facing",)),
    (("left_right", "above_below", "closer_farther"), ("bigger_smaller",), ("count",), ("facing",)),
    (("facing", "left_right", "above_below"), ("bigger_smaller",), ("closer_farther",), ("count",)),
)
# How often each form is asked of a kind: words and numbers first, since lettered options also test the lettering.
FORM_MIX: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PAIRS, ("word", "word", "word", "yesno", "yesno", "letter")),
    "facing": ("word", "word", "word", "yesno", "yesno", "letter"),
    "count": ("number", "number", "number", "yesno", "yesno", "letter"),
}
CLAIMS = tuple(word for kind in PAIRS for word in LABELS[kind])
MOST_COUNTED = {"easy": 5, "medium": 5, "hard": 6}
TRIES = 2000


class Plan(NamedTuple):
    """One question to ask: its kind, its form, and which of the form's answers it must have."""

    kind: str
    form: str
    want: int


class Deck:
    """Draws without replacement from a list, shuffled anew each time it runs out: balance at every length."""

    def __init__(self, seed: str, cards: Sequence[Any]) -> None:
        """A deck of its own random stream."""
        self.rng = random.Random(seed)  # noqa: S311 - a shuffle, not a secret
        self.cards = list(cards)
        self.left: list[Any] = []

    def draw(self) -> Any:
        """The next card."""
        if not self.left:
            self.left = self.rng.sample(self.cards, len(self.cards))
        return self.left.pop()


def scenes(
    *,
    seed: int,
    rows: int,
    level: str = "easy",
    kinds: Sequence[str] | None = None,
    wording: str = "test",
    forms: Sequence[str] | None = None,
    claims: Sequence[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows about rendered solids, the same bytes for the same arguments; row i does not depend on `rows`.

    Args:
        seed: any whole number.
        rows: how many questions; up to three neighbours share one scene (`group`).
        level: easy, medium or hard.
        kinds: which of left_right, above_below, closer_farther, bigger_smaller, count, facing; all by default.
        wording: "test", or "train" for the disjoint bank of wordings and backgrounds meant for training.
        forms: which of word, yesno, letter, number; all by default. Only counts have the form number, and no word.
        claims: the words that yes/no questions about two solids may claim, such as closer without farther; all by
            default. A model trained on some words only is tested on their opposites by the view `polarity`.
    """
    _check("claim", claims or (), CLAIMS)
    form_mix = _form_mix(level, kinds, wording, forms)  # wrong arguments fail here, not at the first row
    return islice(_rows(seed, level, wording, forms or FORMS, form_mix, claims or CLAIMS), rows)


def _rows(
    seed: int,
    level: str,
    wording: str,
    forms: Sequence[str],
    form_mix: dict[str, tuple[str, ...]],
    claims: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """Yield rows without end."""
    stream = _plans(f"scenes {seed} {level} {wording} {sorted(form_mix)} {sorted(forms)}", form_mix)
    made = 0
    for group, (key, plans) in enumerate(stream):
        rng = random.Random(key)  # noqa: S311 - a scene, not a secret
        scene, asked = compose(rng, level, wording, plans)
        told = [(plan, one) for plan, one in zip(plans, asked, strict=True) if _claims(plan, one, claims)]
        picture, truth, text = (png(scene), scene.truth(), scene.describe()) if told else (b"", {}, "")
        for plan, one in told:
            yield {
                "id": f"{level}-{seed}-{made:05d}-{plan.kind}",
                "level": level,
                "kind": plan.kind,
                "form": plan.form,
                "question": one.question,
                "choices": one.choices,
                "labels": one.labels,
                "answer": one.answer,
                "image": picture,
                "scene": {**truth, "about": list(one.about), "detail": one.detail},
                "description": text,
                "group": f"{level}-{seed}-{group:05d}",
            }
            made += 1


def _claims(plan: Plan, asked: Asked, claims: Sequence[str]) -> bool:
    """Tell whether a question claims one of these words of two solids, or claims none of the kind."""
    return plan.form != "yesno" or plan.kind not in PAIRS or asked.detail in claims


def _form_mix(
    level: str, kinds: Sequence[str] | None, wording: str, forms: Sequence[str] | None
) -> dict[str, tuple[str, ...]]:
    _check("level", [level], LEVELS)
    _check("wording", [wording], WORDINGS)
    _check("kind", kinds or (), KINDS)
    _check("form", forms or (), FORMS)
    allowed = forms or FORMS
    mix = {kind: tuple(form for form in FORM_MIX[kind] if form in allowed) for kind in kinds or KINDS}
    empty = [kind for kind, left in mix.items() if not left]
    if (empty and kinds) or len(empty) == len(mix):
        raise ValueError(f"kind {empty[0]} has none of the forms {', '.join(allowed)}")
    return {kind: left for kind, left in mix.items() if left}


def _check(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: known are {', '.join(known)}")


def _plans(key: str, mix: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, list[Plan]]]:
    """Endless groups of plans, each with the random key of its scene."""
    rng = random.Random(key)  # noqa: S311 - a plan, not a secret
    form_decks = {kind: Deck(f"{key} {kind}", mix[kind]) for kind in sorted(mix)}
    want_decks: dict[tuple[str, str], Deck] = {}
    group = 0
    while True:
        shape = list(rng.choice(ROUNDS))
        rng.shuffle(shape)
        for together in shape:
            plans = []
            for kind in together:
                if kind in mix:
                    form = form_decks[kind].draw()
                    deck = want_decks.setdefault((kind, form), Deck(f"{key} {kind} {form}", _wants(kind, form)))
                    plans.append(Plan(kind, form, deck.draw()))
            if plans:
                yield f"{key} group {group}", plans
                group += 1


def _wants(kind: str, form: str) -> range:
    if form == "yesno" or (form == "letter" and kind in PAIRS):
        return range(2)
    if form == "number":
        return range(5)
    return range(2 if kind in PAIRS else len(LABELS["facing"]))


def compose(rng: random.Random, level: str, wording: str, plans: Sequence[Plan]) -> tuple[Scene, list[Asked]]:
    """A scene in which every plan can be asked, and the questions."""
    if plans[0].kind == "count":
        return _counting(rng, level, wording, plans[0])
    kinds = [plan.kind for plan in plans]
    # Above the easy level half of the size and depth questions have a look that misleads: the look alone tells nothing.
    misleading = None if level == "easy" else rng.random() < 0.5
    for _ in range(TRIES):
        scene = _arrange(rng, level, wording, plans)
        if scene is None:
            continue
        found = {kind: pair(rng, scene, kind, misleading) for kind in kinds if kind in PAIRS}
        if None in found.values():
            continue
        asked = []
        for plan in plans:
            ij = found.get(plan.kind)
            if ij is None:
                asked.append(ask_facing(rng, scene, plan.form, wording, plan.want))
            else:
                asked.append(ask_pair(rng, scene, plan.kind, plan.form, wording, ij, plan.want))
        return scene, asked
    raise RuntimeError(f"no {level} scene in {TRIES} tries allows the questions {', '.join(kinds)}")


def _arrange(rng: random.Random, level: str, wording: str, plans: Sequence[Plan]) -> Scene | None:
    kinds = [plan.kind for plan in plans]
    robots = rng.randint(1, 2) if "facing" in kinds else 0
    things = layouts.names(rng, level, rng.randint(*layouts.OBJECTS[level]), robots)
    for plan in plans:
        if plan.kind == "facing" and plan.form == "word":
            things[0] = layouts.Named(things[0].color, things[0].shape, list(FACINGS)[plan.want])
    wall = layouts.backdrop(rng, level, wording)
    if level != "easy":
        return layouts.room(rng, level, things, wall, hover="above_below" in kinds)
    cue = "robot" if robots else "depth" if "closer_farther" in kinds else "size"
    if cue == "size" and "bigger_smaller" not in kinds:
        cue = rng.choice(("size", "depth"))
    return layouts.easy(rng, cue, things, wall)


def _counting(rng: random.Random, level: str, wording: str, plan: Plan) -> tuple[Scene, list[Asked]]:
    """A scene with exactly so many solids of one colour, of one shape, or of any kind, and the question."""
    most = MOST_COUNTED[level]
    truth = plan.want + 1 if plan.form == "number" and level != "hard" else rng.randint(1, most)
    low, high = (1, most) if level == "easy" else layouts.OBJECTS[level]
    for _ in range(TRIES):
        by = rng.choice(("all", "color", "shape")) if low <= truth else rng.choice(("color", "shape"))
        total = truth if by == "all" else rng.randint(max(truth, low), min(high, max(truth, low) + 3))
        colors = list(EASY_COLORS if level == "easy" else COLORS)
        color, shape = rng.choice(colors), rng.choice(SHAPES)
        things = []
        for index in range(total):
            other = layouts.Named(rng.choice(colors), rng.choice(SHAPES))
            if by == "color":
                hue = color if index < truth else rng.choice([name for name in colors if name != color])
                other = layouts.Named(hue, other.shape)
            elif by == "shape":
                form = shape if index < truth else rng.choice([name for name in SHAPES if name != shape])
                other = layouts.Named(other.color, form)
            things.append(other)
        wall = layouts.backdrop(rng, level, wording)
        scene: Scene | None
        if level == "easy":
            scene = layouts.easy(rng, "count", things, wall)
        else:
            scene = layouts.room(rng, level, things, wall, hover=rng.random() < 0.5)
        if scene is not None:
            counted = {"all": "objects", "color": f"{color} objects", "shape": f"{shape}s"}[by]
            return scene, [ask_count(rng, plan.form, wording, counted, tuple(range(truth)), plan.want)]
    raise RuntimeError(f"no {level} scene in {TRIES} tries holds {truth} counted solids")
