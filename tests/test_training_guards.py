"""What rows are checked against before they are trained on: pictures by their bytes, and tasks named to guard."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from command import refused
from training_recipes import MAZES, grpo, write_recipe

from spatialeval.data.files import read_files
from spatialeval.media import Media
from spatialeval.samples import Sample
from spatialeval.tasks import load_task
from spatialeval.training.guards import Clash, clashes
from spatialeval.training.load import load_recipe
from spatialeval.training.stages import askable

SOME = MAZES.replace("rows=24", "rows=10")
SCENES = "scenes(rows=12, seed=3)"


class Row:
    """As much of a row as the guard looks at."""

    def __init__(self, key, sample):
        self.key, self.sample = key, sample


def shown(name, *media):
    return Sample(name, "yesno", f"What of {name}?", "yes", media=media)


def as_bytes(folder, data, name):
    return Media("image", name, data)


def as_file(folder, data, name):
    file = folder / name
    file.write_bytes(data)
    return Media("image", name, file)


def as_made(folder, data, name):
    return Media("image", name, lambda: data)


def as_cell(folder, data, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / f"{name}.parquet"
    pq.write_table(pa.table({"image": [{"bytes": data, "path": name}]}), file)
    row = next(iter(read_files([file])))
    return Media("image", name, row["image"]["bytes"])


WAYS = (as_bytes, as_file, as_made, as_cell)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("other", WAYS)
def test_equal_pictures_are_found_however_both_are_held_and_named(way, other, tmp_path):
    same, unlike, as_long = b"one picture", b"quite another picture", b"two picture"
    rows = [Row("a", shown("a", way(tmp_path, unlike, "1"))), Row("b", shown("b", way(tmp_path, same, "2")))]
    exams = [
        ("near", [shown("c", other(tmp_path, as_long, "3"))]),
        ("equal", [shown("c", other(tmp_path, as_long, "4")), shown("d", other(tmp_path, same, "5"))]),
    ]
    assert clashes(rows, exams) == [Clash("equal", "media", ("b",))]


def test_what_is_found_is_what_comparing_all_bytes_finds(tmp_path):
    rng = random.Random(5)
    for trial in range(40):
        folder = tmp_path / str(trial)
        folder.mkdir()
        held = {}

        def media(folder=folder, held=held):
            data = bytes(rng.choices(b"ab", k=rng.randint(1, 3)))
            made = rng.choice(WAYS)(folder, data, f"m{len(held)}")
            held[id(made)] = data
            return made

        rows = [Row(str(n), shown(f"r{n}", *(media() for _ in range(rng.randint(0, 2))))) for n in range(4)]
        exam = [shown(f"e{n}", *(media() for _ in range(rng.randint(1, 2)))) for n in range(2)]
        asked = {held[id(one)] for sample in exam for one in sample.media}
        expected = tuple(row.key for row in rows if asked & {held[id(one)] for one in row.sample.media})
        found = clashes(rows, [("exam", exam)])
        assert found == ([Clash("exam", "media", expected)] if expected else [])


def test_a_file_that_many_rows_show_is_read_once_and_one_of_another_size_never(tmp_path, monkeypatch):
    (tmp_path / "room").write_bytes(b"a video of a room")
    (tmp_path / "other").write_bytes(b"a longer video of another room")
    rows = [Row(str(n), shown(f"r{n}", Media("video", "v", tmp_path / ("room", "other")[n % 2]))) for n in range(20)]
    exam = [shown("e", Media("image", "p", b"a picture, no film"[:17]))]
    read = []
    plainly = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path.name), plainly(path))[1])
    assert clashes(rows, [("exam", exam)]) == []
    assert read == ["room"]


def test_a_missing_picture_clashes_with_nothing(tmp_path):
    gone = shown("gone", Media("image", "gone", tmp_path / "gone.png"))
    assert clashes([Row("a", gone)], [("exam", [gone, shown("e", Media("image", "empty", b""))])]) == []


def test_a_task_that_is_only_guarded_refuses_rows_as_an_exam_does(tmp_path):
    file = write_recipe(tmp_path, base="embedded", guard=[SOME])
    message = refused("train", file, "--out", tmp_path)
    assert f"10 rows ask questions of {SOME}, first 0|maze-7-00000|0" in message
    assert f"allow: [{SOME}]" in message
    for changed in ({"clashes": "drop"}, {"allow": [SOME]}):
        found = load_recipe(write_recipe(tmp_path, base="embedded", guard=[{"task": SOME}], **changed))
        rows, notes = askable(found, found.recipe.stages[0], 0)
        assert len(rows.rows) == (24 if "allow" in changed else 14)
        assert "10 rows ask questions" in notes[0]


def test_an_exam_as_trained_is_no_clash_until_it_is_guarded(tmp_path):
    as_trained = {"task": MAZES, "kind": "in"}
    found = load_recipe(write_recipe(tmp_path, evaluate=[as_trained]))
    assert len(askable(found, found.recipe.stages[0], 0)[0].rows) == 24
    file = write_recipe(tmp_path, base="embedded", evaluate=[as_trained], guard=[MAZES])
    assert f"24 rows ask questions of {MAZES}" in refused("train", file, "--out", tmp_path)


def test_scenes_are_guarded_by_their_pictures(tmp_path):
    stages = [{**grpo()[0], "prompt": {}, "data": [{"task": SCENES}]}]
    found = load_recipe(write_recipe(tmp_path, stages=stages, guard=["scenes(rows=6, seed=3)"], clashes="drop"))
    rows, notes = askable(found, found.recipe.stages[0], 0)
    assert "rows show media of scenes(rows=6, seed=3), first 0|easy-3-00000" in notes[0]
    left = {row.sample.group for row in rows.rows}
    assert left.isdisjoint({sample.group for sample in load_task("scenes(rows=6, seed=3)").samples()})
    assert left


def test_a_guarded_task_whose_rows_are_not_here_is_named_with_the_recipe(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "spec: 1\nid: own\n"
        "about: {title: Own, license: none, modalities: [text], access: open, abilities: [relation]}\n"
        "data: {source: local, files: ['*.jsonl'], bring: Write own.jsonl.}\n"
        "sample: {id: '{{ row.id }}', answer: yesno, question: '{{ row.q }}', target: '{{ row.a }}'}\n"
        "protocols: {official: {question: '{{ question }}', generate: {max_tokens: 8}, source: this test}}\n"
    )
    file = write_recipe(tmp_path, base="embedded", guard=[str(own)])
    message = refused("train", file, "--out", tmp_path)
    assert f"{file}: rows to train on must be no questions of" in message
    assert "Write own.jsonl." in message


def test_a_dropped_row_takes_its_views_with_it(tmp_path):
    stages = [{**grpo()[0], "prompt": {}, "data": [{"task": SCENES, "views": ["mirror"], "weight": 2}]}]
    found = load_recipe(write_recipe(tmp_path, stages=stages, guard=["scenes(rows=6, seed=3)"], clashes="drop"))
    rows, notes = askable(found, found.recipe.stages[0], 0)
    asked = {sample.group for sample in load_task("scenes(rows=6, seed=3)").samples()}
    assert {row.sample.group for row in rows.rows}.isdisjoint(asked)
    assert any("mirror" in row.key for row in rows.rows)
    assert "rows more, which are views of these" in notes[-1]


@pytest.mark.parametrize(
    ("row", "exam", "same"),
    [
        ({}, {}, True),
        ({"story": "Anna stands left of Ben, who stands left of Carl."}, {}, True),
        ({"story": "Anna stands left of Ben, who stands left of Carl."}, {"story": "Ben " * 20}, False),
        ({"story": "Ben  " * 20, "solution": "First look at Ben, then at Anna. " * 3}, {"text": "ben " * 20}, True),
        ({"story": "Ben " * 20}, {"story": "Ben " * 20, "solution": "First look at Ben, then at Anna. " * 3}, True),
        ({"unit": "cm"}, {"unit": "m"}, True),
    ],
)
def test_the_same_words_about_the_same_text_clash_whatever_else_is_told(row, exam, same):
    asked, told = (
        Sample(name, "choice", words, "A", choices=choices, labels=("A", "B"), meta=meta)
        for name, words, choices, meta in (
            ("a", "Where is  Ben?", ("left", "right"), row),
            ("b", "where is Ben?", ("right", "left"), exam),
        )
    )
    assert bool(clashes([Row("a", asked)], [("exam", [told])])) is same
