"""Results as DataFrames: every run, every item, scores that failures have no part in."""

from __future__ import annotations

import pandas as pd
import pytest
from graded_runs import make_items, make_manifest, make_records, make_task

import spatialeval as se
from spatialeval.errors import StorageError, UsageError
from spatialeval.run.judgecheck import FILE_NAME as CHECK
from spatialeval.run.loading import load_results
from spatialeval.run.results import write_results
from spatialeval.run.samplefile import COLUMNS
from spatialeval.scores import Failure


@pytest.fixture
def results(tmp_path):
    task, data = make_task(tmp_path)
    items, protocol = make_items(task, data), task.protocol()
    out = tmp_path / "out"
    for name, replies in (
        ("right", {}),
        ("worse", {"near-0": "B", "near-1": "hm", "far-0": Failure("timeout", "late")}),
    ):
        write_results(
            out / "sides" / name, task, protocol, items, make_records(items, protocol, replies), make_manifest()
        )
    return out


def test_there_is_a_row_per_run_with_its_headline(results):
    runs = load_results(results).runs
    assert runs["run"].tolist() == ["sides/right", "sides/worse"]
    assert runs["score"].tolist()[0] == 1
    assert runs.loc[1, ["headline", "total", "scored", "unparsed", "failed", "complete"]].tolist() == [
        "overall", 16, 14, 1, 1, False,
    ]  # fmt: skip
    assert runs.loc[1, "low"] < runs.loc[1, "score"] < runs.loc[1, "high"]
    assert runs.loc[0, "prompt_tokens"] == 1600


def test_there_is_a_row_per_item_that_names_its_run(results):
    samples = load_results(str(results)).samples
    assert len(samples) == 32
    assert samples.groupby("run", observed=True).size().to_dict() == {"sides/right": 16, "sides/worse": 16}
    assert set(samples.columns) == {"run", "task", "protocol", "strategy", "model", *COLUMNS} - {"calls", "judge"}
    assert str(samples["model"].dtype) == "category"


def test_a_mean_leaves_failures_out_as_the_summary_does(results):
    held = load_results(results)
    means = held.samples.groupby(["run", "category"], observed=True)["score"].mean()
    assert means["sides/worse", "near"] == 6 / 8
    assert means["sides/worse", "far"] == 1
    assert pd.isna(held.samples.query("state == 'failed'")["score"]).all()


def test_columns_are_those_asked_for(results):
    samples = load_results(results, columns=["sample_id", "calls"]).samples
    assert samples.columns.tolist() == ["run", "task", "protocol", "strategy", "model", "sample_id", "calls"]
    assert samples["calls"].str.startswith("[{").any()
    with pytest.raises(UsageError, match="no column 'reply_text'"):
        load_results(results, columns=["reply_text"])


def test_the_folder_of_one_run_is_named_by_itself(results):
    assert load_results(results / "sides" / "worse").runs["run"].tolist() == ["worse"]


def test_checks_of_a_judge_are_no_runs(results):
    (results / "sides" / "worse" / CHECK).write_text("{}")
    assert load_results(results).runs["run"].tolist() == ["sides/right"]


def test_folders_without_a_run_and_damaged_ones_say_so(results, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        load_results(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no finished run is in"):
        load_results(tmp_path / "empty")
    (results / "sides" / "right" / "samples.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match="is damaged"):
        load_results(results)


def test_facets_and_sets_come_from_the_samples(results):
    kinds = {f"{kind}-{i}": kind for kind, count in (("near", 8), ("far", 4)) for i in range(count)}
    known = [
        se.Sample(id=name, answer="choice", question="?", target="A", choices=("a", "b"),
                  facets={"depth": (kind, "any")}, sets={"pair": name[:-1]})
        for name, kind in kinds.items()
    ]  # fmt: skip
    rows = load_results(results, columns=["score"], samples=known).samples.set_index("sample_id")
    assert rows.loc["near-3", "facet.depth"].tolist() == ["near, any"] * 2
    assert rows.loc["far-0", "set.pair"].tolist() == ["far-"] * 2
    assert rows.loc["size-0", "facet.depth"].isna().all()


def test_the_public_name_is_the_function():
    assert se.load_results is load_results
