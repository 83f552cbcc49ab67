"""What the tiny model is taught: questions about pooled scenes in many wordings, with the replies to learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mazes import INSTRUCTIONS, maze

from spatialeval.generators.scenes.questions import (
    LETTERS,
    PAIRS,
    Asked,
    ask_count,
    ask_facing,
    ask_pair,
    difference,
)
from spatialeval.generators.scenes.wordings import LABELS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from pool import Pooled

    from spatialeval.generators.scenes.world import Scene, Solid

CELL = 32  # pixels of an easy picture per image token
PLAIN = {
    "letter": "\nAnswer with the option's letter from the given choices directly.",
    "word": "\nAnswer with a single word or phrase.",
    "yesno": "\nAnswer yes or no.",
    "number": "\nAnswer with a single number.",
}
COT = "\nThink step by step, then give the final answer between <answer> and </answer>."
PLAIN_VARIED = {
    "letter": (
        "\nAnswer with the letter.",
        "\nReply with the letter of the right option only.",
        " Give only the letter.",
        "\nWhich option is right? Answer with its letter.",
        "\nAnswer:",
        "\nLetter of the correct choice:",
    ),
    "word": (
        "",
        " Answer:",
        "\nAnswer with one word.",
        " Give only the answer.",
        "\nShort answer please.",
        "\nAnswer directly.",
        " Be brief.",
        "\nReply with a word or phrase.",
    ),
    "yesno": (
        "",
        " Yes or no?",
        "\nReply yes or no.",
        "\nAnswer with yes or no only.",
        " Answer:",
        "\nSay yes or no.",
        "\nA yes or a no is enough.",
    ),
    "number": (
        "",
        " Answer:",
        "\nAnswer with a number.",
        "\nReply with one number only.",
        " Give only the number.",
        "\nAnswer with digits.",
        "\nJust the number please.",
    ),
}
COT_VARIED = (
    "\nThink step by step and put the final answer between <answer> and </answer>.",
    "\nReason first, then write the answer inside <answer> and </answer>.",
    "\nLet's think step by step. Finish with <answer>your answer</answer>.",
    "\nExplain your reasoning, then give <answer>...</answer>.",
    " First locate the objects, then answer between <answer> and </answer>.",
    "\nWork it out step by step. The final answer goes in <answer> </answer> tags.",
)
BEFORE = (
    "",
    "",
    "",
    "",
    "Question: ",
    "Look at the image. ",
    "Please look carefully: ",
    "You are given an image. ",
    "Q: ",
    "Here is a scene.\n",
    "Hint: think about where the objects are.\n",
    "This picture shows some objects. ",
    "The image shows coloured solids. ",
    "Please answer: ",
    "From here, ",
    "In this image, ",
    "Tell me, ",
    "Task: ",
    "I have a question. ",
)
SYSTEM = ("You are a helpful assistant.", "Answer questions about pictures.", "You look at images and answer briefly.")
OPTION_STYLES = ("{}. {}", "{}. {}", "{}. {}", "({}) {}", "{}) {}", "{}: {}")


class Lesson(NamedTuple):
    """One single-turn exchange: the user's text after the image, and the reply."""

    prompt: str
    reply: str


class Menu(NamedTuple):
    """One stage's weights of each form, of locating and of listing; shares of thoughts and of varied wording."""

    forms: dict[str, float]
    locate: float
    listing: float
    thoughts: float
    varied: float
    looks: float = 0  # single-object size questions, the step between locating and comparing sizes


MENUS = {
    "tokenizer": Menu({"open": 4, "yesno": 4, "letter": 4}, locate=0.2, listing=0.2, thoughts=0.3, varied=0.75),
    "locate": Menu({}, locate=4, listing=1, thoughts=0, varied=0),
    "early": Menu({"open": 5, "yesno": 0.7, "letter": 0.4}, locate=2.5, listing=1.5, thoughts=0.3, varied=0.3),
    "main": Menu({"open": 4, "yesno": 4, "letter": 4}, locate=0.8, listing=0.5, thoughts=0.25, varied=0.6, looks=2),
    "forms": Menu({"open": 3, "yesno": 6, "letter": 4}, locate=0.3, listing=0.3, thoughts=0.15, varied=0.4, looks=0.5),
    "claims": Menu({"open": 3, "yesno": 7, "letter": 1}, locate=0.2, listing=0.2, thoughts=0.15, varied=0.2, looks=0.2),
    "options": Menu(
        {"open": 3, "yesno": 3, "letter": 7}, locate=0.2, listing=0.2, thoughts=0.15, varied=0.3, looks=0.2
    ),
    "vary": Menu({"open": 4, "yesno": 4, "letter": 4}, locate=0.3, listing=0.2, thoughts=0.3, varied=0.75, looks=0.3),
}


def lesson(rng: random.Random, pooled: Pooled, menu: Menu) -> Lesson:
    """One exchange about a pooled scene."""
    weights = {**menu.forms, "locate": menu.locate, "listing": menu.listing, "looks": menu.looks}
    what = rng.choices(list(weights), list(weights.values()))[0]
    scene = pooled.scene
    unique = _unique(scene)
    if what == "locate" and unique:
        solid = rng.choice(unique)
        frame = rng.choice(("In which cell is the {}?", "Where is the {}? Give its cell.", "Cell of the {}?"))
        return Lesson(frame.format(solid.name), cell(solid))
    if what == "looks" and unique and {"bigger_smaller", "closer_farther"} & set(pooled.kinds):
        solid = rng.choice(unique)
        frame = rng.choice(("Does the {} look big or small?", "How does the {} look, big or small?", "Size of the {}?"))
        return Lesson(frame.format(solid.name), look(solid))
    found = None if what in {"locate", "listing", "looks"} else _question(rng, pooled, what)
    if found is None:
        frame = rng.choice(
            ("List the objects.", "What is in the picture? List it.", "List every object with its cell.")
        )
        return Lesson(frame, "; ".join(f"{solid.name} {cell(solid)}" for solid in _reading_order(scene.solids)))
    kind, form, about, asked = found
    think = rng.random() < menu.thoughts
    prompt = _prompt(rng, form, asked, think=think, varied=rng.random() < menu.varied)
    reply = f"{thought(kind, form, about, asked)} <answer>{asked.answer}</answer>" if think else str(asked.answer)
    return Lesson(prompt, reply)


def _question(rng: random.Random, pooled: Pooled, what: str) -> tuple[str, str, Scene, Asked] | None:
    scene = pooled.scene
    order = ["left_right", "above_below"]
    kinds = order + [kind for kind in pooled.kinds if kind not in order]
    kind = rng.choice([*kinds, *kinds[2:]] if pooled.counting is None else [*kinds, "count", "count", "count"])
    form = what if what != "open" else "number" if kind == "count" else "word"
    want = rng.randrange(4)
    if form == "yesno" or kind in PAIRS:
        want %= 2
    if kind == "count":
        counting = pooled.counting
        if counting is None or counting.detail is None:
            return None
        return kind, form, scene, ask_count(rng, form, "train", counting.detail, counting.about, want)
    if kind == "facing":
        robots = [index for index, solid in enumerate(scene.solids) if solid.facing]
        first = rng.choice(robots)
        turned = replace(scene, solids=(scene.solids[first], *(s for i, s in enumerate(scene.solids) if i != first)))
        return kind, form, turned, ask_facing(rng, turned, form, "train", want)
    unique = [scene.solids.index(solid) for solid in _unique(scene)]
    solids = scene.solids
    pairs = [(i, j) for i in unique for j in unique if difference(kind, solids[i], solids[j], "easy") >= 1]
    if not pairs:
        return None
    return kind, form, scene, ask_pair(rng, scene, kind, form, "train", rng.choice(pairs), want)


def _unique(scene: Scene) -> list[Solid]:
    named = [solid.name for solid in scene.solids]
    return [solid for solid in scene.solids if named.count(solid.name) == 1]


def cell(solid: Solid) -> str:
    """The image token a solid's centre lies in, by column and row."""
    return f"x{int(solid.u // CELL)} y{int(solid.v // CELL)}"


def look(solid: Solid) -> str:
    """Its size in the picture, in one word: near or large solids look big."""
    return "big" if solid.radius > 10 else "small"


def _reading_order(solids: tuple[Solid, ...]) -> list[Solid]:
    return sorted(solids, key=lambda solid: (int(solid.v // CELL), int(solid.u // CELL)))


def thought(kind: str, form: str, scene: Scene, asked: Asked) -> str:
    """A short true line of reasoning that leads to the answer."""
    solids = tuple(scene.solids[index] for index in asked.about)
    if kind == "count":
        places = ", ".join(cell(solid) for solid in _reading_order(solids))
        text, fact = f"They are at {places}.", str(len(solids))
    elif kind == "facing":
        text, fact = f"The {solids[0].name} is at {cell(solids[0])}.", f"facing {solids[0].facing}"
    else:
        if kind in {"left_right", "above_below"}:
            text = " ".join(f"The {solid.name} is at {cell(solid)}." for solid in solids)
        else:
            text = " ".join(f"The {solid.name} looks {look(solid)}." for solid in solids)
        fact = LABELS[kind][0 if difference(kind, solids[0], solids[1], scene.level) > 0 else 1]
    return text if form in {"word", "number"} else f"{text} So it is {fact}."


def _prompt(rng: random.Random, form: str, asked: Asked, *, think: bool, varied: bool) -> str:
    instruction = COT if think else PLAIN[form]
    options = "".join(f"\n{letter}. {text}" for letter, text in zip(LETTERS, asked.choices or (), strict=False))
    if not varied:
        return asked.question + options + instruction
    question = asked.question
    before = rng.choice(BEFORE)
    if before.endswith(", ") or rng.random() < 0.15:
        question = question[0].lower() + question[1:]
    if rng.random() < 0.1:
        question = question.rstrip("?.")
    if asked.choices:
        style = rng.choice(OPTION_STYLES)
        options = rng.choice(("", "", "\nOptions:", "\nChoices:")) + "".join(
            "\n" + style.format(letter, text) for letter, text in zip(LETTERS, asked.choices, strict=False)
        )
    if rng.random() < 0.6:
        instruction = rng.choice(COT_VARIED if think else PLAIN_VARIED[form])
    return before + question + options + instruction


def corpus(rng: random.Random, pool: list[Pooled]) -> Iterator[str]:
    """The text the tokenizer learns from."""
    for _ in range(12_000):
        one = lesson(rng, rng.choice(pool), MENUS["tokenizer"])
        yield f"user\n{one.prompt}"
        yield f"assistant\n{one.reply}"
    for _ in range(60):
        yield INSTRUCTIONS + maze(rng, 3, 4)[0]
        yield "\n".join(
            (*SYSTEM, "system", "true false in front of behind near inside outside on under next to (A) (B) (C) (D)")
        )
        yield rng.choice(pool).scene.describe()
