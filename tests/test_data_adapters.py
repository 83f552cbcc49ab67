"""Formats that are no table: StepGame stories in bAbI form."""

from __future__ import annotations

import gzip

import pytest

from spatialeval.data.adapters import ADAPTERS
from spatialeval.data.files import read_files
from spatialeval.data.locate import find_files
from spatialeval.errors import DataError

BLOCK = "1 A is left of B.\n2 B is above C.\n3 Where is A?\tupper-left\t1\n"


def stories(tmp_path, text, name="correct_noise_qa2_test.txt"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return list(read_files([path], adapter="stepgame_babi"))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_blocks_become_rows(tmp_path, ends):
    first, second = stories(tmp_path, (BLOCK * 2).replace("\n", ends))
    name = "correct_noise_qa2_test.txt"
    assert first == {
        "story": ["A is left of B.", "B is above C."],
        "question": "Where is A?",
        "label": "upper-left",
        "k": 2,
        "noise": True,
        "_file": name,
        "_path": name,
        "_index": 0,
    }
    assert second == {**first, "_index": 1}


def test_the_folder_may_say_clean_or_noise(tmp_path):
    (tmp_path / "correct_clean").mkdir()
    (row,) = stories(tmp_path, BLOCK, "correct_clean/qa10_test.txt.gz")
    assert (row["k"], row["noise"]) == (10, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 A is left of B.\n3 B is above C.\n", r":2: expected line 2 of a story, found '3 B is above C\.'"),
        ("A is left of B.\n", ":1: expected line 1 of a story"),
        ("1 Where is A?\tleft\t1\n", ":1: expected question, label and 1"),
        ("1 A.\n2 Where is A?\tleft\n", ":2: expected question, label and 1"),
        (BLOCK + "1 A is left of B.\n", "the last story has no question"),
    ],
)
def test_a_damaged_story_names_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        stories(tmp_path, text)


def test_a_name_that_says_no_hops_is_refused(tmp_path):
    with pytest.raises(DataError, match="Rename the file"):
        stories(tmp_path, BLOCK, "stories.txt")


def test_adapters_are_found_by_name():
    assert "stepgame_babi" in ADAPTERS.names()


@pytest.mark.parametrize(
    ("name", "count"),
    [("clean_qa1", 9236), ("clean_qa2", 8497), ("clean_qa3", 7913), ("noise_qa1", 7957), ("noise_qa5", 4287)],
)
def test_corrected_stories_give_the_published_counts_and_nine_labels(realdata, name, count):
    files = find_files(realdata / "stepgame" / "rectified", [f"correct_{name}_test.txt.gz"])
    rows = list(read_files(files, adapter="stepgame_babi"))
    labels = ["overlap", "above", "below", "left", "right", "upper-left", "upper-right", "lower-left", "lower-right"]
    assert len(rows) == count
    assert {row["label"] for row in rows} <= set(labels)
    assert all(row["k"] == int(name[-1]) and row["noise"] == name.startswith("noise") for row in rows)
    if name.startswith("clean"):
        assert all(len(row["story"]) == row["k"] for row in rows)
    assert all(row["question"].startswith("What is the relation of the agent ") for row in rows)
