"""What survives a transform: said on the questions it changed, with the answers compared under its label map."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from command import spatialeval

from spatialeval.errors import DataError, ModelError, UsageError
from spatialeval.models.base import FunctionModel
from spatialeval.report.robustness import as_json, print_robustness
from spatialeval.report.table import make_console
from spatialeval.run.prepare import NothingToAskError, RunSpec, prepare
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.robustness import robust, transforms, variation

YAML = """\
spec: 1
id: lamps
about: {title: "Lamps, a test", license: none, abilities: [relation]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  answer: choice
  question: "Which lamp is {{ row.id }}?"
  choices: "{{ row.options }}"
  target: "{{ row.gold }}"
protocols:
  official:
    source: here
    question: "{{ question }}{% for o in options %}\\n{{ o.letter }}. {{ o.text }}{% endfor %}"
"""
ROWS = [{"id": f"r{i}", "options": ["red", "green", "blue"], "gold": "ABC"[i % 3]} for i in range(30)]
ROWS += [{"id": f"both{i}", "options": ["red", "green", "both of the above"], "gold": "A"} for i in range(3)]


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


def row_of(found, name):
    return next(row for row in found.rows if row.name == name)


def test_a_constant_letter_survives_no_circular_evaluation(spec):
    row = row_of(robust(spec, ["circular"], model=FunctionModel(lambda _: "A")), "circular")
    assert (row.applied, row.total, row.kind) == (30, 33, "invariant")
    assert (row.plain.mean, row.changed.mean, row.both.mean) == pytest.approx((1 / 3, 1 / 3, 0))
    assert (row.consistent.mean, row.consistent.n) == (0, 60)
    assert row.bias[0] == pytest.approx(2 / 3)
    assert sum(row.skipped.values()) == 3


def test_the_right_answer_survives_everything(spec):
    found = robust(spec, model=FunctionModel(lambda request: request.form(request.sample.target)))
    assert found.rows
    for row in found.rows:
        assert (row.plain.mean, row.changed.mean, row.both.mean) == (1, 1, 1), row.name
        assert row.gap.tie
        assert row.consistent is None or row.consistent.mean == 1


def test_one_content_said_always_is_consistent_and_right_only_where_it_is_right(spec):
    def red(request):
        return request.sample.letters[request.sample.choices.index("red")]

    row = row_of(robust(spec, ["circular"], model=FunctionModel(red)), "circular")
    assert row.consistent.mean == 1
    assert row.both.mean == row.plain.mean == pytest.approx(1 / 3)


def test_a_sample_with_a_failed_form_is_in_no_number(spec):
    def failing(request):
        # Two forms of r0 have red elsewhere than first, and one of them gets no answer.
        if "r0?" in request.messages[-1].text and request.sample.choices[0] == "blue":
            raise ModelError("no route", kind="server_error")
        return request.sample.target

    row = row_of(robust(spec, ["circular"], model=FunctionModel(failing)), "circular")
    assert (row.failed, row.both.n, row.both.mean) == (1, 29, 1)


def test_transforms_that_apply_to_nothing_are_named_with_their_reason(spec):
    found = robust(spec, model=FunctionModel(lambda _: "A"))
    assert "undeclared" in found.inapplicable["mirror"]
    with pytest.raises(UsageError, match=r"mirror: .*undeclared"):
        robust(spec, ["mirror"], model=FunctionModel(lambda _: "A"))


def test_views_in_the_strategy_are_refused(spec):
    with pytest.raises(UsageError, match="a strategy alone"):
        robust(replace(spec, strategy="plain+blind"), model=FunctionModel(lambda _: "A"))


def test_pairs_are_no_transforms_of_their_own():
    names = transforms()
    assert "flip" not in names
    assert {"mirror", "circular", "polarity", "blank", "blind"} <= set(names)


def test_total_variation_of_letters():
    assert variation([("A", "A"), ("B", "B")]) == 0
    assert variation([("A", "A"), ("A", "B")]) == 0.5
    assert variation([("A", "B"), ("A", "B")]) == 1


def test_table_and_json_hold_the_same(spec, capsys):
    found = robust(spec, ["circular", "option-shuffle"], model=FunctionModel(lambda _: "A"))
    print_robustness(found, make_console())
    printed = capsys.readouterr().out
    assert "circular" in printed
    assert "circular leaves out 3" in printed
    json.dumps(as_json(found))


def test_the_command_runs_resumes_and_writes(spec, tmp_path):
    command = (
        "robust", "oracle", "-t", spec.task, "--data", str(spec.data), "--transforms", "circular",
        "--out", str(spec.out), "--json", str(tmp_path / "r.json"),
    )  # fmt: skip
    first, second = spatialeval(*command), spatialeval(*command)
    assert (first.code, second.code) == (0, 0)
    (data,) = json.loads((tmp_path / "r.json").read_text())
    assert data["transforms"][0]["both"]["mean"] == 1


def test_a_strategy_that_needs_the_picture_asks_nothing_without_it():
    with pytest.raises(NothingToAskError, match="blind: tools: its tools work on pictures"):
        prepare(RunSpec("scenes", "oracle", strategy="tools+blind", limit=2))


def test_transforms_with_options_are_named_in_one_list(spec):
    command = ("robust", "oracle", "-t", spec.task, "--data", str(spec.data), "--out", str(spec.out))
    result = spatialeval(*command, "--transforms", "option-shuffle(seed=1, order=reverse),circular")
    assert result.code == 0
    assert "option-shuffle" in result.text
    assert "circular" in result.text


def test_what_a_checkpoint_was_trained_on_is_said(tmp_path, spec, capsys):
    (tmp_path / "spatialeval-training.json").write_text('{"format": 1, "families": ["options", "mirror"]}')
    found = robust(replace(spec, model=f"hf:{tmp_path}"), ["circular"], model=FunctionModel(lambda _: "A"))
    print_robustness(found, make_console())
    printed = " ".join(capsys.readouterr().out.split())
    assert "The checkpoint was trained on: mirror, options. In distribution: circular." in printed
    assert as_json(found)["trained"] == ["mirror", "options"]


@pytest.mark.parametrize("text", ["{", '{"format": 2, "families": []}', '{"format": 1}'])
def test_a_damaged_note_about_the_training_is_refused(tmp_path, spec, text):
    (tmp_path / "spatialeval-training.json").write_text(text)
    with pytest.raises(DataError, match=r"spatialeval-training\.json cannot be read"):
        robust(replace(spec, model=f"hf:{tmp_path}"), ["circular"], model=FunctionModel(lambda _: "A"))
