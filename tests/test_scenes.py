"""The rendered scenes: same bytes everywhere, exact balanced answers, disjoint splits, pictures that show the truth."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from spatialeval.generators.scenes import FORMS, KINDS, LEVELS, scenes
from spatialeval.generators.scenes.palette import COLORS, FLOORS, WALLS
from spatialeval.generators.scenes.wordings import ASK, CLAIM

WORDS = {
    "left_right": ("left", "right"),
    "above_below": ("above", "below"),
    "closer_farther": ("closer", "farther"),
    "bigger_smaller": ("bigger", "smaller"),
}
FACINGS = ("left", "right", "toward the camera", "away from the camera")


@functools.cache
def some(level: str, wording: str = "test", rows: int = 240) -> tuple[dict, ...]:
    return tuple(scenes(seed=11, rows=rows, level=level, wording=wording))


def digest(rows) -> str:
    whole = hashlib.sha256()
    for row in rows:
        whole.update(row["image"])
        whole.update(json.dumps({**row, "image": None}, sort_keys=True).encode())
    return whole.hexdigest()


def described(row: dict) -> list[dict]:
    """The objects as the row's text tells them: what a text-only reader has."""
    line = re.compile(
        r"\d+\. (?P<color>\w+) (?P<shape>\w+) at pixel x (?P<u>-?\d+), y (?P<v>-?\d+), depth (?P<z>[\d.]+), "
        r"height (?P<y>-?[\d.]+), size (?P<size>[\d.]+)(?:, facing (?P<facing>.+))?$"
    )
    matches = [line.match(text) for text in row["description"].splitlines()[2:]]
    assert all(matches)
    return [match.groupdict() for match in matches]


def from_text(row: dict) -> str | int:
    """The row answered from its question and description alone, by code that shares nothing with the generator."""
    objects, question = described(row), row["question"]
    if row["kind"] == "count":
        noun = re.search(r"(?:(\w+) )?(object|cube|ball|cone|cylinder)s?\b", question.replace("How many", ""))
        color = noun[1] if noun[1] in COLORS else None
        truth = sum((color is None or one["color"] == color) and noun[2] in {"object", one["shape"]} for one in objects)
        claim = re.search(r"\d+", question)
        return pick(row, truth, claim and int(claim[0]) == truth)
    named = sorted(
        (question.index(name), one) for one in objects if (name := f"{one['color']} {one['shape']}") in question
    )
    first, *rest = [one for _, one in sorted(named, key=lambda item: item[0])]
    if row["kind"] == "facing":
        claim = next((way for way in FACINGS if way in question.removesuffix("Is that right?")), None)
        return pick(row, first["facing"], claim == first["facing"])
    second = rest[0]
    # Questions that put the reference first all do so after one of these words.
    if re.search(
        r"(With respect to|Compared (to|with)|Set against|side of) the " + f"{first['color']} {first['shape']}",
        question,
    ):
        first, second = second, first
    key, sign = {
        "left_right": ("u", 1),
        "above_below": ("v", 1),
        "closer_farther": ("z", 1),
        "bigger_smaller": ("size", -1),
    }[row["kind"]]
    truth = WORDS[row["kind"]][sign * float(first[key]) > sign * float(second[key])]
    claim = next((word for word in WORDS[row["kind"]] if word in question.split()), None)
    return pick(row, truth, claim == truth)


def pick(row: dict, truth, claim_holds) -> str | int:
    if row["form"] == "yesno":
        return "yes" if claim_holds else "no"
    return "ABCD"[row["choices"].index(str(truth))] if row["form"] == "letter" else truth


def test_same_arguments_give_the_same_bytes_in_every_process():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from test_scenes import digest, scenes;"
        "print(*(digest(scenes(seed=3, rows=20, level=level)) for level in ('easy', 'medium', 'hard')))"
    )
    here = [digest(scenes(seed=3, rows=20, level=level)) for level in LEVELS]
    for hash_seed in ("1", "2"):
        made = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[1],
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert made.stdout.split() == here


@pytest.mark.parametrize("level", LEVELS)
def test_a_row_does_not_depend_on_how_many_are_asked(level):
    long = list(scenes(seed=5, rows=24, level=level))
    for rows in (0, 1, 7, 24):
        assert list(scenes(seed=5, rows=rows, level=level)) == long[:rows]


def test_other_seeds_give_other_scenes():
    assert digest(scenes(seed=1, rows=5)) != digest(scenes(seed=2, rows=5))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("wording", ["train", "test"])
def test_every_answer_follows_from_the_description(level, wording):
    rows = some(level, wording, 240 if level == "easy" else 60)
    assert [(row["id"], row["question"], from_text(row)) for row in rows] == [
        (row["id"], row["question"], row["answer"]) for row in rows
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_rows_are_complete_and_their_ids_unique(level):
    rows = some(level, rows=60 if level != "easy" else 240)
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["form"] in FORMS
        assert (row["choices"] is not None) == (row["form"] == "letter")
        assert (row["labels"] is not None) == (row["form"] == "word")
        if row["labels"]:
            assert row["answer"] in row["labels"]
        if row["choices"]:
            assert len(set(row["choices"])) == len(row["choices"])
        picture = Image.open(io.BytesIO(row["image"]))
        assert picture.format == "PNG"
        assert picture.size == (row["scene"]["camera"]["width"],) * 2
    groups = Counter(row["group"] for row in rows)
    assert max(groups.values()) == 3
    for group in groups:
        together = [row for row in rows if row["group"] == group]
        assert len({row["kind"] for row in together}) == len(together)
        assert len({row["image"] for row in together}) == 1


def test_kinds_and_answers_are_balanced():
    rows = list(scenes(seed=2, rows=300))
    assert set(Counter(row["kind"] for row in rows).values()) == {50}
    for kind in KINDS:
        for form in FORMS:
            answers = Counter(row["answer"] for row in rows if (row["kind"], row["form"]) == (kind, form))
            if answers:
                assert max(answers.values()) - min(answers.values()) <= 1, (kind, form, answers)


def test_kinds_and_forms_can_be_chosen():
    rows = list(scenes(seed=2, rows=30, kinds=["facing", "count"], forms=["yesno"]))
    assert {(row["kind"], row["form"]) for row in rows} == {("facing", "yesno"), ("count", "yesno")}
    assert {row["kind"] for row in scenes(seed=2, rows=30, forms=["word"])} == set(KINDS) - {"count"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"level": "harder"}, "unknown level 'harder': known are easy"),
        ({"kinds": ["size"]}, "unknown kind 'size'"),
        ({"wording": "dev"}, "unknown wording 'dev'"),
        ({"claims": ["nearer"]}, "unknown claim 'nearer'"),
        ({"forms": ["essay"]}, "unknown form 'essay'"),
        ({"kinds": ["count"], "forms": ["word"]}, "kind count has none of the forms word"),
    ],
)
def test_wrong_arguments_fail_before_the_first_row(wrong, message):
    with pytest.raises(ValueError, match=message):
        scenes(seed=1, rows=1, **wrong)


def test_claims_leave_out_yes_no_questions_of_other_words_and_change_no_other_row():
    words = ["left", "closer"]
    every = list(scenes(seed=11, rows=90, level="easy"))
    claims = [row["scene"]["detail"] if row["form"] == "yesno" and row["kind"] in WORDS else None for row in every]
    wanted = [row for row, claim in zip(every, claims, strict=True) if claim is None or claim in words]
    assert len({*claims} - {None, *words}) > 2
    some_words = list(scenes(seed=11, rows=len(wanted), level="easy", claims=words))
    assert [{**row, "id": None} for row in some_words] == [{**row, "id": None} for row in wanted]
    assert len({row["id"] for row in some_words}) == len(wanted)
    answers = Counter(row["answer"] for row in scenes(seed=5, rows=200, forms=["yesno"], claims=["closer"]))
    assert min(answers.values()) > 70


def test_train_and_test_share_no_wording_and_no_background():
    for bank in (ASK, CLAIM):
        for kind, frames in bank["train"].items():
            assert len(frames) >= 6
            assert len(bank["test"][kind]) >= 3
            assert not set(frames) & set(bank["test"][kind])
    assert not set(WALLS["train"]) & set(WALLS["test"])
    assert not set(FLOORS["train"]) & set(FLOORS["test"])


def test_easy_scenes_show_one_cue_and_one_solid_per_cell():
    for row in some("easy"):
        objects = row["scene"]["objects"]
        cells = Counter((int(one["u"] // 32), int(one["v"] // 32)) for one in objects)
        assert max(cells.values()) == 1
        if row["kind"] == "closer_farther":
            assert len({one["size"] for one in objects}) == 1
        if row["kind"] == "bigger_smaller":
            assert len({one["z"] for one in objects}) == 1


MARGINS = {"easy": (24, 0.5, 1.45, 1.45), "medium": (19, 0.3, 1.25, 1.35), "hard": (12, 0.15, 1.12, 1.18)}


@pytest.mark.parametrize("level", LEVELS)
def test_relations_hold_by_the_stated_margin(level):
    pixels, height, depth, size = MARGINS[level]
    for row in some(level, rows=60 if level != "easy" else 240):
        a, b = ([row["scene"]["objects"][index] for index in row["scene"]["about"]] + [None] * 2)[:2]
        if row["kind"] == "left_right":
            assert abs(a["u"] - b["u"]) >= pixels
            assert (a["u"] - b["u"]) * (a["x"] - b["x"]) > 0
        elif row["kind"] == "above_below":
            assert abs(a["v"] - b["v"]) >= pixels
            assert abs(a["y"] - b["y"]) >= height - 1e-3
            assert (a["v"] - b["v"]) * (a["y"] - b["y"]) < 0
        elif row["kind"] == "closer_farther":
            assert max(a["z"] / b["z"], b["z"] / a["z"]) >= depth - 1e-3
        elif row["kind"] == "bigger_smaller":
            assert max(a["size"] / b["size"], b["size"] / a["size"]) >= size - 1e-3
            assert level == "easy" or a["shape"] == b["shape"]


def test_above_the_easy_level_apparent_size_tells_nothing():
    for kind, key, sign in (("closer_farther", "z", -1), ("bigger_smaller", "size", 1)):
        fooled = 0
        for row in scenes(seed=4, rows=60, level="medium", kinds=[kind]):
            a, b = (row["scene"]["objects"][index] for index in row["scene"]["about"])
            fooled += (sign * (a[key] - b[key]) > 0) != (a["radius"] > b["radius"])
        assert 18 <= fooled <= 42


@pytest.mark.parametrize("level", LEVELS)
def test_the_projection_and_the_picture_agree_with_the_scene(level):
    for row in some(level, rows=60 if level != "easy" else 240):
        camera, objects = row["scene"]["camera"], row["scene"]["objects"]
        pixels = Image.open(io.BytesIO(row["image"])).convert("RGB")
        for one in objects:
            assert math.isclose(one["u"], camera["width"] / 2 + camera["focal"] * one["x"] / one["z"], abs_tol=0.05)
            assert math.isclose(
                one["v"], camera["horizon"] + camera["focal"] * (camera["height"] - one["y"]) / one["z"], abs_tol=0.05
            )
            assert math.isclose(one["radius"], camera["focal"] * one["size"] / one["z"], abs_tol=0.05)
            if one["shape"] != "robot":
                assert nearest_color(pixels.getpixel((int(one["u"]), int(one["v"])))) == one["color"]


def nearest_color(pixel) -> str:
    """The named colour a shaded pixel comes from: the one it is closest to after scaling, whatever the light."""

    def away(name: str) -> float:
        paint = COLORS[name]
        scale = sum(p * c for p, c in zip(pixel, paint, strict=True)) / sum(c * c for c in paint)
        return sum((p - scale * c) ** 2 for p, c in zip(pixel, paint, strict=True))

    return min(COLORS, key=away)


def test_a_robot_shows_its_face_on_the_side_it_looks_to():
    seen = Counter()
    for row in scenes(seed=8, rows=60, kinds=["facing"]):
        robot = row["scene"]["objects"][0]
        box = [round(robot[key] + side * robot["radius"]) for side in (-1, 1) for key in ("u", "v")]
        head = (
            Image.open(io.BytesIO(row["image"])).convert("RGB").crop((box[0], box[1], box[2], (box[1] + box[3]) // 2))
        )
        wall = row["scene"]["background"]["wall"]
        if max(wall) > 150:  # the pale face can only be told from a darker wall
            continue
        pale = [
            (x - head.width / 2, y)
            for x in range(head.width)
            for y in range(head.height)
            if is_pale(head.getpixel((x, y)))
        ]
        rows_of_face = len({y for _, y in pale})  # from behind one row of its upper edge may show over the head
        shown = "toward the camera" if rows_of_face > 1 else "away from the camera"
        if rows_of_face > 1 and abs(sum(x for x, _ in pale) / len(pale)) > 2:
            shown = "left" if sum(x for x, _ in pale) < 0 else "right"
        assert shown == robot["facing"]
        seen[shown] += 1
    assert set(seen) == set(FACINGS)


def is_pale(pixel) -> bool:
    return min(pixel) > 100 and max(pixel) - min(pixel) < 12
