"""Which files are read: one as it is, a folder's tables, or what the task's patterns match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spatialeval.data.locate import find_files
from spatialeval.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from pathlib import Path


def touch(path: Path) -> Path:
    path.write_text("x")
    return path


def test_a_file_is_used_as_it_is(tmp_path):
    path = touch(tmp_path / "odd.name")
    assert find_files(path, ["*.jsonl"]) == [path]


def test_a_folder_gives_its_tables_sorted_and_nothing_hidden(tmp_path):
    for name in ("b.jsonl", "a.csv.gz", "notes.txt", ".hidden.json", "c.parquet"):
        touch(tmp_path / name)
    (tmp_path / "sub").mkdir()
    touch(tmp_path / "sub" / "d.json")
    assert [path.name for path in find_files(tmp_path)] == ["a.csv.gz", "b.jsonl", "c.parquet"]


def test_patterns_keep_their_order_and_give_no_file_twice(tmp_path):
    for name in ("b2.jsonl", "b1.jsonl", "a.jsonl"):
        touch(tmp_path / name)
    assert [path.name for path in find_files(tmp_path, ["b*.jsonl", "*.jsonl"])] == [
        "b1.jsonl",
        "b2.jsonl",
        "a.jsonl",
    ]


def test_a_pattern_also_finds_gzipped_files_where_there_are_no_plain_ones(tmp_path):
    packed = touch(tmp_path / "rows.jsonl.gz")
    assert find_files(tmp_path, ["*.jsonl"]) == [packed]
    plain = touch(tmp_path / "rows.jsonl")
    assert find_files(tmp_path, ["*.jsonl"]) == [plain]


def test_every_pattern_must_match_and_the_message_lists_what_is_there(tmp_path):
    touch(tmp_path / "train.jsonl")
    with pytest.raises(DataError, match=r"nothing that matches 'test\*\.jsonl'; it holds train\.jsonl\."):
        find_files(tmp_path, ["*.jsonl", "test*.jsonl"])


def test_bookkeeping_of_a_download_is_not_matched(tmp_path):
    (tmp_path / ".cache" / "x").mkdir(parents=True)
    touch(tmp_path / ".cache" / "x" / "rows.jsonl")
    touch(tmp_path / "rows.jsonl")
    assert find_files(tmp_path, ["**/*.jsonl"]) == [tmp_path / "rows.jsonl"]


@pytest.mark.parametrize("pattern", ["../*.jsonl", "/etc/*", "C:/x/*.json", "a\\..\\..\\b", ""])
def test_a_pattern_cannot_leave_the_folder(tmp_path, pattern):
    with pytest.raises(DataError, match="leads out of"):
        find_files(tmp_path, [pattern])


def test_a_path_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingDataError, match="does not exist"):
        find_files(tmp_path / "absent", [])


def test_a_folder_without_tables_says_what_it_holds(tmp_path):
    with pytest.raises(DataError, match="the folder is empty"):
        find_files(tmp_path)
