"""Options that cannot work, models that cannot run here, runs that are not finished: what to do instead."""

from __future__ import annotations

import json
import sys

import pytest
from command import letters, refused, serving, spatialeval, summary_of

from spatialeval.errors import UsageError
from spatialeval.models import ModelOptions, open_model
from spatialeval.models.base import Model
from spatialeval.run.breaker import Breaker
from spatialeval.scores import Failure


@pytest.mark.parametrize("model", ["random", "constant:A"])
def test_what_runs_here_costs_nothing_whatever_the_limit_and_the_price(tmp_path, model):
    limits = ("--max-cost", "0.01", "--price", "in=1000000,out=1000000")
    ran = spatialeval("run", *letters(tmp_path), "-m", model, *limits, "--out", tmp_path / "out")
    assert ran.code == 0, ran
    assert summary_of(tmp_path / "out")["complete"]


def test_every_model_in_this_process_is_free():
    made = [open_model(spec, ModelOptions(price="in=1,out=1")) for spec in ("embedded", "hf:a/b", "vllm:a/b", "oracle")]
    assert all(model.free and model.quote is None for model in made)
    assert not open_model("openai:gpt-4o").free


def test_the_price_of_the_hosted_api_is_not_that_of_a_server_with_a_model_of_its_name(tmp_path):
    server = ("--base-url", "http://127.0.0.1:9/v1", "--max-cost", 1)
    told = refused("run", *letters(tmp_path), "-m", "openai:gpt-4o", *server, "--out", tmp_path / "out")
    assert "the price in the table is that of the hosted API" in told
    assert "--price in=" in told


@pytest.mark.parametrize(
    ("command", "way"), [("ablate", ("-s", "plain,cot")), ("robust", ("--transforms", "option-shuffle"))]
)
def test_comparisons_start_over_with_fresh_and_take_a_temperature_and_a_cache(tmp_path, command, way):
    asked = (command, "random", *letters(tmp_path), *way, "--out", tmp_path / "out")
    assert spatialeval(*asked).code == 0
    assert "--fresh" in refused(*asked, "--temperature", "0.5")
    ran = spatialeval(*asked, "--temperature", "0.5", "--fresh", "--cache", tmp_path / "cache")
    assert ran.code == 0, ran
    moved = list((tmp_path / "out").rglob("*.old-*"))
    assert len(moved) == 2
    assert all(f"What was there before is in {folder}." in ran.text for folder in moved)
    settings = [json.loads(file.read_text()) for file in (tmp_path / "out").rglob("manifest.json")]
    assert any("0.5" in json.dumps(each["identity"]) for each in settings)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-m", "random", "-s", "plain,cot"), "Name each by itself: -s plain -s cot"),
        (("-m", "random", "--batch"), "random has no batch API: --batch is for openai: models"),
        (("-m", "embedded", "--base-url", "http://127.0.0.1:9/v1"), "embedded runs here, behind no server"),
        (("-m", "random", "--cache-sampled"), "add --cache FOLDER"),
        (("-m", "random", "--ray-cpus", "2"), "--ray-cpus belong to --executor ray"),
    ],
)
def test_an_option_that_would_be_ignored_or_is_written_wrongly_is_refused(tmp_path, options, said):
    assert said in refused("run", *letters(tmp_path), *options, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_task_in_the_place_of_an_experiment_is_told_its_option():
    told = refused("run", "scenes:easy(rows=24)", "-m", "random")
    assert "is a task" in told
    assert "-t 'scenes:easy(rows=24)' -m MODEL" in told


def test_an_unknown_name_in_an_experiment_is_told_with_its_line_and_key(tmp_path):
    file = tmp_path / "e.yaml"
    for text, place in (
        ("models: [random]\ntasks:\n- maze\n- maz\n", ":4: tasks.1: There is no task"),
        ("models:\n- orakel\ntasks: [maze]\n", ":2: models.0: There is no model"),
        ("models: [{spc: a}]\ntasks: [maze]\n", ":1: models.0.spc: "),
        ("models: [{spec: random, base_url: 'http://h/v1'}]\ntasks: [maze]\n", ":1: models.0: random runs here"),
    ):
        file.write_text(text)
        assert f"{file}{place}" in refused("run", file)


@pytest.mark.parametrize(("spec", "module"), [("hf:a/b", "torch"), ("vllm:a/b", "vllm"), ("vllm-serve:a/b", "vllm")])
def test_a_model_whose_packages_are_missing_says_so_before_it_is_looked_up(tmp_path, monkeypatch, spec, module):
    monkeypatch.setitem(sys.modules, module, None)
    run = ("run", *letters(tmp_path), "-m", spec, "--out", tmp_path / "out")
    for told in (refused(*run), refused(*run, "-m", "random")):
        assert f"no module named '{module}'" in told
        assert "pip install 'spatialeval[" in told
    assert not list((tmp_path / "out").rglob("manifest.json"))


@pytest.mark.parametrize("more", [(), ("-m", "constant:A")], ids=["one run", "several"])
def test_where_all_is_answered_no_package_of_the_model_is_needed(tmp_path, monkeypatch, more):
    def missing(model):
        raise UsageError(f"{model.spec} needs more packages")

    asked = ("run", *letters(tmp_path), "-m", "random", *more, "--out")
    assert spatialeval(*asked, tmp_path / "out").code == 0
    monkeypatch.setattr(Model, "check_installed", missing)
    again = spatialeval(*asked, tmp_path / "out")
    assert again.code == 0, again
    assert "needs more packages" in refused(*asked, tmp_path / "out", "--fresh")
    assert "needs more packages" in refused(*asked, tmp_path / "other")
    assert not list(tmp_path.rglob("*.old-*"))


def test_plots_without_matplotlib_are_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    asked = (*letters(tmp_path), "--plots", tmp_path / "plots", "--out", tmp_path / "out")
    assert "pip install 'spatialeval[plots]'" in refused("ablate", "random", *asked, "-s", "plain,cot")
    assert not (tmp_path / "out").exists()


def test_a_server_without_a_batch_api_says_to_leave_batch_out(tmp_path):
    with serving() as server:
        options = ("-m", "openai:m", "--base-url", server.base_url, "--batch", "--out", tmp_path / "out")
        ran = spatialeval("run", *letters(tmp_path), *options)
    assert ran.code == 2, ran
    assert "there is no batch API" in ran.text
    assert "Leave --batch out" in ran.text


def test_a_message_that_ends_with_a_question_gets_no_full_stop():
    assert "lack /v1? Correct" in str(Breaker().note(Failure("not_found", "Does the base URL lack /v1?", 1)))


def test_an_undeclared_transform_names_the_section_that_declares_it(tmp_path):
    told = refused("robust", "random", *letters(tmp_path), "--transforms", "turn", "--out", tmp_path / "out")
    assert "`robustness: turn` in " in told


def test_an_unfinished_run_and_missing_shards_are_told_with_their_command(tmp_path, monkeypatch):
    task = [str(word) for word in letters(tmp_path)]
    out = tmp_path / "out"
    command = ["spatialeval", "run", *task, "-m", "random", "--out", str(out), "--shard", "1/2"]
    monkeypatch.setattr(sys, "argv", command)
    assert spatialeval(*command[1:]).code == 0
    wanted = " ".join([*command[:-1], "2/2"])
    (shards,) = out.rglob("*.shards")
    assert wanted in spatialeval("show", out).text
    assert wanted in refused("merge", shards)
    assert wanted in spatialeval("merge", shards, "--partial").text
    monkeypatch.setattr(sys, "argv", [*command[:-1], "2/2"])
    assert spatialeval(*command[1:-1], "2/2").code == 0
    assert "spatialeval merge" in spatialeval("show", out).text
    assert spatialeval("merge", shards).code == 0
    assert "merge" not in spatialeval("show", out).text
    for file in out.rglob("summary.json"):
        file.unlink()
    run = shards.with_name(shards.name.removesuffix(".shards"))
    assert "go on with it: spatialeval " in spatialeval("show", run).text
    assert "go on with it: spatialeval " in refused("export", run)
