"""Full-size recipes of SAT, VSI-100k and Euclid30K, dry-run on a few made rows in the published schemas."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import spatialeval
from PIL import Image

from spatialeval.rewards.reply import Reply
from spatialeval.rewards.terms import total
from spatialeval.training.arguments import config_of, derived
from spatialeval.training.load import load_recipe, terms_of
from spatialeval.training.placing import Places
from spatialeval.training.rows import load_rows
from spatialeval.training.stages import askable

SAT = {"sat:train": "sat", "sat:synthetic": "sat", "sat": "sat", "cv_bench": "cv_bench"}
VSI = {"vsi_100k": "vsi_100k", "vsi_bench:kinds_of_vsi_100k": "vsi", "vsi_bench:kinds_not_in_vsi_100k": "vsi"}
EUCLID = {
    "euclid30k:train": "euclid",
    "euclid30k": "euclid",
    "super_clevr:test": "clevr",
    "omni3d_bench": "omni",
    "vsi_bench": "vsi",
    "mindcube:tiny": "mindcube",
}
ROWS_OF = {"sat_cvbench_v1": SAT, "sat_cvbench_v2": SAT, "vsgrpo_2b": VSI, "euclid30k_7b": EUCLID}


def picture(seed):
    told = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), dtype="uint8")
    Image.fromarray(pixels).save(told, "PNG")
    return told.getvalue()


def cell(seed):
    """Return a picture as a hub's parquet holds it."""
    return {"bytes": picture(seed), "path": None}


def parquet(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), file)


def lines(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def sat_rows(seed, count, pictures=1):
    return [
        {
            "image_bytes": [cell(seed + 2 * number + place) for place in range(pictures)],
            "question": f"If I turn left by {number} degrees, will I be facing away from the lamp?",
            "answers": ["no", "yes"],  # the right one stands first, as in the data
            "question_type": "action_consequence",
            "correct_answer": "no",
        }
        for number in range(count)
    ]


def cv_row(idx, task, question, source, choices):
    return {
        "idx": idx, "type": "3D" if source == "Omni3D" else "2D", "task": task, "image": cell(4000 + idx),
        "question": question, "choices": choices, "answer": "(B)", "filename": f"{idx}.png", "source": source,
        "prompt": f"{question} Select from the following choices.\n(A) {choices[0]}\n(B) {choices[1]}",
        "source_dataset": source, "source_filename": f"{idx}.jpg", "target_class": None, "bbox": None,
    }  # fmt: skip


def write_sat(folder):
    parquet(folder / "sat" / "SAT_train.parquet", sat_rows(0, 20) + sat_rows(1000, 3, pictures=2))
    parquet(folder / "sat" / "SAT_val.parquet", sat_rows(2000, 3))
    parquet(folder / "sat" / "SAT_test.parquet", sat_rows(3000, 3))
    closer, things = "Which object is closer to {}, the lamp or the sofa?", ["lamp", "sofa"]
    flat = [cv_row(1, "Count", "How many?", "COCO", ["1", "2"]), cv_row(2, "Relation", "Where?", "ADE20K", things)]
    deep = [
        cv_row(3, "Depth", closer.format("the camera taking this photo"), "Omni3D", things),
        cv_row(4, "Distance", closer.format("the desk"), "Omni3D", things),
    ]
    parquet(folder / "cv_bench" / "test_2d.parquet", flat)
    parquet(folder / "cv_bench" / "test_3d.parquet", deep)


def write_vsi(folder):
    asked = [
        ("object_counting", "How many chairs are in the room?", "4", "scene0191_00"),
        ("object_abs_distance", "How far is the desk from the door?", "2.5", "scene0191_00"),
        ("object_rel_distance", "Which of these (lamp, desk) is the closest to the door?", "desk", "scene0191_00"),
        ("object_rel_direction", "Facing the desk, is the lamp to the left or right?", "left", "scene0664_01"),
    ]
    names = ("type", "question", "answer", "scene")
    rows = [dict(zip(names, row, strict=True)) for row in asked]
    rows = [{"id": str(place), **row, "video": f"{row['scene']}.mp4"} for place, row in enumerate(rows)]
    lines(folder / "vsi_100k" / "rows.jsonl", rows)
    for row in rows:
        (folder / "vsi_100k" / row["video"]).write_bytes(row["scene"].encode())
    scene = {"dataset": "scannet", "scene_name": "scene0664_02"}
    count = {"question_type": "object_counting", "question": "How many tables?", "ground_truth": "4", "options": None}
    turns = {"ground_truth": "A", "options": ["A. Turn Left", "B. Turn Right"]}
    route = {"question_type": "route_planning", "question": "You stand at the door. Where to?", **turns}
    lines(folder / "vsi" / "test.jsonl", [{"id": 1, **scene, **count}, {"id": 2, **scene, **route}])
    (folder / "vsi" / "scannet").mkdir()
    (folder / "vsi" / "scannet" / "scene0664_02.mp4").write_bytes(b"scene0664_02")


def write_euclid(folder):
    square = {"problem": "<image>A square has side 2. How long is its diagonal?", "answer": "2\\sqrt{2}"}
    words = {"problem": "What is 3 + 4?", "answer": "7", "images": []}
    trained = [*({**square, "images": [cell(number)]} for number in range(40)), words]
    parquet(folder / "euclid" / "Euclid30K_train.parquet", trained)
    parquet(folder / "euclid" / "Euclid30K_val.parquet", [{**square, "images": [cell(900)]}])
    clevr = {"image_filename": "a.png", "image_index": 25000, "template_filename": "x.json"}
    asked = {"questions": [{**clevr, "question": "How many buses are there?", "answer": "2"}]}
    (folder / "clevr" / "images").mkdir(parents=True)
    (folder / "clevr" / "superCLEVR_questions_30k.json").write_text(json.dumps(asked))
    (folder / "clevr" / "images" / "a.png").write_bytes(picture(901))
    omni = {"image_index": "9", "q_index": "0", "image": cell(902), "answer_type": "float", "answer": "2.6"}
    parquet(folder / "omni" / "rows.parquet", [{**omni, "question": "How far is the lamp?"}])
    cube = {"id": "among_group9_q1", "category": ["among"], "type": "among", "meta_info": None, "gt_answer": "B"}
    question = "What is behind me? A. Chair B. Plant C. TV D. Door"
    lines(folder / "mindcube" / "MindCube_tinybench.jsonl", [{**cube, "question": question, "images": ["a.jpg"]}])
    (folder / "mindcube" / "a.jpg").write_bytes(picture(903))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    write_sat(folder)
    write_vsi(folder)
    write_euclid(folder)
    return folder


def placed(name, rows):
    """Return the options of the command that name the rows of a recipe."""
    return [text for task, at in ROWS_OF[name].items() for text in ("--data", f"{task}={rows / at}")] + ["--partial"]


def opened(name, rows):
    places = {task: rows / at for task, at in ROWS_OF[name].items()}
    return Places(places, {}, partial=True).put_into(load_recipe(name))


def dry_run(name, rows):
    ran = spatialeval("train", name, "--dry-run", *placed(name, rows))
    assert ran.code == 0, ran.err
    return ran.out


@pytest.mark.parametrize("name", ROWS_OF)
def test_a_full_size_recipe_dry_runs_and_pays_right_answers_alone(name, rows):
    told = dry_run(name, rows)
    assert "Nothing was trained." in told
    found = opened(name, rows)
    for stage in found.recipe.stages:
        kept = askable(found, stage, found.recipe.seeds[0])[0].rows
        config_of(found, stage, derived(found, stage, found.recipe.seeds[0], Path("OUT")))
        terms = terms_of(found.recipe, stage)
        most = sum(term.term.weight for term in terms)
        for row in kept[:4] if stage.method == "grpo" else ():
            said = row.answer.replace("<think></think>", "<think>because</think>")
            applying = sum(t.term.weight for t in terms if t(Reply(row.sample, said, row.grader)) is not None)
            assert total(terms, Reply(row.sample, said, row.grader)) == pytest.approx(applying)
            assert 0 < applying <= most
            wrong = "999999" if row.sample.answer == "number" else "a zebra"
            assert total(terms, Reply(row.sample, wrong, row.grader)) == pytest.approx(0, abs=1e-9)


def test_sat_is_asked_in_the_published_words_with_one_picture_and_learns_the_options_text(rows):
    told = dry_run("sat_cvbench_v2", rows)
    assert "sft (sft): 20 rows" in told
    assert "grpo (grpo): 20 rows" in told  # those with two pictures are left out
    found = opened("sat_cvbench_v2", rows)
    kept = askable(found, found.recipe.stages[0], 42)[0].rows
    head = " Answer in natural language. If I turn left by 0 degrees, will I be facing away from the lamp?"
    texts = {kept[0].request.messages[-1].text, f"{head} Choose between the following options: no or yes"}
    assert texts <= {f"{head} Choose between the following options: {pair}" for pair in ("no or yes", "yes or no")}
    assert {row.answer for row in kept} == {"no"}
    assert {row.sample.target for row in kept} == {"A", "B"}  # the right one does not always stand first
    assert all(len(row.sample.media) == 1 for row in kept)
    assert "beta=0.01" in told
    assert "temperature=0.9" in told


def test_real_rows_of_sat_are_asked_in_the_published_words(realdata, tmp_path):
    asked = json.loads((realdata / "sat" / "val.json").read_text())
    (tmp_path / "train.json").write_text(json.dumps(asked))
    found = Places({"sat:train": tmp_path}, partial=True).put_into(load_recipe("sat_cvbench_v1"))
    kept = load_rows(found, found.recipe.stages[0], 42).rows
    single = {str(row["database_idx"]): row for row in asked if len(row["img_paths"]) == 1}
    assert {row.sample.id for row in kept} == set(single)
    for row in kept:
        source, text = single[row.sample.id], row.request.messages[-1].text
        head = f" Answer in natural language. {source['question']} Choose between the following options: "
        first, second = source["answer_choices"]
        assert text in {f"{head}{first} or {second}", f"{head}{second} or {first}"}
        assert row.answer == source["correct_answer"]


def test_rooms_of_the_real_vsi_bench_are_left_out_of_training(rows, realdata):
    real = realdata / "vsi_bench"
    places = {"vsi_100k": rows / "vsi_100k", **{task: real for task in VSI if task != "vsi_100k"}}
    found = Places(places).put_into(load_recipe("vsgrpo_2b"))  # all of its 4,318 and 812 questions are there
    kept, notes = askable(found, found.recipe.stages[0], 0)
    assert {row.sample.group for row in kept.rows} == {"scene0191_00"}
    assert any("show ScanNet rooms" in note for note in notes)


def test_the_two_sat_recipes_differ_where_the_source_says_so():
    first, second = (load_recipe(f"sat_cvbench_v{number}").recipe.stages[-1] for number in (1, 2))
    assert (first.lora.r, first.trl["beta"]) == (8, 0.04)
    assert (second.lora.r, second.trl["beta"]) == (16, 0.01)
    assert second.start == "base"  # GRPO and SFT are compared, not chained
    shared = {"num_generations", "max_completion_length", "temperature", "learning_rate", "loss_type"}
    assert {key: first.trl[key] for key in shared} == {key: second.trl[key] for key in shared}


def test_a_row_of_sat_with_a_picture_of_its_test_is_refused(rows, tmp_path):
    parquet(tmp_path / "SAT_train.parquet", sat_rows(0, 20) + sat_rows(3000, 1))
    given = ["--data", f"sat:train={tmp_path}", *placed("sat_cvbench_v1", rows)[2:]]
    ran = spatialeval("train", "sat_cvbench_v1", "--dry-run", *given)
    assert ran.code == 2
    assert "1 rows show media of sat, first" in ran.err


def test_vsi_asks_plainly_with_frames_and_leaves_out_rooms_of_the_benchmark(rows):
    told = dry_run("vsgrpo_2b", rows)
    assert "grpo (grpo): 3 rows" in told
    assert "dropped: 1 rows show ScanNet rooms of vsi_bench:kinds_of_vsi_100k" in told  # another scan of its room
    assert "beta=0.0001" in told
    assert "num_generations=14" in told
    found = opened("vsgrpo_2b", rows)
    kept = askable(found, found.recipe.stages[0], 0)[0].rows
    short = "\nPlease provide the short answer with one or two words or a number."
    assert kept[0].request.messages[-1].text == f"How many chairs are in the room?{short}"
    assert [exam.kind for exam in found.recipe.evaluate] == ["held_out", "other"]


def test_euclid_asks_in_the_published_words_and_pays_a_tenth_for_the_form(rows):
    told = dry_run("euclid30k_7b", rows)
    assert "grpo (grpo): 40 rows" in told  # the one without a picture is left out
    for argument in ("epsilon_high=0.28", "beta=0.01", "num_generations=5", "learning_rate=1e-06", "delta=3.0"):
        assert argument in told
    found = opened("euclid30k_7b", rows)
    row = askable(found, found.recipe.stages[0], 1)[0].rows[0]
    assert row.request.messages[-1].text == (
        "A square has side 2. How long is its diagonal? You FIRST think about the reasoning process as an internal "
        "monologue and then provide the final answer. The reasoning process MUST BE enclosed within <think> </think> "
        "tags. The final answer MUST BE put in \\boxed{}."
    )
    terms = terms_of(found.recipe, found.recipe.stages[0])
    paid = {text: total(terms, Reply(row.sample, text, row.grader)) for text in ("\\boxed{2.83}", "\\boxed{2.9}")}
    assert paid == {"\\boxed{2.83}": pytest.approx(0.9), "\\boxed{2.9}": 0}  # within 1 % and not


@pytest.mark.parametrize(
    ("name", "gpus", "prompts", "generated"),
    [
        ("sat_cvbench_v1", 1, 16, 16),
        ("sat_cvbench_v2", 1, 16, 16),
        ("vsgrpo_2b", 8, 8, 8),
        ("euclid30k_7b", 16, 128, 512),
    ],
)
def test_a_step_has_as_many_prompts_as_the_notes_say_on_the_stated_gpus(name, gpus, prompts, generated):
    found = load_recipe(name)
    given = {**found.recipe.trl, **found.recipe.stages[-1].trl}
    each, group = given["per_device_train_batch_size"] * gpus, given["num_generations"]
    accumulated = given["gradient_accumulation_steps"]
    assert each * accumulated == prompts * group
    assert each * given.get("steps_per_generation", accumulated) == generated * group
    assert any(f"{gpus} GPU" in note or (gpus == 1 and "One GPU" in note) for note in found.recipe.notes)
