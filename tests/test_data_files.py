"""Rows of local files: the formats, their bookkeeping columns, and what a damaged file says."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from spatialeval.data import lines
from spatialeval.data.files import read_files
from spatialeval.data.locate import find_files
from spatialeval.errors import DataError, MissingDataError, UnknownNameError

ROWS = [{"q": 'left, or\n"right"?', "a": "é 左"}, {"q": "tab\there", "a": "b"}]


def read(path: Path, **options) -> list[dict]:
    return list(read_files([path], **options))


def bare(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]


def write(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def as_table(delimiter: str) -> str:
    lines_ = [delimiter.join(ROWS[0])]
    lines_ += [delimiter.join('"' + v.replace('"', '""') + '"' for v in row.values()) for row in ROWS]
    return "\r\n".join(lines_) + "\r\n"


TEXTS = {
    "jsonl": "".join(json.dumps(row) + "\n\n" for row in ROWS),
    "json": json.dumps(ROWS, indent=1),
    "csv": as_table(","),
    "tsv": as_table("\t"),
}


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with byte order mark"])
@pytest.mark.parametrize("kind", TEXTS)
def test_every_text_format_gives_the_same_rows(tmp_path, kind, ending, mark):
    path = write(tmp_path / f"rows.{kind}{ending}", mark + TEXTS[kind].encode())
    rows = read(path)
    assert bare(rows) == ROWS
    assert [(row["_file"], row["_index"]) for row in rows] == [(path.name, 0), (path.name, 1)]


def test_parquet_gives_bytes_lists_and_nulls_as_stored(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"image": {"bytes": b"\x00\xff", "path": None}, "options": ["A", "B"], "n": 3, "x": 0.5, "ok": True},
        {"image": None, "options": None, "n": None, "x": None, "ok": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert bare(read(tmp_path / "rows.parquet")) == rows


def test_ten_thousand_pictures_in_parquet_stream_without_piling_up(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    picture = bytes(range(256)) * 64
    table = pa.table({"image": [picture] * 10_000, "n": list(range(10_000))})
    pq.write_table(table, tmp_path / "rows.parquet", compression="none", use_dictionary=False)
    del table
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    rows, peak_arrow = 0, 0
    for row in read_files([tmp_path / "rows.parquet"]):
        rows += len(row["image"]) == len(picture) and row["n"] == row["_index"]
        if row["_index"] % 500 == 0:
            peak_arrow = max(peak_arrow, pa.total_allocated_bytes() - before)
    peak_python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 10_000
    assert peak_python < 20 * 2**20
    assert peak_arrow < 60 * 2**20


def test_a_parquet_file_cut_in_half_is_named(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"n": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"rows\.parquet is not readable as parquet"):
        read(path)


def test_an_object_of_rows_keeps_its_keys(tmp_path):
    path = write(tmp_path / "rows.json", '{"7": {"q": 1}, "3": {"q": 2}}')
    assert [(row["_key"], row["q"]) for row in read(path)] == [("7", 1), ("3", 2)]


def test_records_names_a_list_or_an_object_deep_in_the_file(tmp_path):
    path = write(tmp_path / "rows.json", '{"info": 1, "data": {"list": [{"q": 1}], "object": {"x": {"q": 2}}}}')
    assert bare(read(path, records="data.list")) == [{"q": 1}]
    (row,) = read(path, records="data.object")
    assert (row["_key"], row["q"]) == ("x", 2)


def test_paths_are_relative_to_the_data_folder_with_forward_slashes(tmp_path):
    for name in ("a/x.jsonl", "b/x.jsonl"):
        (tmp_path / name).parent.mkdir()
        write(tmp_path / name, '{"q": 1}\n{"q": 2}\n')
    rows = list(read_files(find_files(tmp_path, ["*/x.jsonl"]), root=tmp_path))
    assert [(row["_path"], row["_file"], row["_index"]) for row in rows] == [
        ("a/x.jsonl", "x.jsonl", 0),
        ("a/x.jsonl", "x.jsonl", 1),
        ("b/x.jsonl", "x.jsonl", 0),
        ("b/x.jsonl", "x.jsonl", 1),
    ]
    assert read(tmp_path / "a/x.jsonl", root=tmp_path / "a/x.jsonl")[0]["_path"] == "x.jsonl"


def test_cells_far_larger_than_the_csv_default_are_read(tmp_path):
    cell = "A" * 400_000
    path = write(tmp_path / "rows.tsv", f"image\tn\n{cell}\t007\n")
    assert bare(read(path)) == [{"image": cell, "n": "007"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"q": 1}\n\n{"q": \n', r"a\.jsonl:3: invalid JSON"),
        ("a.jsonl", '{"q": 1}\n[1]\n', r"a\.jsonl:2: a row must be a JSON object, not a list"),
        ("a.jsonl", b'{"q": 1}\n{"q": "\xff"}\n', r"a\.jsonl:2: not UTF-8 \(byte 0xff\)"),
        ("a.jsonl", "", r"a\.jsonl is empty"),
        ("a.jsonl", "\n\n", r"a\.jsonl holds no rows"),
        ("a.jsonl.gz", "", r"a\.jsonl\.gz holds no rows"),
        ("a.json", '[{"q": 1},\n {"q": }]', r"a\.json:2: invalid JSON"),
        ("a.json", "[" * 200_000, r"a\.json:1: JSON nested too deeply"),
        ("a.json", b'[{"q": 1},\n\n {"q": "\xe9"}]', r"a\.json:3: not UTF-8"),
        ("a.json", "[]", r"a\.json holds no rows"),
        ("a.json", "3", "not a number"),
        ("a.json", "[null]", "row 0 is null"),
        ("a.json", '{"info": "x", "questions": []}', r"Set `records` .* 'info', 'questions'"),
        ("a.csv", "q,a\n1,2\n3\n", r"a\.csv:3: 1 cells for 2 columns"),
        ("a.csv", "q,q\n1,2\n", r"a\.csv:1: column 'q' occurs twice"),
        ("a.csv", 'q,a\n1,"open\n2,3\n', r"a\.csv:\d: not valid csv"),
        ("a.csv", "q,a\n", r"a\.csv holds no rows"),
        ("a.tsv", b"q\ta\n1\t2\n3\t\x80\n", r"a\.tsv:3: not UTF-8"),
        ("a.parquet", b"PAR1 and nothing more", r"a\.parquet is not readable as parquet"),
        ("a.pkl", b"x", r"suffix '\.pkl'.*\.parquet, \.jsonl, \.json, \.csv, \.tsv.*stepgame_babi"),
        ("a.parquet.gz", b"x", "not one of"),
        ("README", "x", "no format"),
    ],
)
def test_a_damaged_file_names_itself_and_the_line(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / name, content))


def test_a_truncated_gzip_file_is_not_read_as_a_shorter_one(tmp_path):
    path = write(tmp_path / "rows.jsonl.gz", "".join(f'{{"q": {i * i}}}\n' for i in range(5000)))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"rows\.jsonl\.gz is cut off"):
        read(path)


def test_plain_text_called_gz_is_refused(tmp_path):
    (tmp_path / "rows.jsonl.gz").write_text('{"q": 1}\n')
    with pytest.raises(DataError, match="is not valid gzip"):
        read(tmp_path / "rows.jsonl.gz")


def test_a_gzip_bomb_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_UNPACKED", 2**20)
    path = write(tmp_path / "rows.json.gz", b"[" + b" " * 2**22 + b"]")
    assert path.stat().st_size < 2**14
    with pytest.raises(DataError, match="unpacks to more than 1048576 bytes"):
        read(path)


def test_an_endless_line_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE", 1000)
    with pytest.raises(DataError, match=r"rows\.jsonl:2: the line is longer than 1000 bytes"):
        read(write(tmp_path / "rows.jsonl", '{"q": 1}\n' + "x" * 5000))


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ("question", "finds no 'question' in the file: its keys are 'info', 'questions'"),
        ("questions.train", "finds no 'train' in questions: it is a list"),
        ("info", "rows must be a list or an object of objects, not a text"),
    ],
)
def test_a_wrong_records_key_says_what_is_there(tmp_path, records, message):
    path = write(tmp_path / "rows.json", '{"info": "x", "questions": [{"q": 1}]}')
    with pytest.raises(DataError, match=message):
        read(path, records=records)


def test_records_on_a_table_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"applies to \.json files only"):
        read(write(tmp_path / "rows.jsonl", '{"q": 1}\n'), records="q")


def test_an_unknown_adapter_names_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="stepgame_babi"):
        read(write(tmp_path / "rows.txt", "1 x\n"), adapter="stepgame_bab")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet", "rows.jsonl.gz"])
def test_a_file_that_is_not_there_is_missing(tmp_path, name):
    with pytest.raises(MissingDataError, match="does not exist"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("pattern", "options", "count", "columns"),
    [
        ("vsr/random/test.jsonl", {}, 2195, {"image", "caption", "label", "relation"}),
        ("vsr/zeroshot/test.jsonl", {}, 1222, {"caption", "label", "subj", "obj"}),
        ("superclevr/output/superCLEVR_questions_*.json", {"records": "questions"}, 463, {"question", "answer"}),
        ("solidgeo/SolidGeo.json.gz", {}, 3113, {"question", "choices", "image", "_key"}),
        ("vsi_bench/vsi_bench_rows.jsonl.gz", {}, 5130, {"question", "ground_truth", "options"}),
        ("stepgame/original/*noise_qa?_valid.json.gz", {}, 2000, {"story", "question", "label", "_key"}),
        ("stepgame/original/TrainVersion*.jsonl.gz", {}, 5000, {"story", "question", "label", "k_hop"}),
        ("sat/test.json", {}, 150, {"question", "answer_choices"}),
        ("sparrta/gen_params_*.json", {"records": "actors"}, None, {"label", "location", "_key"}),
    ],
)
def test_real_files_give_as_many_rows_as_published(realdata, pattern, options, count, columns):
    rows = list(read_files(find_files(realdata, [pattern]), root=realdata, **options))
    if count is not None:
        assert len(rows) == count
    assert all(columns <= row.keys() for row in rows)
    assert all(Path(row["_path"]).match(pattern) for row in rows)


def test_half_a_character_is_refused_with_its_line_and_a_whole_one_is_read(tmp_path):
    good = write(tmp_path / "good.jsonl", '{"q": "\\ud83d\\ude00"}\n')
    assert bare(read(good)) == [{"q": "\U0001f600"}]
    bad = write(tmp_path / "bad.jsonl", '{"q": "x"}\n{"q": "\\ud83d"}\n')
    with pytest.raises(DataError, match=r"bad.jsonl:2: .*half a character \(0xd83d alone\)"):
        read(bad)
