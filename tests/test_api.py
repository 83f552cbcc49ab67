"""The Python interface: what it returns, how it shows itself, and that it works inside a running event loop."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import signal
import subprocess
import sys
import threading

import pytest
from command import spatialeval
from graded_runs import make_task

import spatialeval as se
from spatialeval import api
from spatialeval.api.asking import named_model
from spatialeval.api.shown import Shown
from spatialeval.cli.where import NAMES as WHERE
from spatialeval.errors import DataError, MissingDataError, RunChangedError, StorageError, UsageError
from spatialeval.run.experiment import Experiment, ModelEntry
from spatialeval.run.manifest import Manifest
from spatialeval.run.stopping import RunInterrupted

SCENES = "scenes:easy(rows=12)"
ENTRIES = {*ModelEntry.model_fields, *Experiment.model_fields, *WHERE}


def always_b(request):
    return "B"


@pytest.fixture
def runs(tmp_path):
    return se.run(SCENES, ["random", "oracle"], out=tmp_path / "results")


def test_runs_have_numbers_samples_and_tables(runs):
    assert len(runs) == 2
    assert runs.complete
    assert [run.score.mean for run in runs][1] == pytest.approx(1)
    assert runs.frame["model"].tolist() == ["random", "oracle"]
    assert len(runs[1].samples) == 12
    assert "random" in repr(runs)
    assert "oracle" in str(runs[1:])
    assert runs[0].folder.is_dir()


def test_the_same_call_resumes_and_the_manifest_has_it(tmp_path):
    asked = []

    def model(request):
        asked.append(request)
        return "yes"

    first = se.run(SCENES, model, out=tmp_path, limit=5)
    se.run(SCENES, model, out=str(tmp_path), limit=12)
    assert len(asked) == 12
    command = Manifest.read(first[0].folder).sessions[0].command
    assert command[:2] == ["python", "-c"]
    assert "spatialeval.run(task='scenes:easy(rows=12)', model=model, limit=5" in command[2]


def test_a_function_that_has_changed_does_not_go_on_with_another_one_s_answers(tmp_path):
    se.run(SCENES, lambda request: "A", out=tmp_path)
    se.run(SCENES, lambda request: "A", out=tmp_path)
    with pytest.raises(RunChangedError):
        se.run(SCENES, lambda request: "B", out=tmp_path)
    assert se.run(SCENES, lambda request: "B", out=tmp_path, fresh=True).complete


def test_functions_of_one_maker_are_told_apart_by_what_they_were_made_with():
    def saying(word, times=0):
        def say(request):
            nonlocal times
            times += 1
            return word

        return say

    left, right = (named_model(saying(word))[1] for word in ("left", "right"))
    before = left.identity()
    assert before != right.identity()
    left.function(None)
    assert left.identity() == before == named_model(saying("left"))[1].identity()


def test_coroutine_functions_and_opened_models_answer_too(tmp_path):
    async def slow(request):
        await asyncio.sleep(0)
        return se.Response("B")

    named = se.FunctionModel(always_b, name="mine")
    found = se.run(SCENES, [slow, named], out=tmp_path)
    assert found.frame["model"].tolist() == ["slow", "mine"]


async def test_everything_works_while_an_event_loop_is_running(tmp_path):
    found = se.run(SCENES, ["random", always_b], out=tmp_path / "runs")
    assert len(se.compare(*found).comparison.others) == 1
    ablated = se.ablate(always_b, SCENES, ["plain", "cot"], out=tmp_path / "ablate")
    assert "tie with plain" in str(ablated)
    survived = se.robust(always_b, SCENES, transforms=["mirror"], out=tmp_path / "robust")
    assert [row.name for row in survived.tasks[0].rows] == ["mirror"]
    assert json.dumps([ablated.as_json(), survived.as_json()], default=str)


async def test_the_stop_button_of_a_notebook_ends_a_run_and_keeps_its_answers(tmp_path):
    answered = []

    async def model(request):
        if len(answered) == 3:
            threading.Timer(0.05, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
        await asyncio.sleep(0.02 if len(answered) < 3 else 0.2)
        answered.append(request)
        return "B"

    model = se.FunctionModel(model, name="slow", concurrency=1)
    with pytest.raises(RunInterrupted):
        se.run(SCENES, model, out=tmp_path)
    assert 3 < len(answered) < 12
    se.run(SCENES, model, out=tmp_path)
    assert len(answered) <= 13


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda out: se.run([], "random", out=out), "at least one task"),
        (lambda out: se.run(SCENES, [], out=out), "at least one model"),
        (lambda out: se.run(SCENES, 7, out=out), "is no model"),
        (lambda out: se.run(SCENES, "random", out=out, limt=3), "no option 'limt'"),
        (lambda out: se.run(SCENES, "random", out=out, batch_size=0), "batch_size is 0"),
        (lambda out: se.run([SCENES, "maze"], "random", out=out, data="x"), "belong to one task"),
        (lambda out: se.power(), "--score"),
        (lambda out: se.power(score=60, points=0), "not 0"),
        (lambda out: se.power(score=60, group_size=0.5), "no design"),
        (lambda out: se.export(out, format="xml"), "no format 'xml'"),
        (lambda out: se.report(), "at least one folder"),
    ],
)
def test_bad_arguments_are_told_as_such(tmp_path, call, said):
    with pytest.raises(UsageError, match=said):
        call(tmp_path)


def test_calls_that_cost_money_need_a_yes_when_they_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["spatialeval.api.running"], "MANY_CALLS", 5)
    paid = se.FunctionModel(always_b, name="paid")
    paid.hosted = True
    with pytest.raises(UsageError, match="yes=True"):
        se.run(SCENES, paid, out=tmp_path)
    assert se.run(SCENES, paid, out=tmp_path, yes=True).complete


def test_comparisons_list_what_flipped(runs):
    found = se.compare(*runs, why=True)
    assert found.flips["gained"].all()
    assert set(found.flips["run"]) == {"oracle"}
    assert [step.name for step in found.gaps[0].steps][-1] == "replies"
    assert found.as_json()["why"]


# Saved replies


def replies(samples, letter=None):
    return {one.id: letter or str(one.target) for one in samples}


@pytest.fixture
def sides(tmp_path):
    task, data = make_task(tmp_path)
    return str(tmp_path / "sides.yaml"), data, task.samples(data)


def test_replies_are_scored_from_a_mapping_or_a_file(sides, tmp_path):
    task, data, samples = sides
    found = se.score(task, replies(samples), data=data, model="mine")
    assert (found.score.mean, found.summary.about.model, found.complete) == (pytest.approx(1), "mine", True)
    file = tmp_path / "replies.jsonl"
    file.write_text("".join(json.dumps({"id": one.id, "response": "A"}) + "\n" for one in samples))
    both = se.score(task, file, data=data, protocol=["official", "lenient"])
    assert both.summary.about.model == "replies.jsonl"
    assert len(both.compared.differing) == 4
    assert "under 2 protocols" in str(both)


def test_scored_replies_make_a_run_that_compare_and_report_take(sides, tmp_path):
    task, data, samples = sides
    for name, letter in (("right", None), ("guess", "A")):
        se.score(task, replies(samples, letter), data=data, model=name, out=tmp_path / "runs" / name)
    found = se.compare(tmp_path / "runs" / "right", tmp_path / "runs" / "guess")
    assert not found.comparison.remarks
    assert [setting.name for setting in found.comparison.differing] == ["model"]
    board = se.report(tmp_path / "runs", out=tmp_path / "page").board
    assert {run.model for run in board.runs} == {"right", "guess"}
    assert board.runs[0].data == Manifest.read(tmp_path / "runs" / "right").identity["data"]


def test_scored_replies_replace_each_other_but_never_a_run(sides, tmp_path):
    task, data, samples = sides
    out = tmp_path / "scored"
    se.score(task, replies(samples), data=data, out=out)
    assert se.score(task, replies(samples, "A"), data=data, out=out).score.mean < 1
    assert se.load_results(out).runs["score"][0] < 1
    asked = se.run(task, "oracle", data=data, out=tmp_path / "results")[0]
    with pytest.raises(StorageError, match="would replace"):
        se.score(task, replies(samples, "A"), data=data, out=asked.folder)
    assert se.load_results(asked.folder).runs["score"][0] == pytest.approx(1)


def test_the_command_writes_the_same(sides, tmp_path):
    task, data, samples = sides
    file = tmp_path / "replies.jsonl"
    file.write_text("".join(json.dumps({"id": one.id, "response": "A"}) + "\n" for one in samples))
    spatialeval("score", task, file, "--data", data, "--model", "mine", "--out", tmp_path / "scored")
    manifest = Manifest.read(tmp_path / "scored")
    assert manifest.identity["model"]["spec"] == "mine"
    assert manifest.identity["import"]["file"] == "replies.jsonl"
    assert manifest.sessions[0].status == "finished"


def test_replies_to_other_questions_and_absent_files_are_refused(sides):
    task, data, _ = sides
    with pytest.raises(DataError, match="ids that task"):
        se.score(task, {"nobody": "A"}, data=data)
    assert se.score(task, {"nobody": "A", "near-0": "A"}, data=data, ignore_unknown=True).summary.counts.scored == 1
    with pytest.raises(MissingDataError, match="no file"):
        se.score(task, "absent.jsonl", data=data)


# Showing


def test_what_a_notebook_shows_is_escaped(sides, tmp_path):
    task, data, samples = sides
    evil = "<script>alert(1)</script>\x1b[31m\u202e"
    found = se.score(task, replies(samples), data=data, model=evil)
    html = found._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert not {"\x1b", "\u202e"} & set(html + str(found))
    assert html.startswith("<pre")


def test_every_result_shows_itself(runs):
    for shown in (runs, runs[0], se.compare(*runs), se.power(score=60), se.power(*runs)):
        assert isinstance(shown, Shown)
        assert shown.__repr__() == str(shown).strip("\n") != ""
        assert "</pre>" in shown._repr_html_()


# The package


def test_functions_with_the_name_of_a_subpackage_stay_callable():
    import spatialeval.report.table
    import spatialeval.run.execute

    assert list(inspect.signature(se.run).parameters)[:2] == ["task", "model"]
    assert "plots" in inspect.signature(se.report).parameters
    assert spatialeval.run.execute.RunSpec
    assert spatialeval.report.table.print_summary


def test_importing_the_package_imports_nothing_else():
    code = "import sys, spatialeval; print([name for name in sys.modules if name.startswith('spatialeval.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['spatialeval._version']"


@pytest.mark.parametrize("name", ["score", "compare", "ablate", "robust", "power", "report", "export"])
def test_arguments_are_called_as_the_options(name):
    command = importlib.import_module(f"spatialeval.cli.{name}").command
    flags = {flag.lstrip("-").replace("-", "_") for each in command.params for flag in each.opts if "--" in flag}
    parameters = set(inspect.signature(getattr(api, name)).parameters)
    if "asking" in parameters:
        parameters |= set(inspect.signature(api.run).parameters) | ENTRIES
    assert flags <= parameters | {"json", "flipped", "plots", "differ", "strategies"}


def test_every_key_of_an_experiment_is_an_argument_of_run(tmp_path):
    more = {"cache": tmp_path / "cache", "rpm": 6000}
    assert se.run(SCENES, always_b, out=tmp_path, **more).complete
    assert (tmp_path / "cache").is_dir()
