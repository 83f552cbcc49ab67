"""replay: saved replies of every file form, and one clear message for every file that is wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from spatialeval.data.replies import SavedReply, read_replies
from spatialeval.errors import DataError, MissingDataError, ModelError, UsageError
from spatialeval.messages import Request, Settings
from spatialeval.models import ModelOptions, open_model
from spatialeval.samples import Sample

ROWS = [
    {"id": "a", "response": "B, because\nit is left", "finish": "stop"},
    {"id": "b", "response": "", "finish": "length"},
    {"id": "c", "response": 'über "3"', "finish": "stop"},
]


def encoded(form, rows=ROWS):
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    stored = io.StringIO(newline="")
    if form == "csv":
        writer = csv.DictWriter(stored, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return stored.getvalue().encode()
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def saved(folder, form, data, *, zipped=False):
    path = folder / f"replies.v1.{form}{'.gz' if zipped else ''}"
    path.write_bytes(gzip.compress(data) if zipped else data)
    return path


@pytest.mark.parametrize(
    ("form", "zipped"), [("jsonl", False), ("jsonl", True), ("csv", False), ("csv", True), ("parquet", False)]
)
def test_every_form_gives_the_same_replies(tmp_path, form, zipped):
    replies = read_replies(saved(tmp_path, form, encoded(form), zipped=zipped))
    assert replies == {
        "a": SavedReply("B, because\nit is left"),
        "b": SavedReply("", "length"),
        "c": SavedReply('über "3"'),
    }


@pytest.mark.parametrize(
    "row", [{"sample_id": 1, "reply": "B"}, {"idx": 1, "prediction": "B"}, {"id": 1, "response": "B"}]
)
def test_usual_columns_are_found_and_integer_ids_are_text(tmp_path, row):
    assert read_replies(saved(tmp_path, "jsonl", encoded("jsonl", [row]))) == {"1": SavedReply("B")}


def test_columns_can_be_named_and_a_wrong_name_lists_the_nearest(tmp_path):
    path = saved(tmp_path, "csv", encoded("csv", [{"qid": "x", "output": "3"}]))
    assert read_replies(path, "qid", "output") == {"x": SavedReply("3")}
    with pytest.raises(DataError, match=r"no column 'outputs' of replies\. Did you mean 'output'"):
        read_replies(path, "qid", "outputs")
    with pytest.raises(DataError, match=r"id or sample_id or idx of ids. Its columns: qid, output"):
        read_replies(path)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_text_file_cut_in_the_middle_of_a_line_names_the_line(tmp_path, form):
    data = encoded(form)
    end = data.rindex(b"3")
    with pytest.raises(DataError, match=rf"replies\.v1\.{form}.*"):
        read_replies(saved(tmp_path, form, data[:end]))


@pytest.mark.parametrize(("form", "zipped"), [("parquet", False), ("jsonl", True), ("csv", True)])
def test_a_binary_file_cut_in_half_says_so(tmp_path, form, zipped):
    path = saved(
        tmp_path, form, encoded(form, ROWS * 1 + [{**ROWS[0], "id": str(n)} for n in range(99)]), zipped=zipped
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"replies.*(cut off|damaged|broken|fetch|Fetch|again)"):
        read_replies(path)


def test_a_csv_line_with_too_few_cells_names_the_line(tmp_path):
    with pytest.raises(DataError, match=r":3: "):
        read_replies(saved(tmp_path, "csv", b"id,response\na,B\nb"))


def test_bytes_that_are_no_utf8_name_the_line(tmp_path):
    with pytest.raises(DataError, match=r"UTF-8"):
        read_replies(saved(tmp_path, "csv", b"id,response\na,\xff\n"))


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([ROWS[0], ROWS[1], ROWS[0]], r"row 3: id 'a' was in row 1 already"),
        ([{"id": None, "response": "B"}], r"row 1: id is None"),
        ([{"id": "a", "response": "B"}, {"id": "b"}], r"no column response or reply or prediction"),
        ([{"id": "a", "response": ["B"]}], r"row 1: response is a list"),
        (["a"], r":1"),
    ],
)
def test_a_wrong_row_names_its_line(tmp_path, rows, match):
    with pytest.raises(DataError, match=match):
        read_replies(saved(tmp_path, "jsonl", encoded("jsonl", rows)))


def test_a_missing_file_or_an_unknown_suffix_is_said(tmp_path):
    with pytest.raises(MissingDataError, match="there is no file"):
        read_replies(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="xlsx"):
        read_replies(saved(tmp_path, "xlsx", b"x"))


async def test_the_model_gives_saved_replies_and_fails_samples_without_one(tmp_path):
    path = saved(tmp_path, "jsonl", encoded("jsonl", [*ROWS, {"id": "d", "response": None}]))
    model = open_model(f"replay:{path}")
    await model.start()

    async def ask(sample_id):
        return await model.ask(Request((), Settings(), Sample(sample_id, "yesno", "?", "yes")))

    assert (await ask("a")).text == "B, because\nit is left"
    assert (await ask("b")).finish == "length"
    for sample_id in ("d", "absent"):
        with pytest.raises(ModelError, match=f"'{sample_id}'") as caught:
            await ask(sample_id)
        assert (caught.value.kind, caught.value.transient) == ("no_content", False)


def test_the_identity_follows_the_file_and_the_columns(tmp_path):
    path = saved(tmp_path, "jsonl", encoded("jsonl"))
    options = ModelOptions(extra={"response_column": "finish"})
    first, columns = open_model(f"replay:{path}").identity(), open_model(f"replay:{path}", options).identity()
    path.write_bytes(encoded("jsonl", ROWS[:1]))
    second = open_model(f"replay:{path}").identity()
    assert len({json.dumps(identity) for identity in (first, columns, second)}) == 3
    with pytest.raises(UsageError, match="replay:FILE"):
        open_model("replay:")


def test_real_replies_of_published_runs_are_read(realdata, tmp_path):
    path = realdata / "blink" / "raw_outputs_val.jsonl.gz"
    with pytest.raises(DataError, match="already"):  # six models in one file
        read_replies(path, response_column="full_prediction")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for line in lines if (row := json.loads(line))["model"] == "GPT4V"]
    replies = read_replies(saved(tmp_path, "csv", encoded("csv", rows)), "idx", "full_prediction")
    picked = read_replies(path, "idx", "full_prediction", where={"model": "GPT4V"}, matched_column="prediction")
    assert {key: reply.text for key, reply in picked.items()} == {key: reply.text for key, reply in replies.items()}
    assert picked["val_Visual_Similarity_1"].matched == "(A)"
    assert len(rows) > 1000
    assert {key: reply.text for key, reply in replies.items()} == {row["idx"]: row["full_prediction"] for row in rows}
