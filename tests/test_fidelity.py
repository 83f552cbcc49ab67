"""Published numbers come out, to the printed digit, from real replies and real rows."""

from __future__ import annotations

import json

import pytest

from spatialeval.run.rescore import score_file
from spatialeval.tasks import load_task

# Replies of 1,901 that the authors' rule cannot read, so that their matcher (a language model) read them.
BLINK_MODELS = {
    "GPT4V": 547,
    "GPT4o": 265,
    "MiniGPT-4-v2": 528,
    "QwenVLMax": 914,
    "cogvlm-chat": 255,
    "llava_v1.5_7b": 543,
}


@pytest.fixture(scope="module")
def blink(realdata):
    task = load_task("blink:answers")
    return task, task.samples(realdata / "blink" / "val_answers.json")


def blink_score(realdata, blink, model, **options):
    task, samples = blink
    file = realdata / "blink" / "raw_outputs_val.jsonl.gz"
    columns = {"id_column": "idx", "response_column": "full_prediction", "where": {"model": model}}
    return score_file(task, task.protocol("official"), file, samples=samples, **columns, **options)


def percent(value):
    return round(100 * value, 2)


@pytest.mark.parametrize("model", BLINK_MODELS)
def test_blink_reproduces_every_figure_of_the_authors(realdata, blink, model):
    published = json.loads((realdata / "blink" / "scores_official.json").read_text())[model]
    summary = blink_score(realdata, blink, model, matched_column="prediction").summary
    assert {row.name: percent(row.score.mean) for row in summary.categories} == published["by_sub_task"]
    parts = {row.name: percent(row.score.mean) for row in summary.parts}
    assert parts["Total"] == published["macro_average_official"]
    assert parts["micro"] == published["micro_average"]
    assert summary.total == published["n"]


@pytest.mark.parametrize(("model", "unread"), BLINK_MODELS.items())
def test_blink_says_per_row_which_letters_the_published_rule_cannot_derive(realdata, blink, model, unread):
    by_rule = blink_score(realdata, blink, model)
    assert by_rule.summary.counts.unparsed == unread
    needing = {record.sample_id for record in by_rule.records if record.state == "unparsed"}
    with_match = blink_score(realdata, blink, model, matched_column="prediction").records
    assert {record.sample_id for record in with_match if "match" in record.rule} == needing
    # Where the rule reads a letter, it is the authors' letter, row by row.
    for rule, match in zip(by_rule.records, with_match, strict=True):
        assert rule.state == "unparsed" or rule.read == match.read


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("base_gpt-35-turbo_clean_seperate_prompt_1000", "official"),
        ("Our_CoT_gpt-4_clean_seperate_prompt_1000", "official_cot"),
        ("ToT_CoT_gpt-4_4shot_prompt_20", "official_cot"),
    ],
)
def test_stepgame_reproduces_every_figure_of_the_cached_replies(realdata, name, protocol):
    folder = realdata / "stepgame" / "model_outputs"
    published = json.loads((folder / "scores_official.json").read_text())[name]
    task = load_task("stepgame:cached")
    file = folder / f"{name}.jsonl.gz"
    samples = task.samples(file)
    summary = score_file(task, task.protocol(protocol), file, samples=samples, id_column="_index").summary
    rows = {row.name.removeprefix("k="): row for row in summary.categories}
    assert {k: (row.n, round(100 * row.score.mean, 1)) for k, row in rows.items()} == {
        k: (v["n"], v["accuracy"]) for k, v in published.items()
    }


def test_two_for_every_vsi_counting_question_scores_61_84070796(realdata):
    task = load_task("vsi_bench")
    samples = task.samples(realdata / "vsi_bench" / "vsi_bench_rows.jsonl.gz")
    counting = [s for s in samples if s.category == "object_counting"]
    grader = task.protocol("official").grader
    scores = [grader.grade(sample, "2").value for sample in counting]
    assert len(scores) == 565
    assert round(100 * sum(scores) / 565, 8) == 61.84070796


def test_the_vsi_rows_at_full_precision_reproduce(realdata):
    from spatialeval.tasks.aggregate import combine

    task = load_task("vsi_bench")
    exact = [row for row in task.spec.reference if row.tolerance <= 1e-9]
    assert len(exact) == 3
    for row in exact:
        assert combine(task.protocol().rules, row.scores) == pytest.approx(row.headline, abs=1e-9)
    rows = json.loads((realdata / "vsi_bench" / "score_summaries.json").read_text())
    assert {row.model for row in exact} <= {
        name for row in rows for name in (row["model"], row["model"].removesuffix("-Instruct"))
    } | {row.model for row in exact if row.scale == 100}
