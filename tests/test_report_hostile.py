"""Names of a megabyte, turned writing, steering signs and formulas: shown as text, and never at full length."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from base64 import b64decode

import pytest
from command import spatialeval
from run_letters import TASK, write_rows

from spatialeval.report.html import write_report
from spatialeval.report.html.asked import LONGEST, Listed
from spatialeval.report.html.board import Board
from spatialeval.report.html.files import as_csv, as_markdown
from spatialeval.report.html.page import render
from spatialeval.report.html.runs import find_runs

MEGABYTE = 1_000_000
LONG = "<b>" + "n" * MEGABYTE
TURNED = "left \u202eright\u202c \x1b[31mred\x1b[0m \x07"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    (folder / "letters.yaml").write_text(TASK)
    rows = [
        {"id": f"r{i}", "target": "AB"[i % 2], "choices": ["w", "x", "y", "z"], "category": [LONG, TURNED][i % 2]}
        for i in range(6)
    ]
    write_rows(folder / "rows.jsonl", rows)
    write_rows(folder / "one.jsonl", [{"id": f"r{i}", "reply": f"A {TURNED}</script>"} for i in range(6)])
    made = spatialeval(
        "score", folder / "letters.yaml", folder / "one.jsonl", "--data", folder / "rows.jsonl",
        "--out", folder / "results" / "one",
    )  # fmt: skip
    assert "Results:" in made.text
    return folder / "results"


def test_long_names_do_not_swell_the_page_and_steering_signs_are_gone(results, tmp_path):
    write_report([results], tmp_path, samples=True)
    page = (tmp_path / "report.html").read_text()
    assert len(page) < MEGABYTE / 3
    assert "nnnn" in page
    assert "<b>n" not in page
    for sign in ("\u202e", "\x1b", "\x07"):
        for file in tmp_path.iterdir():
            if file.suffix in {".html", ".md", ".csv"}:
                assert sign not in file.read_text(), file


def test_pieces_beside_the_page_are_nothing_but_one_call_with_letters(results, tmp_path):
    write_report([results], tmp_path, samples=True, inside=0)
    (piece,) = (tmp_path / "report-samples").iterdir()
    found = re.fullmatch(r'spatialevalPiece\("samples-0-0", "([A-Za-z0-9+/=]+)"\);\n', piece.read_text())
    content = json.loads(gzip.decompress(b64decode(found[1])))
    assert content["items"][0]["answers"][0]["reply"] == f"A {TURNED}</script>"  # whole: the page shows it as text
    page = (tmp_path / "report.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[^ ']+'; script-src 'sha256-[^ ']+' 'self'; img-src data:; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )


def test_pieces_of_an_earlier_report_do_not_stay(results, tmp_path):
    write_report([results], tmp_path, samples=True, inside=0)
    (tmp_path / "report-samples" / "samples-7-7.js").write_text("old")
    write_report([results], tmp_path, samples=True)
    assert list((tmp_path / "report-samples").iterdir()) == []


@pytest.mark.parametrize("name", ["=1+1", "  =1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "'=1", "\u3000=1"])
def test_no_name_of_a_model_is_a_formula(results, name, tmp_path):
    found = find_runs([results])
    write_report([results], tmp_path)
    board = Board.model_validate_json((tmp_path / "leaderboard.json").read_text())
    named = board.model_copy(update={"runs": (board.runs[0].model_copy(update={"model": name}),)})
    (row,) = csv.DictReader(io.StringIO(as_csv(named)))
    assert row["model"].startswith("'")
    assert len(as_markdown(named).splitlines()) == len(as_markdown(board).splitlines())
    assert "Leaderboard" in render(named, found.runs)


def test_calls_that_cannot_be_read_are_said_to_be_so(results, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(results / "one" / "samples.parquet")
    place = table.column_names.index("calls")
    half = '[{"request": {"messages": [{"parts": [{"type": "text", "text": "\\ud800"}]}]}}]'
    calls = ["{", "[1]", '[{"request": 3}]', half]
    changed = table.slice(0, 4).set_column(place, "calls", pa.array(calls))
    pq.write_table(changed, tmp_path / "samples.parquet")
    listed = Listed()
    listed.add(tmp_path)
    found = listed.questions(listed.ids)
    assert len(found) == 4
    assert all("cannot be read" in question.sent[0] for question in found)
    assert all(len(question.forms[0]["question"]) <= LONGEST + 100 for question in found)
