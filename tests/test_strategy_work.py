"""What a strategy makes on the way to an answer is kept; votes are read by the reader of their arm."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import pytest
from run_fakes import run
from strategy_plays import CHOICE, TASK, play, protocol_of
from test_strategies_c import SAMPLE as STORY

from spatialeval.messages import Response
from spatialeval.models.base import FunctionModel
from spatialeval.run.ablation import ablate
from spatialeval.run.asking import parse_asking
from spatialeval.run.journal import FILE_NAME, Journal
from spatialeval.run.prepare import RunSpec
from spatialeval.run.records import Call, Item, Record
from spatialeval.run.samplefile import row_of
from spatialeval.scores import Reading, Score

GRAPH = '{"objects": [{"name": "lamp"}], "relationships": []}'
TOOL = '<tool>{"name": "rotate", "arguments": {"picture": 1, "degrees": 90}}</tool>'


@pytest.fixture
def protocol(tmp_path):
    return protocol_of(tmp_path)


@pytest.mark.parametrize(
    ("way", "replies", "work"),
    [
        ("plain", ["A"], None),
        ("scene-graph", [GRAPH, "<answer>A</answer>"], {"graph": json.loads(GRAPH)}),
        ("scene-graph", ["no graph", "<answer>A</answer>"], {"graph": None}),
        ("scene-graph(check=true)", [GRAPH, "A"], {"graph": json.loads(GRAPH), "faults": []}),
        ("cognitive-map", ['{"lamp": [(2, 3)]}', "A"], {"map": {"lamp": [(2.0, 3.0)]}}),
        ("cognitive-map", ["no map", "A"], {"map": None}),
        (
            "self-consistency(k=3)",
            ["<answer>A</answer>", "?", "<answer>A</answer>"],
            {"votes": ["A", None, "A"], "elected": "A"},
        ),
        ("self-consistency(k=2)", ["?", "?"], {"votes": [None, None], "elected": None}),
        ("tools", ["<answer>A</answer>"], {"tools": []}),
    ],
)
def test_what_was_made_on_the_way_comes_with_the_answer(protocol, way, replies, work):
    _, response = play(way, CHOICE, protocol, replies)
    assert response.work == work


def test_a_tools_calls_and_what_they_told_are_kept(protocol):
    _, response = play("tools(use=[rotate])", CHOICE, protocol, [TOOL, TOOL.replace("1", "9"), "<answer>A</answer>"])
    first, second = response.work["tools"]
    assert (first["name"], first["arguments"], first["pictures"]) == ("rotate", {"picture": 1, "degrees": 90}, 1)
    assert second["pictures"] == 0
    assert "picture" in second["told"]


def test_the_program_that_was_solved_and_why_others_were_not_are_kept(protocol):
    facts = 'left("A", "B").\nabove("C", "B").\nquery("A", "C").'
    _, response = play("facts-solve", STORY, protocol, [facts])
    assert response.work == {"program": facts.lower(), "relation": "lower-left", "reasons": []}
    _, response = play("facts-solve(repairs=0)", STORY, protocol, ["none"])
    assert response.work["program"] is None
    assert response.work["reasons"]
    _, response = play("facts-rules", STORY, protocol, ["1. A left B.\n2. C above B\n<answer>lower-left</answer>"])
    assert response.work == {"facts": [["A", "left", "B"], ["C", "above", "B"]]}


def test_the_journal_and_the_sample_file_hold_it_and_old_records_load(protocol, tmp_path):
    way = parse_asking("scene-graph")[0]
    given = {"strategy": way, "protocol": protocol, "grader": protocol.strict_grader}
    replies = iter([GRAPH, "<answer>A</answer>"])
    asyncio.run(run([Item(CHOICE)], tmp_path, lambda _: next(replies), **given))
    with Journal.open(tmp_path / FILE_NAME, readonly=True) as journal:
        (record,) = journal.records()
    assert (record.work, record.finish) == ({"graph": json.loads(GRAPH)}, "stop")
    assert "work" not in record.calls[-1].response
    row = row_of(record)
    assert (json.loads(row["work"]), row["finish"]) == (record.work, "stop")
    old = record.as_json()
    del old["work"], old["finish"]
    read = Record.from_json(old)
    assert (read.work, read.finish, read.ended, row_of(read)["work"]) == (None, None, "stop", None)


@pytest.mark.parametrize(
    ("said", "ended"), [(Response("A", "length"), "length"), (Response("B", "length"), "length"), ("B", "stop")]
)
def test_a_record_knows_how_the_text_that_was_read_ended(said, ended):
    call = Call({}, asdict(Response("A", "length")), 0.1)
    record = Record.of(Item(CHOICE), Score(1.0, Reading("A", "r"), "scored"), [call], said)
    assert Record.from_json(record.as_json()).ended == ended


LENIENT = TASK.replace("    generate:", "    parse: {choice: blink_official}\n    generate:").replace(
    '  images: "{{ row.images }}"\n', ""
)


def test_votes_in_a_strict_comparison_are_read_strictly(tmp_path):
    (tmp_path / "plays.yaml").write_text(LENIENT)
    row = {"id": "a", "answer": "choice", "question": "Where?", "choices": ["left", "right"], "target": "B"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    spec = RunSpec(str(tmp_path / "plays.yaml"), "function", data=tmp_path / "rows.jsonl", out=tmp_path / "out")
    drawn = ["It could be (A), but I say **B**."] * 2 + ["(A)"]

    def answer(_):
        return drawn.pop() if drawn else "<answer>A</answer>"

    strategies = ["self-consistency(of=plain, k=3)", "cot"]
    found = ablate(spec, strategies, model=FunctionModel(answer))
    assert (found.reader, found.arms[0].tally.graded["a"].answer) == ("strict", "B")
    own = ablate(spec, strategies, readers="own", model=FunctionModel(answer))  # the same replies, from the journal
    assert own.arms[0].tally.graded["a"].answer == "A"
