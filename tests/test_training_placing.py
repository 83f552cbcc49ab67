"""Rows of a recipe that lie elsewhere: named on the command line, read for training and for evaluations."""

from __future__ import annotations

import json

import pytest
from command import refused, spatialeval
from training_recipes import grpo, write_recipe

from spatialeval.errors import UsageError
from spatialeval.models.hf.model import EMBEDDED
from spatialeval.training.load import load_recipe
from spatialeval.training.placing import Places
from spatialeval.training.stages import _identity, askable


def sat(folder, count, first=0):
    """Write rows of SAT whose pictures are made of their numbers; return the folder."""
    folder.mkdir()
    rows = []
    for number in range(first, first + count):
        (folder / f"{number}.png").write_bytes(str(number).encode())
        asked = {"question": f"Is {number} left?", "question_type": "goal_aim", "img_paths": [f"{number}.png"]}
        rows.append({"database_idx": number, **asked, "answer_choices": ["yes", "no"], "correct_answer": "yes"})
    (folder / "test.json").write_text(json.dumps(rows))
    (folder / "val.json").write_text(json.dumps(rows))
    return folder


def recipe(folder, **changed):
    changed = {"prompt": {}, "data": ["sat:synthetic"], "evaluate": ["sat"], "rewards": ["score"], **changed}
    changed["evaluate"] = [{"task": task} for task in changed["evaluate"]]
    return write_recipe(folder, base="embedded", stages=grpo(), **changed)


def test_rows_and_exams_are_read_where_the_command_says(tmp_path):
    train, exam = sat(tmp_path / "train", 6), sat(tmp_path / "exam", 3, first=4)
    given = ["--data", f"sat:synthetic={train}", "--data", f"sat={exam}"]
    ran = spatialeval("train", recipe(tmp_path, clashes="drop"), "--dry-run", *given, "--partial")
    assert ran.code == 0, ran.err
    assert "6 from sat:synthetic" in ran.out
    assert "dropped: 2 rows show media of sat" in ran.out
    short = spatialeval("train", recipe(tmp_path, clashes="drop"), "--dry-run", *given)
    assert short.code == 2
    assert "150" in short.err  # the task file expects them all


def test_media_may_lie_apart_from_the_rows(tmp_path):
    train = sat(tmp_path / "train", 6)
    (tmp_path / "apart").mkdir()
    (train / "val.json").rename(tmp_path / "apart" / "val.json")
    places = Places({"sat:synthetic": tmp_path / "apart"}, {"sat:synthetic": train})
    found = places.put_into(load_recipe(recipe(tmp_path, evaluate=[])))
    rows, _ = askable(found, found.recipe.stages[0], 0)
    assert [row.sample.media[0].read() for row in rows.rows] == [str(number).encode() for number in range(6)]


def test_a_stage_is_the_same_wherever_its_rows_lie(tmp_path):
    known = []
    for name in ("here", "there"):
        places = Places({"sat:synthetic": sat(tmp_path / name, 6)})
        stages = [{**grpo()[0], "data": ["sat:synthetic"]}]
        file = write_recipe(tmp_path, base="embedded", prompt={}, rewards=["score"], stages=stages, evaluate=[])
        found = places.put_into(load_recipe(file))
        rows, _ = askable(found, found.recipe.stages[0], 0)
        known.append(_identity(found, found.recipe.stages[0], 0, str(EMBEDDED), rows))
    assert known[0] == known[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sat:synthetic", "--data sat:synthetic: write TASK=PATH"),
        ("=rows", "--data =rows: write TASK=PATH"),
        ("sat:val=rows", "There is no task of the recipe named 'sat:val'. "),
        ("sat=nowhere", "nowhere does not exist"),
    ],
)
def test_a_wrong_place_is_said(given, said, tmp_path):
    train = sat(tmp_path / "train", 6)
    also = [] if given.startswith(("sat:", "=")) else ["--data", f"sat:synthetic={train}"]
    ran = spatialeval("train", recipe(tmp_path), "--dry-run", "--data", given, *also, "--partial")
    assert ran.code == 2
    assert said in " ".join(ran.err.split())


def test_a_test_split_is_refused_wherever_it_lies(tmp_path):
    found = load_recipe(recipe(tmp_path, data=["vsi_bench"], evaluate=[]))
    with pytest.raises(UsageError, match="is a test split, which is not trained on"):
        Places({"vsi_bench": tmp_path}).put_into(found)


def test_rows_that_are_not_here_are_asked_for_as_a_recipe_takes_them(tmp_path):
    ran = spatialeval("train", recipe(tmp_path, data=["panoenv:train"], evaluate=[]), "--dry-run")
    assert ran.code == 2
    assert "--data 'panoenv:train=PATH', --media 'panoenv:train=PATH'" in " ".join(ran.err.split())


def test_rows_that_are_made_for_training_are_no_test_split(tmp_path):
    found = load_recipe(recipe(tmp_path, data=["euclid30k:train"], evaluate=[]))
    assert Places({"euclid30k:train": tmp_path}).put_into(found).recipe.data[0].data == str(tmp_path)


def test_a_loop_takes_the_same_options(tmp_path):
    assert "There is no task of the recipe named 'vsr'" in refused("loop", recipe(tmp_path), "--data", "vsr=rows")


def test_rows_with_and_without_pictures_make_no_batch_and_are_refused_before_training(tmp_path):
    mixed = recipe(tmp_path, data=["scenes(rows=4)", "maze(size=3, min_path=1, max_path=4, rows=2)"], evaluate=[])
    ran = spatialeval("train", mixed, "--dry-run")
    assert ran.code == 2
    assert "stage 'grpo' has 4 rows with pictures and 2 without" in " ".join(ran.err.split())
