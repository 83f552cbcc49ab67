"""What each way of asking is worth: the same samples, the same reader, the same cap, and honest words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from command import spatialeval

from spatialeval.errors import ModelError, UsageError
from spatialeval.messages import Response
from spatialeval.models.base import FunctionModel
from spatialeval.report.ablation import as_json, print_ablation, verdicts
from spatialeval.report.table import make_console
from spatialeval.run.ablation import ablate
from spatialeval.run.prepare import RunSpec
from spatialeval.run.retry import RetryPolicy
from spatialeval.stats.paired import holm, mcnemar

YAML = """\
spec: 1
id: sides
about: {title: "Sides, a test", license: none, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  category: "{{ row.kind }}"
  answer: choice
  question: "{{ row.id }}: left or right?"
  choices: [left, right]
  target: A
protocols:
  official: {source: here, parse: {choice: blink_official}, instruction: " Letter.", generate: {max_tokens: 16}}
aggregate: [{name: overall, mean_of: [near, far], headline: true}]
"""
ROWS = [{"id": f"{kind}{number}", "kind": kind} for kind in ("near", "far") for number in range(20)]


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "task.yaml").write_text(YAML)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return RunSpec(
        str(tmp_path / "task.yaml"),
        "function",
        data=tmp_path / "rows.jsonl",
        out=tmp_path / "out",
        retry=RetryPolicy(attempts=1),
    )


def thinking(request):
    return "Letter." not in request.messages[-1].text


def model(plain, cot):
    """Answer as the two functions say for a sample id under plain and under cot."""
    return FunctionModel(lambda request: (cot if thinking(request) else plain)(request.sample.id))


def number(name):
    return int(name.lstrip("nearf"))


def right_below(limit, reply="{}"):
    return lambda name: reply.format("A" if number(name) < limit else "B")


def test_differences_are_paired_weighted_by_the_task_and_corrected_for_their_number(spec):
    found = ablate(spec, ["plain", "cot"], model=model(right_below(8), right_below(16, "<answer>{}</answer>")))
    far, near, overall, micro = found.rows[1]
    assert [cell.name for cell in found.rows[1]] == ["far", "near", "overall", "micro (samples)"]
    assert micro.paired.n == 40
    assert (overall.base, overall.score, overall.paired.difference) == (0.4, 0.8, pytest.approx(0.4))
    assert (near.paired.better, near.paired.worse, near.paired.p) == (8, 0, mcnemar(8, 0))
    raw = [cell.paired.p for cell in found.rows[1]]
    assert [cell.p for cell in found.rows[1]] == pytest.approx(holm(raw))
    assert verdicts(found) == ["cot: gain of 40.0 points."]
    assert (found.cap, found.reader) == (1024, "strict")
    assert far.paired.n == 20


def test_all_arms_have_the_same_cap_and_the_same_reader(spec):
    seen = {}

    def answer(request):
        seen[thinking(request)] = request.settings.max_tokens
        return "It could be (B), but I say **A**."

    same = ablate(spec, ["plain", "cot"], model=FunctionModel(answer))
    assert seen == {False: 1024, True: 1024}
    assert (same.rows[1][-1].base, same.rows[1][-1].score) == (1, 1)
    own = ablate(
        replace(spec, out=spec.out / "own"), ["plain", "cot"], readers="own", caps="own", model=FunctionModel(answer)
    )
    assert seen == {False: 16, True: 1024}
    assert (own.reader, own.cap) == ("own", None)
    # The published rule takes the bracketed letter, the strict one the final statement.
    assert (own.rows[0][-1].score, own.rows[1][-1].score) == (0, 1)


@pytest.mark.parametrize(
    ("strategies", "asked", "cap"),
    [
        (["plain", "cot"], None, 1024),
        (["plain", "cot"], 64, 64),  # what is asked for by name holds, also where it is less
        (["plain", "cot(max_tokens=40)"], None, 40),
        (["plain", "cot"], 2048, 2048),
        (["plain", "scene-graph(max_tokens=6000)"], None, 6000),  # its first call has 4000
    ],
)
def test_all_calls_of_all_arms_have_one_cap(spec, strategies, asked, cap):
    seen = set()

    def answer(request):
        seen.add(request.settings.max_tokens)
        return "<answer>A</answer>"

    found = ablate(replace(spec, max_tokens=asked), strategies, model=FunctionModel(answer))
    assert (seen, found.cap) == ({cap}, cap)


def test_a_gain_that_is_one_of_format_is_called_so(spec):
    def rambling(name):
        return "I cannot decide." if number(name) < 10 else "A" if number(name) % 2 else "B"

    def tagged(name):
        return "<answer>A</answer>" if number(name) < 10 or number(name) % 2 else "<answer>B</answer>"

    found = ablate(spec, ["plain", "cot"], model=model(rambling, tagged))
    (sentence,) = verdicts(found)
    assert "gain of 50.0 points, which is a formatting gain: unread replies go from 50.0 to 0.0 %" in sentence
    assert "on the 20 questions that both answered readably the two tie" in sentence


def test_a_tie_is_called_a_tie(spec):
    found = ablate(spec, ["plain", "cot"], model=model(right_below(10), right_below(11, "<answer>{}</answer>")))
    assert verdicts(found) == ["cot: tie with plain (the interval holds zero)."]


def test_a_question_without_an_answer_is_in_no_comparison(spec):
    def failing(request):
        if thinking(request) and number(request.sample.id) < 5:
            raise ModelError("no route", kind="server_error")
        return "A"

    found = ablate(spec, ["plain", "cot"], model=FunctionModel(failing))
    overall = found.rows[1][2]
    assert (overall.paired.n, overall.paired.difference, found.arms[1].effort.failed) == (30, 0, 10)
    assert "cot 10" in verdicts(found)[-1]


def test_a_blind_arm_pairs_with_the_same_questions(spec):
    found = ablate(spec, ["plain", "plain+blind"], model=FunctionModel(lambda _: "A"))
    assert found.rows[1][0].paired.n == 20


def test_effort_counts_calls_and_tokens(spec):
    from spatialeval.messages import Usage

    found = ablate(spec, ["plain", "cot"], model=FunctionModel(lambda _: Response("A", usage=Usage(100, 7))))
    effort = found.arms[1].effort
    assert (effort.calls, effort.prompt_tokens, effort.completion_tokens) == (40, 4000, 280)


def test_the_table_and_the_json_say_the_same(spec, capsys):
    found = ablate(spec, ["plain", "cot"], model=model(right_below(8), right_below(16, "<answer>{}</answer>")))
    print_ablation(found, make_console())
    printed = capsys.readouterr().out
    assert "+40.0" in printed
    data = as_json(found)
    assert data["arms"][1]["rows"][2]["difference"] == pytest.approx(0.4)
    json.dumps(data)


@pytest.mark.parametrize("strategies", [["plain"], ["plain", "plain"]])
def test_an_ablation_needs_two_different_arms(spec, strategies):
    with pytest.raises(UsageError, match="two different"):
        ablate(spec, strategies, model=FunctionModel(lambda _: "A"))


def test_the_command_asks_prints_and_writes_and_asks_nothing_twice(spec, tmp_path):
    command = (
        "ablate", "oracle", "-t", spec.task, "-s", "plain,cot(max_tokens=64)", "--data", str(spec.data),
        "--out", str(spec.out), "--json", str(tmp_path / "a.json"),
    )  # fmt: skip
    first, second = spatialeval(*command), spatialeval(*command)
    assert (first.code, second.code) == (0, 0)
    assert "cot(max_tokens=64): tie with plain" in first.text
    assert json.loads((tmp_path / "a.json").read_text())[0]["cap"] == 64


def test_nothing_is_asked_before_all_arms_are_agreed_to(spec):
    def no(runs):
        assert [ready.spec.strategy for ready in runs] == ["plain", "cot"]
        raise UsageError("too dear")

    def never(_):
        raise AssertionError

    with pytest.raises(UsageError, match="too dear"):
        ablate(spec, ["plain", "cot"], model=FunctionModel(never), agree=no)


@pytest.mark.parametrize(
    ("task", "options"),
    [("scenes:easy(rows=60)", ()), ("stepgame:valid", ("-p", "zero_shot", "-n", "500"))],
)
def test_the_embedded_model_is_compared_end_to_end(realdata, tmp_path, task, options):
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    data = ("--data", str(realdata / "stepgame" / "original")) if task.startswith("stepgame") else ()
    ran = spatialeval(
        "ablate", "embedded", "-t", task, "-s", "plain,cot", *data, *options, "--batch-size", "32",
        "--out", str(tmp_path / "out"), "--json", str(tmp_path / "a.json"),
    )  # fmt: skip
    assert ran.code == 0, ran
    (found,) = json.loads((tmp_path / "a.json").read_text())
    plain, cot = found["arms"]
    assert plain["items"] == cot["items"] == (500 if data else 60)
    assert (plain["failed"], cot["failed"]) == (0, 0)
    for row in cot["rows"]:
        if row["method"] == "mcnemar":
            differing = row["better"] + row["worse"]
            wanted = stats.binomtest(row["better"], differing).pvalue if differing else 1.0
            assert row["p"] == pytest.approx(wanted)
