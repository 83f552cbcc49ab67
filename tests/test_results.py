"""Results files: what is counted, what is averaged, and that nothing damaged is taken for a result."""

from __future__ import annotations

import io
import json
import os
from itertools import islice

import pytest
from graded_runs import YAML, make_items, make_manifest, make_records, make_task

from spatialeval.errors import DataError, StorageError
from spatialeval.report.table import make_console, print_summary
from spatialeval.run.manifest import Manifest, Session
from spatialeval.run.records import Item
from spatialeval.run.rescore import score_file
from spatialeval.run.results import label, read_samples, read_summary, write_results
from spatialeval.run.samplefile import as_text
from spatialeval.scores import Failure
from spatialeval.stats import wilson
from spatialeval.strategies import STRATEGIES
from spatialeval.tasks import load_task
from spatialeval.tasks.task import with_protocol_settings

UNGROUPED = YAML.replace('  group: "{{ row.scene }}"\n', "")
TIMEOUT = Failure("timeout", "no reply in 300 s", 4)


@pytest.fixture
def sides(tmp_path):
    return make_task(tmp_path)


def results_of(folder, sides, replies=None, *, protocol="official", items=None, manifest=None, cap=16):
    task, data = sides
    protocol = task.protocol(protocol)
    items = items or make_items(task, data)
    records = make_records(items, protocol, replies, cap=cap)
    return write_results(folder, task, protocol, items, records, manifest or make_manifest())


def test_everything_right_is_complete_and_scores_one(tmp_path, sides):
    summary = results_of(tmp_path / "run", sides)
    assert summary.complete
    assert (summary.total, summary.samples, summary.headline) == (16, 16, "overall")
    assert summary.score.mean == 1
    # Eight groups of two, none of which was seen to go wrong, is not certainty.
    assert summary.score.low < 0.7
    assert summary.counts.model_dump() == {
        "scored": 16, "unparsed": 0, "truncated": 0, "failed": 0, "missing": 0, "excluded": 0, "matched": 0,
    }  # fmt: skip


def test_what_was_written_is_what_is_read(tmp_path, sides):
    written = results_of(tmp_path / "run", sides, {"near-0": "B", "far-1": TIMEOUT})
    assert read_summary(tmp_path / "run") == written
    rows = read_samples(tmp_path / "run").to_pylist()
    assert [row["key"] for row in rows] == [item.key for item in make_items(*sides)]
    first = rows[0]
    assert (first["target"], first["read"], first["score"], first["state"]) == ("A", "B", 0.0, "scored")
    assert (first["reply"], first["thoughts"], first["finish"], first["latency"]) == ("B", "hm", "stop", 0.25)
    assert (first["prompt_tokens"], first["completion_tokens"], first["attempts"]) == (100, 5, 1)
    assert json.loads(first["calls"])[0]["request"]["messages"][0]["role"] == "user"
    assert rows[12]["target"] == "3"


def test_a_failed_row_has_a_reason_and_no_score(tmp_path, sides):
    results_of(tmp_path, sides, {"far-1": TIMEOUT})
    row = next(row for row in read_samples(tmp_path).to_pylist() if row["key"] == "far-1")
    assert (row["state"], row["failure"], row["message"], row["attempts"]) == (
        "failed", "timeout", "no reply in 300 s", 4,
    )  # fmt: skip
    assert [row[name] for name in ("score", "read", "rule", "reply", "finish", "latency")] == [None] * 6


def test_failures_are_in_no_mean_and_make_the_run_incomplete(tmp_path, sides):
    clean = results_of(tmp_path / "a", sides, {"near-0": "B"}, items=make_items(*sides)[:4])
    failed = results_of(
        tmp_path / "b", sides, {"near-0": "B", "near-4": TIMEOUT, "near-5": TIMEOUT}, items=make_items(*sides)[:6]
    )
    assert clean.complete
    assert not failed.complete
    assert failed.row("near").score == clean.row("near").score
    assert failed.row("near").n == 4
    assert (failed.counts.failed, failed.failures) == (2, {"timeout": 2})


def test_items_without_a_record_are_missing_and_make_the_run_incomplete(tmp_path, sides):
    summary = results_of(tmp_path, sides, {"near-0": None, "size-3": None})
    assert not summary.complete
    assert (summary.counts.missing, summary.counts.failed, summary.total) == (2, 0, 16)
    assert (summary.row("near").n, summary.row("near").counts.missing) == (7, 1)


def test_unread_answers_count_as_the_protocol_says(tmp_path, sides):
    replies = {"near-0": "no idea", "near-2": "It is..."}
    wrong = results_of(tmp_path / "a", sides, replies)
    excluded = results_of(tmp_path / "b", sides, replies, protocol="lenient")
    for summary in (wrong, excluded):
        assert (summary.counts.unparsed, summary.counts.truncated, summary.complete) == (1, 1, True)
    assert (wrong.row("near").n, wrong.row("near").score.mean, wrong.counts.excluded) == (8, 0.75, 0)
    assert (excluded.row("near").n, excluded.row("near").score.mean, excluded.counts.excluded) == (6, 1.0, 2)
    assert (wrong.row("near").answered_only.n, wrong.row("near").answered_only.mean) == (6, 1.0)
    cells = {row["key"]: row["score"] for row in read_samples(tmp_path / "b").to_pylist()}
    assert (cells["near-0"], cells["near-1"]) == (None, 1.0)


def test_parts_follow_the_protocol_and_macro_and_micro_are_added(tmp_path, sides):
    summary = results_of(tmp_path, sides, {"near-0": "B", "near-1": "A", "size-0": "9"})
    assert {row.name: round(row.score.mean, 6) for row in summary.parts} == {
        "sides": 0.875,  # of 6/8 and 4/4
        "overall": 0.8125,  # of sides and 3/4
        "macro (categories)": 0.833333,
        "micro (samples)": 0.8125,
    }
    assert [row.name for row in summary.parts if row.headline] == ["overall"]
    assert summary.row("sides").n == 12
    assert summary.row("near").score.clusters == 4


def test_a_part_that_is_the_macro_or_micro_mean_already_is_not_repeated(tmp_path):
    rules = "aggregate: [{name: macro, mean_of: categories}, {name: all, micro: true, headline: true}]\n"
    sides = make_task(tmp_path, YAML[: YAML.index("aggregate:")] + rules)
    assert [row.name for row in results_of(tmp_path / "run", sides).parts] == ["macro", "all"]


def test_a_category_without_any_score_is_named_and_its_weight_shared(tmp_path, sides):
    summary = results_of(tmp_path, sides, {f"far-{i}": TIMEOUT for i in range(4)} | {"near-0": "B"})
    assert summary.row("sides").score.mean == summary.row("near").score.mean
    assert summary.row("sides").missing == ("far",)
    assert summary.missing_categories == ("far",)
    assert summary.row("far").score is None
    assert summary.row("far").counts.failed == 4


def test_a_run_of_failures_only_has_no_score(tmp_path, sides):
    summary = results_of(tmp_path, sides, {item.key: TIMEOUT for item in make_items(*sides)})
    assert summary.score is None
    assert not summary.complete
    assert all(row.score is None and row.n == 0 for row in (*summary.categories, *summary.parts))
    assert read_summary(tmp_path) == summary


def test_chance_and_majority_stand_beside_every_score(tmp_path, sides):
    summary = results_of(tmp_path, sides)
    near, far, size, sides_row = (summary.row(name) for name in ("near", "far", "size", "sides"))
    assert (near.chance, far.chance, size.chance, sides_row.chance) == (0.5, 0.5, None, 0.5)
    assert (near.majority, far.majority, size.majority, sides_row.majority) == (0.5, 0.75, 0.25, 0.625)
    assert summary.row("overall").chance is None
    assert summary.row("overall").majority == pytest.approx((0.625 + 0.25) / 2)


def test_samples_without_a_group_are_clusters_of_their_own(tmp_path):
    summary = results_of(tmp_path / "run", make_task(tmp_path, UNGROUPED), {"near-0": "B"})
    score = summary.row("near").score
    assert (score.clusters, score.method) == (8, "wilson")
    assert (score.low, score.high) == pytest.approx(wilson(7 / 8, 8))


def test_views_of_one_sample_are_one_cluster(tmp_path):
    task, data = make_task(tmp_path, UNGROUPED)
    items = [Item(item.sample, view) for item in make_items(task, data) for view in ("one", "two")]
    summary = results_of(tmp_path / "run", (task, data), items=items)
    assert (summary.total, summary.samples) == (32, 16)
    assert (summary.row("near").score.n, summary.row("near").score.clusters) == (16, 8)


def test_writing_the_same_results_again_gives_the_same_bytes(tmp_path, sides):
    replies = {"near-0": "B", "far-1": TIMEOUT, "near-3": "?"}
    results_of(tmp_path / "run", sides, replies)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    results_of(tmp_path / "run", sides, replies)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    assert set(before) == {"samples.parquet", "summary.json"}


@pytest.mark.parametrize("name", ["samples.parquet", "summary.json"])
def test_who_reads_while_results_are_written_again_sees_the_old_ones_whole(tmp_path, sides, name):
    results_of(tmp_path, sides)
    before = (tmp_path / name).read_bytes()
    with (tmp_path / name).open("rb") as reader:
        results_of(tmp_path, sides, {"near-0": "B"})
        assert reader.read() == before
    assert (tmp_path / name).read_bytes() != before


def test_records_may_come_from_an_iterator_that_is_read_once(tmp_path, sides):
    task, data = sides
    protocol, items = task.protocol(), make_items(task, data)
    records = iter(make_records(items, protocol))
    assert write_results(tmp_path, task, protocol, items, records, make_manifest()).total == 16
    assert not list(records)


@pytest.mark.parametrize("how", ["twice", "foreign"])
def test_a_record_that_comes_twice_or_belongs_to_no_item_is_refused(tmp_path, sides, how):
    task, data = sides
    protocol, items = task.protocol(), make_items(task, data)
    records = make_records(items, protocol)
    asked, given = (items, [*records, records[0]]) if how == "twice" else (items[1:], records)
    with pytest.raises(ValueError, match="'near-0' comes twice or is about no item"):
        write_results(tmp_path, task, protocol, asked, given, make_manifest())
    assert not list(tmp_path.glob("*.parquet"))


def test_the_summary_says_which_run_it_is(tmp_path, sides):
    manifest = make_manifest({"name": "cot", "max_tokens": 512, "instruction": "Think."}, views=["blind"])
    summary = results_of(tmp_path, sides, protocol="lenient", manifest=manifest, cap=512)
    about = summary.about
    assert (about.title, about.protocol, about.model) == ("Sides, a test", "lenient", "openai:gpt-4o-mini")
    assert about.strategy == "cot(max_tokens=512)+blind"
    assert (about.verified, about.note, about.floating, about.expected) == (False, "the wording is guessed", False, 16)
    assert (about.cap, summary.cap_sent, about.data) == (1024, 512, "0123abcd")
    assert summary.versions == {"python": "3.11.7", "spatialeval": "0.1.0"}
    assert (summary.calls, summary.attempts) == (16, 17)
    assert summary.tokens.model_dump() == {"prompt": 1600, "completion": 80, "cached": 0}


def test_a_strategy_is_named_with_the_options_that_are_not_the_default():
    assert label({"name": "plain"}, STRATEGIES) == "plain"
    assert label({"name": "cot", "max_tokens": 1024, "instruction": "x"}, STRATEGIES) == "cot"
    assert label({"name": "cot", "max_tokens": 64}, STRATEGIES) == "cot(max_tokens=64)"
    assert label({"name": "from another package"}, STRATEGIES) == "from another package"


@pytest.mark.parametrize(
    ("answer", "text"),
    [("B", "B"), (2.0, "2"), (0.1, "0.1"), (("up", "left"), "up left"), (None, None), (1e300, "1e+300")],
)
def test_answers_of_any_type_are_stored_as_text(answer, text):
    assert as_text(answer) == text


@pytest.mark.parametrize("name", ["summary.json", "samples.parquet"])
@pytest.mark.parametrize("damage", ["half", "empty", "noise"])
@pytest.mark.parametrize("journal", [True, False])
def test_a_damaged_results_file_says_how_to_get_it_back(tmp_path, sides, name, damage, journal):
    results_of(tmp_path, sides)
    path = tmp_path / name
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "empty": b"", "noise": b"\x00PAR1" * 9}[damage])
    command = ["/somewhere/bin/spatialeval", "run", "vsr", "--model", "openai:gpt 4"]
    Manifest({}, (Session(command, {}, None, "2026-01-01T00:00:00"),)).write(tmp_path)
    if journal:
        (tmp_path / "journal.sqlite").touch()
    read = read_summary if name == "summary.json" else read_samples
    with pytest.raises(StorageError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert f"{path} is damaged" in message
    assert "`spatialeval run vsr --model 'openai:gpt 4'` again" in message
    assert ("still holds every answer" in message) is journal


@pytest.mark.parametrize("read", [read_summary, read_samples])
def test_results_that_are_not_there_say_so(tmp_path, read):
    with pytest.raises(StorageError, match=r"There is no .*run `spatialeval run \.\.\.` again"):
        read(tmp_path)


def test_a_summary_of_another_format_is_not_taken_for_one_of_this(tmp_path, sides):
    results_of(tmp_path, sides)
    path = tmp_path / "summary.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(StorageError, match="format: Input should be 1"):
        read_summary(tmp_path)


def test_a_parquet_file_of_something_else_is_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"key": ["a"]}), tmp_path / "samples.parquet")
    with pytest.raises(StorageError, match="lacks the columns sample_id"):
        read_samples(tmp_path)


def test_a_folder_that_cannot_be_written_keeps_what_it_has(tmp_path, sides):
    results_of(tmp_path, sides)
    before = read_summary(tmp_path)
    # A folder in the way of the new file stops root too, whom permissions do not stop.
    for name in ("samples.parquet", "summary.json"):
        (tmp_path / f".{name}.{os.getpid()}.tmp").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        results_of(tmp_path, sides, {"near-0": "B"})
    assert read_summary(tmp_path) == before
    assert read_samples(tmp_path).num_rows == 16


def test_an_error_while_records_are_read_leaves_the_old_results(tmp_path, sides):
    task, data = sides
    results_of(tmp_path, sides)
    protocol, items = task.protocol(), make_items(task, data)

    def broken():
        yield from islice(make_records(items, protocol, {"near-0": "B"}), 3)
        raise StorageError("the journal is damaged")

    with pytest.raises(StorageError, match="the journal is damaged"):
        write_results(tmp_path, task, protocol, items, broken(), make_manifest())
    assert read_summary(tmp_path).score.mean == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def write_replies(folder, rows):
    path = folder / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def golds(sides):
    return [{"id": i.key, "response": str(i.sample.target).removesuffix(".0")} for i in make_items(*sides)]


def score(sides, file, **options):
    task, data = sides
    return score_file(task, task.protocol(), file, samples=task.samples(data), **options)


def test_saved_replies_score_as_a_run_with_the_same_replies_does(tmp_path, sides):
    rows = golds(sides)
    rows[0]["response"] = "B"
    rows[3]["response"] = "no idea"
    run = results_of(tmp_path / "run", sides, {"near-0": "B", "near-3": "no idea"})
    saved = score(sides, write_replies(tmp_path, rows))
    (tmp_path / "saved").mkdir()
    saved.write(tmp_path / "saved")
    assert saved.summary.complete
    assert (saved.summary.categories, saved.summary.parts) == (run.categories, run.parts)
    assert [record.score for record in saved.records][:4] == [0.0, 1.0, 1.0, 0.0]
    assert (saved.summary.about.model, saved.summary.about.strategy) == ("replies.jsonl", "saved")
    assert read_summary(tmp_path / "saved") == saved.summary
    assert read_samples(tmp_path / "saved").column("reply").to_pylist()[3] == "no idea"


def test_samples_without_a_saved_reply_make_the_score_incomplete(tmp_path, sides):
    saved = score(sides, write_replies(tmp_path, golds(sides)[:-2]))
    assert not saved.summary.complete
    assert (saved.summary.counts.missing, saved.summary.row("size").n) == (2, 2)


def test_a_saved_reply_that_the_token_cap_cut_is_truncated(tmp_path, sides):
    rows = [{**row, "finish": "length" if row["id"] == "near-0" else "stop"} for row in golds(sides)]
    assert score(sides, write_replies(tmp_path, rows)).summary.counts.truncated == 1


def test_a_saved_match_is_used_only_where_the_rule_reads_nothing_and_is_counted(tmp_path, sides):
    rows = [{**row, "matched": row["response"]} for row in golds(sides)]
    rows[0] |= {"response": "hard to say"}
    rows[1] |= {"response": "A", "matched": "B"}  # the rule reads a wrong answer: the match is not looked at
    rows[2] |= {"response": "hard to say", "matched": "(Z)"}
    rows[3] |= {"response": "hard to say", "matched": "(B) right"}  # no bare answer, so it matches none
    file = write_replies(tmp_path, rows)
    saved = score(sides, file, matched_column="matched")
    assert [record.score for record in saved.records][:4] == [1.0, 0.0, 0.0, 0.0]
    assert [record.rule == "saved match" for record in saved.records][:4] == [True, False, False, False]
    assert (saved.summary.counts.matched, saved.summary.counts.unparsed) == (1, 2)
    assert saved.summary.row("near").counts.matched == 1
    assert score(sides, file).summary.counts.unparsed == 3


def test_rows_of_one_model_are_picked_from_a_file_of_several(tmp_path, sides):
    rows = [{**row, "model": model} for model in ("one", "two") for row in golds(sides)]
    saved = score(sides, write_replies(tmp_path, rows), where={"model": "two"})
    assert saved.summary.complete
    assert saved.summary.about.model == "replies.jsonl (model=two)"


def test_replies_to_unknown_ids_are_refused_unless_told_otherwise(tmp_path, sides):
    file = write_replies(tmp_path, [*golds(sides), *({"id": f"far-{i}", "response": "A"} for i in range(4, 14))])
    with pytest.raises(DataError) as caught:
        score(sides, file)
    assert "10 of 26 replies" in str(caught.value)
    assert "'far-4', 'far-5', 'far-6', 'far-7', 'far-8', ..." in str(caught.value)
    assert "--ignore-unknown" in str(caught.value)
    assert score(sides, file, ignore_unknown=True).summary.complete


MODELS = ("GPT4V", "GPT4o", "MiniGPT-4-v2", "QwenVLMax", "cogvlm-chat", "llava_v1.5_7b")


@pytest.mark.parametrize("model", MODELS)
def test_the_official_scores_of_blink_come_out_of_the_raw_replies(realdata, model):
    task = load_task("blink:answers")
    samples = task.samples(realdata / "blink" / "val_answers.json")
    official = json.loads((realdata / "blink" / "scores_official.json").read_text())[model]
    file = realdata / "blink" / "raw_outputs_val.jsonl.gz"
    columns = {"id_column": "idx", "response_column": "full_prediction", "matched_column": "prediction"}
    summary = score_file(
        task, task.protocol("official"), file, samples=samples, where={"model": model}, **columns
    ).summary
    assert {row.name: round(100 * row.score.mean, 2) for row in summary.categories} == official["by_sub_task"]
    assert round(100 * summary.score.mean, 2) == official["macro_average_official"]
    assert round(100 * summary.row("micro").score.mean, 2) == official["micro_average"]
    assert summary.complete
    assert 0 < summary.counts.matched < summary.counts.scored


def test_settings_that_are_not_the_protocols_own_stand_beside_its_name(tmp_path, sides):
    task, data = sides
    protocol = with_protocol_settings(task.protocol(), max_tokens=99, temperature=0.0)
    items = make_items(task, data)
    summary = write_results(tmp_path, task, protocol, items, make_records(items, protocol), make_manifest())
    assert summary.about.changed == ("max_tokens=99",)
    out = io.StringIO()
    print_summary(summary, console=make_console(out, width=120))
    assert "protocol official (max_tokens=99)" in out.getvalue()
