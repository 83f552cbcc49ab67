"""Recipes: what is wrong is named by file, line and key; rows that must not be trained on are refused."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
import yaml
from command import REPOSITORY, refused, spatialeval
from training_recipes import MAZES, PLAIN, grpo, write_recipe

from spatialeval.training.guards import ContaminationError
from spatialeval.training.load import load_recipe, terms_of
from spatialeval.training.stages import askable

OTHER_MAZES = "maze(size=3, min_path=1, max_path=4, rows=12, seed=8)"


def line_of(file, text):
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("changed", "at", "said"),
    [
        ({"stagess": []}, "stagess", "stagess: is not a key here. Did you mean 'stages'?"),
        ({"seeds": ["one"]}, "- one", "seeds.0: must be a whole number, but it is 'one'."),
        ({"stages": grpo() + grpo()}, None, "two stages have one name"),
        ({"rewards": []}, None, "stage 'grpo' is GRPO and has no rewards"),
        ({"data": []}, None, "has no data"),
        ({"rewards": ["scor"]}, "rewards:", "There is no reward named 'scor'"),
        ({"rewards": ["score(unparsd=1)"]}, "rewards:", "'unparsd'"),
        ({"rewards": ["score", "score"]}, "rewards:", "two rewards are called 'score'"),
        ({"data": [{"task": MAZES, "splt": "x"}]}, "splt", "data.0.splt: is not a key here. Did you mean 'split'?"),
        ({"stages": [{**grpo()[0], "start": "sft"}]}, None, "stage 'grpo' starts from 'sft'; it can start from: base"),
        ({"stages": [{**grpo()[0], "name": "base"}]}, None, "a stage is called 'base'"),
        ({"stages": [{"name": "a", "method": "ppo"}]}, "method: ppo", "stages.0.method"),
        ({"stages": [{**grpo()[0], "filter": {"below": 2}}]}, "below: 2", "stages.0.filter.below"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_recipe_is_refused_with_file_line_and_key(changed, at, said, tmp_path):
    file = write_recipe(tmp_path, **changed)
    message = refused("train", file, "--dry-run")
    assert said in " ".join(message.split())
    assert f"{file}:{line_of(file, at)}" in message if at else str(file) in message


@pytest.mark.parametrize("name", ["output_dir", "seed", "reward_weights", "resume_from_checkpoint"])
def test_arguments_that_are_ours_are_refused_with_their_line(name, tmp_path):
    file = write_recipe(tmp_path, base="embedded", stages=grpo(**{name: 1}))
    message = refused("train", file, "--out", tmp_path)
    assert f"{file}:{line_of(file, f'{name}:')}: stages.0.trl.{name}: cannot be given" in message


def test_a_stage_that_starts_nowhere_is_said_in_plain_words(tmp_path):
    message = refused("train", write_recipe(tmp_path, stages=[{**grpo()[0], "start": "sft"}]), "--dry-run")
    assert message.endswith("stage 'grpo' starts from 'sft'; it can start from: base.")
    assert "value error" not in message


def test_a_dry_run_says_that_the_folder_of_the_base_is_not_there(tmp_path):
    ran = spatialeval("train", write_recipe(tmp_path, base="./nowhere"), "--dry-run")
    assert f"There is no folder {tmp_path / 'nowhere'}: make the base" in ran.out


def test_unknown_recipes_and_files_are_named():
    assert "There is no recipe named 'nothing'" in refused("train", "nothing")
    assert "there is no recipe file" in refused("train", "nothing.yaml")


def test_rows_that_an_evaluation_asks_are_listed_and_refused(tmp_path):
    file = write_recipe(tmp_path, base="embedded", evaluate=[OTHER_MAZES, {"task": MAZES}][1:])
    message = refused("train", file, "--out", tmp_path)
    assert f"24 rows ask questions of {MAZES}, first 0|maze-7-00000|0" in message
    assert "clashes: drop" in message
    assert not list(tmp_path.glob("**/stage.json"))


def test_an_overlap_is_accepted_by_name_in_the_recipe_or_the_command(tmp_path):
    file = write_recipe(tmp_path, base="embedded", evaluate=[{"task": MAZES}], allow=[MAZES])
    rows, notes = askable(load_recipe(file), load_recipe(file).recipe.stages[0], 0)
    assert len(rows.rows) == 24
    assert notes == [f"allowed: 24 rows ask questions of {MAZES}, first " + ", ".join(row.key for row in rows.rows[:5])]
    file = write_recipe(tmp_path, base="embedded", evaluate=[{"task": MAZES}])
    assert spatialeval("train", file, "--dry-run", "--allow", MAZES).code == 0
    with pytest.raises(ContaminationError):
        askable(load_recipe(file), load_recipe(file).recipe.stages[0], 0)


def test_clashing_rows_are_dropped_where_the_recipe_says_so(tmp_path):
    some = MAZES.replace("rows=24", "rows=10")
    file = write_recipe(tmp_path, evaluate=[{"task": some}], clashes="drop")
    rows, notes = askable(load_recipe(file), load_recipe(file).recipe.stages[0], 0)
    assert len(rows.rows) == 14
    assert notes[0].startswith(f"dropped: 10 rows ask questions of {some}")
    file = write_recipe(tmp_path, evaluate=[{"task": MAZES}], clashes="drop")
    assert "every row of stage 'sft' is a question of an evaluation" in refused("train", file, "--out", tmp_path)


@pytest.mark.parametrize("source", [{"task": "sat", "split": "TEST"}, {"task": "vsi_bench"}], ids=["named", "its own"])
def test_a_test_split_is_refused(source, tmp_path):
    file = write_recipe(tmp_path, base="embedded", prompt={}, data=[source])
    message = refused("train", file, "--out", tmp_path)
    assert "is a test split, which is not trained on. Name another one (`split:`)" in message


def shown(tmp_path, seed, **source):
    scenes = {"task": "scenes(rows=48)", **source}
    file = write_recipe(tmp_path, prompt={}, data=[scenes])
    rows = askable(load_recipe(file), load_recipe(file).recipe.stages[0], seed)[0].rows
    return {row.key: (row.sample.choices, row.sample.target) for row in rows if row.sample.choices}


def test_options_are_shuffled_by_seed_and_copy_and_the_right_answer_moves_along(tmp_path):
    plain = shown(tmp_path, 0, shuffle_options=False)
    assert plain
    once, again, other = shown(tmp_path, 0), shown(tmp_path, 0), shown(tmp_path, 1)
    assert once == again
    assert once != plain
    assert once != other
    for key, (choices, target) in once.items():
        before, right = plain[key]
        assert sorted(choices) == sorted(before)
        assert choices["ABCDEFGH".index(target)] == before["ABCDEFGH".index(right)]
    twice = shown(tmp_path, 0, weight=2)
    copies = [(twice[key], twice[f"{key[:-1]}1"]) for key in once]  # a key ends with the number of its copy
    assert any(first != second for first, second in copies)


@pytest.mark.parametrize(
    ("prompt", "styles", "reason"),
    [
        ({}, {"A": {"(A)", "A)"}, "a": {"a)"}, "1": {"1."}}, None),
        ({"instruction": "Answer with the letter."}, {}, "letter-style: plain: its own words name letters"),
    ],
    ids=["the protocol's words", "words of the recipe"],
)
def test_options_under_other_names_are_trained_where_the_words_allow_it(tmp_path, prompt, styles, reason):
    file = write_recipe(tmp_path, prompt=prompt, data=[{"task": "scenes(rows=48)", "views": ["letter-style"]}])
    found = load_recipe(file)
    rows = askable(found, found.recipe.stages[0], 0)[0]
    named = [row for row in rows.rows if row.sample.marks]
    assert {row.sample.marks[0] for row in named} == set().union(*styles.values())
    for row in named:
        assert row.sample.marks[0] in styles[row.sample.names[0]]
        assert all(f"\n{mark} " in row.request.messages[-1].text for mark in row.sample.marks)
        assert row.answer in row.sample.names
        assert row.grader.grade(row.sample, row.answer, "stop").value == 1
    assert reason is None or rows.left_out[reason]


def test_a_dry_run_shows_data_prompts_rewards_and_arguments_and_trains_nothing(tmp_path):
    file = write_recipe(tmp_path, base="embedded")
    ran = spatialeval("train", file, "--dry-run", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "sft (sft): 24 rows" in ran.out
    assert "right in tags" in ran.out
    assert "num_generations=2" in ran.out
    assert "4 steps, 16 completions" in ran.out
    assert "at 100 TFLOP/s; 0.02 GiB besides activations" in ran.out
    assert "Nothing was trained." in ran.out
    assert not (tmp_path / "out").exists()


def test_rows_of_one_stage_can_be_asked_in_several_ways(tmp_path):
    scenes = "scenes(rows=4, forms=[word])"
    file = write_recipe(tmp_path, prompt={}, data=[scenes, {"task": scenes, "prompt": {"strategy": "cot"}}])
    found = load_recipe(file)
    rows, _ = askable(found, found.recipe.stages[0], 0)
    asked = [row.request.messages[-1].text for row in rows.rows]
    assert all("step by step" not in text for text in asked[:4])
    assert all("step by step" in text for text in asked[4:])
    assert [row.sample.id for row in rows.rows[:4]] == [row.sample.id for row in rows.rows[4:]]


def test_the_json_schema_in_the_docs_is_current_and_takes_what_the_command_takes():
    printed = spatialeval("train", "--schema").out
    assert (REPOSITORY / "docs" / "recipe.schema.json").read_text() == printed, (
        "run: spatialeval train --schema > docs/recipe.schema.json"
    )
    schema = json.loads(printed)
    jsonschema.validate(json.loads(json.dumps(PLAIN)), schema)
    for wrong in ({**PLAIN, "bases": "x"}, {**PLAIN, "stages": []}, {**PLAIN, "rewards": 3}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("file", sorted((REPOSITORY / "recipes").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_recipe_is_what_the_json_schema_says(file):
    schema = json.loads(spatialeval("train", "--schema").out)
    jsonschema.validate(yaml.safe_load(file.read_text()), schema)
    assert load_recipe(file).recipe.id == file.stem


def test_the_recipe_of_the_docs_is_one(tmp_path):
    page = (REPOSITORY / "docs" / "training.md").read_text()
    file = tmp_path / "mazes.yaml"
    file.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    found = load_recipe(file)
    rows, _ = askable(found, found.recipe.stages[1], 0)
    assert [term.name for term in terms_of(found.recipe, found.recipe.stages[1])] == ["score", "tags"]
    lengths = [int(row.sample.meta["path_length"]) for row in rows.rows]
    assert lengths == sorted(lengths)


def test_the_package_starts_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "spatialeval", "--version"], capture_output=True, text=True, check=True
    )
    assert "spatialeval" in done.stdout
