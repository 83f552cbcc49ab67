"""Exports: what others read back is what was written, and hostile names stay text."""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pandas as pd
import pytest
import yaml
from graded_runs import make_items, make_manifest, make_records, make_task
from huggingface_hub import ModelCard, ModelCardData

import spatialeval as se
from spatialeval.errors import UsageError
from spatialeval.report.html.board import schema
from spatialeval.report.latex import escaped
from spatialeval.run.results import write_results
from spatialeval.scores import Failure

EVIL = r"\input{/etc/passwd} $x$ 50% a_b & <script> --"


def written(folder, task, data, model, replies=None):
    items, protocol = make_items(task, data), task.protocol()
    manifest = make_manifest()
    manifest["identity"]["model"]["spec"] = model
    write_results(folder, task, protocol, items, make_records(items, protocol, replies), manifest)


@pytest.fixture
def results(tmp_path):
    task, data = make_task(tmp_path)
    written(tmp_path / "out" / "good", task, data, "good", {"near-0": "B", "far-1": "B"})
    written(tmp_path / "out" / "evil", task, data, EVIL)
    written(tmp_path / "out" / "cut", task, data, "cut", {"near-0": Failure("timeout", "late")})
    written(tmp_path / "out" / "random", task, data, "random")
    return tmp_path / "out"


def test_a_model_card_reads_back_what_was_written(results, tmp_path):
    text = se.export(results, format="model-index", model="good")
    card = ModelCard(f"---\n{text}---\n# Good\n")
    found = card.data.eval_results
    assert [(one.metric_name, one.metric_args["n"]) for one in found] == [("overall in % (official, plain)", 16)]
    score = se.load_results(results / "good").runs.loc[0]
    assert found[0].metric_value == round(100 * score["score"], 2)
    assert found[0].metric_args["interval_95"] == [round(100 * score["low"], 2), round(100 * score["high"], 2)]
    again = ModelCardData(model_name="good", eval_results=found)
    assert yaml.safe_load(again.to_yaml())["model-index"] == yaml.safe_load(text)["model-index"]


def test_a_model_card_is_of_one_model_and_of_complete_runs(results):
    with pytest.raises(UsageError, match="name one with --model"):
        se.export(results, format="model-index")
    for model in ("cut", "random"):
        with pytest.raises(UsageError, match="no run of a model is complete"):
            se.export(results, format="model-index", model=model)


def test_latex_shows_names_as_they_are(results):
    text = se.export(results, format="latex")
    assert r"\textbackslash{}input\{/etc/passwd\} \$x\$ 50\% a\_b \& \textless{}script\textgreater{} -{}-" in text
    assert r"\input{" not in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    rows = [line for line in text.splitlines() if line.endswith(r" \\") and "good" in line]
    assert len(rows) == 1
    assert "[" in rows[0]
    assert "cut (incomplete: 15 of 16)" in text


def test_every_special_sign_of_latex_is_escaped():
    assert escaped("a-b") == "a-b"
    assert escaped("\x1b^~") == "\N{REPLACEMENT CHARACTER}" + r"\textasciicircum{}\textasciitilde{}"


def test_tables_and_the_leaderboard_are_the_report_s(results, tmp_path):
    se.report(results, out=tmp_path / "page")
    for form, name in (("markdown", "leaderboard.md"), ("csv", "leaderboard.csv"), ("json", "leaderboard.json")):
        assert se.export(results, format=form) == (tmp_path / "page" / name).read_text()
    jsonschema.validate(json.loads(se.export(results, format="json")), json.loads(schema()))
    assert len(list(csv.DictReader(io.StringIO(se.export(results, format="csv"))))) == 4


def test_parquet_has_every_sample_of_every_run_with_its_names(results, tmp_path):
    file = tmp_path / "deep" / "all.parquet"
    assert se.export(results, format="parquet", out=file) is None
    frame = pd.read_parquet(file)
    assert len(frame) == 64
    assert frame.columns[:5].tolist() == ["run", "task", "protocol", "strategy", "model"]
    scores = frame.groupby("model", observed=True)["score"].agg(["mean", "count"])
    assert scores.loc["cut"].tolist() == [1, 15]
    loaded = se.load_results(results).samples
    assert sorted(loaded["key"]) == sorted(frame["key"])


def test_files_are_written_and_wrong_names_told(results, tmp_path):
    assert se.export(results, format="latex", out=tmp_path / "table.tex", model="good") is None
    assert "good" in (tmp_path / "table.tex").read_text()
    with pytest.raises(UsageError, match="name a file"):
        se.export(results, format="parquet")
    with pytest.raises(UsageError, match="no run is of model 'goad'"):
        se.export(results, model="goad")
