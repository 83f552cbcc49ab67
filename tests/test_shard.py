"""A run cut into shards and put together again is the run of one process, byte for byte."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from command import at, letters, refused, serving, spatialeval, summary_of
from run_fakes import letter
from run_letters import Truthful, letters_run, run, write_rows

from spatialeval.errors import ModelError, RunChangedError, RunError, UsageError
from spatialeval.media import Media
from spatialeval.run.journal import Journal
from spatialeval.run.loading import load_results
from spatialeval.run.manifest import Manifest
from spatialeval.run.merge import find_wholes, merge
from spatialeval.run.prepare import prepare
from spatialeval.run.shard import Shard, shares
from spatialeval.samples import Sample

RESULTS = ("samples.parquet", "summary.json")


@pytest.fixture
def spec(tmp_path):
    """A run of 60 questions in groups of three."""
    made = letters_run(tmp_path)
    (tmp_path / "letters.yaml").write_text(
        (tmp_path / "letters.yaml").read_text().replace("  category:", '  group: "{{ row.group }}"\n  category:')
    )
    rows = [
        {"id": f"r{i}", "target": "ABCD"[i % 4], "choices": [*"wxyz"], "category": "ab"[i % 2], "group": f"g{i // 3}"}
        for i in range(60)
    ]
    write_rows(tmp_path / "rows.jsonl", rows)
    return made


@pytest.fixture
def still(monkeypatch):
    """Time stands still: latencies are the one thing in results that two runs cannot have in common."""
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)


def mixed(request):
    """Right and wrong letters, replies that nobody can read, and questions that always fail."""
    number = int(request.sample.id[1:])
    if number % 11 == 5:
        raise ModelError("no", kind="content_filter")
    return "hmm" if number % 7 == 3 else letter(request.messages[0].text)


async def in_shards(spec, count, function=mixed, without=()):
    for index in range(1, count + 1):
        if index not in without:
            await run(replace(spec, shard=Shard(index, count)), function)
    (whole,) = find_wholes([spec.out])
    return whole


def contents(folder):
    return {name: (folder / name).read_bytes() for name in RESULTS}


# which samples


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "x/4", "3", "1/4/2", "-1/4", ""])
def test_a_shard_that_does_not_exist_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="such as 3/16"):
        Shard.parse(text)


def sample(name, group="", media=None):
    shown = (Media("video", media, Path(media)),) if media else ()
    return Sample(name, "choice", "?", "A", choices=("x", "y"), group=group, media=shown)


def test_shards_are_even_and_what_shares_group_or_media_stays_together():
    samples = [sample(f"s{i}", group=f"g{i % 40}") for i in range(400)]
    samples += [sample(f"v{i}", media=f"{i % 30}.mp4") for i in range(300)]
    found = shares(samples, 7)
    assert {len({found[one.id] for one in samples if one.group == f"g{i}"}) for i in range(40)} == {1}
    assert {len({found[f"v{i}"] for i in range(start, 300, 30)}) for start in range(30)} == {1}
    held = Counter(found.values())
    assert max(held.values()) - min(held.values()) <= 10
    assert shares(list(reversed(samples)), 7) == found


def test_the_cut_is_the_same_in_every_version():
    found = shares([sample(f"s{i}", group=f"g{i // 2}") for i in range(10)], 3)
    assert [found[f"s{i}"] for i in range(0, 10, 2)] == [2, 1, 3, 2, 1]


@pytest.mark.parametrize("strategy", ["plain", "plain+option-shuffle"])
def test_shards_hold_every_item_once_whatever_the_limit(spec, strategy):
    spec = replace(spec, strategy=strategy)
    whole = [item.key for item in prepare(spec).items]
    parts = [prepare(replace(spec, shard=Shard(i, 4))).items for i in range(1, 5)]
    assert sorted(item.key for part in parts for item in part) == sorted(whole)
    few = prepare(replace(spec, limit=20, shard=Shard(2, 4))).items
    assert {item.key for item in few} < {item.key for item in parts[1]}


# merging


@pytest.mark.parametrize("count", [1, 3, 25])
async def test_merged_shards_equal_the_run_of_one_process_byte_for_byte(spec, still, tmp_path, count):
    alone = await run(replace(spec, out=tmp_path / "alone"), mixed)
    merged = merge(await in_shards(spec, count))
    assert contents(merged.folder) == contents(alone.folder)
    assert merged.states == alone.states == {"scored": 47, "unparsed": 8, "failed": 5}
    assert merged.folder == spec.out / alone.folder.relative_to(tmp_path / "alone")
    assert Manifest.read(merged.folder).identity == Manifest.read(alone.folder).identity
    assert not merged.complete


async def test_a_strategy_of_several_calls_and_views_merge_alike(spec, still, tmp_path):
    spec = replace(spec, strategy="self-consistency(k=3)+option-shuffle")
    alone = await run(replace(spec, out=tmp_path / "alone"))
    assert contents(merge(await in_shards(spec, 3, Truthful())).folder) == contents(alone.folder)


async def test_merging_again_changes_nothing_and_an_ordinary_run_asks_only_what_failed(spec, still):
    whole = await in_shards(spec, 3)
    first = contents(merge(whole).folder)
    assert contents(merge(whole).folder) == first
    model = Truthful()
    done = await run(spec, model)
    assert done.complete
    assert set(model.asked) == {"r5", "r16", "r27", "r38", "r49"}
    assert merge(whole).states == done.states  # a shard's failure does not replace an answer


async def test_a_merge_stopped_in_the_middle_is_finished_by_the_next_one(spec, still, tmp_path):
    whole = await in_shards(spec, 4)

    def stop(part):
        if part.shard.index == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(whole, progress=stop)
    assert not (whole.folder / "summary.json").exists()
    alone = await run(replace(spec, out=tmp_path / "alone"), mixed)
    assert contents(merge(whole).folder) == contents(alone.folder)


async def test_missing_shards_are_named_and_a_partial_merge_counts_their_questions(spec):
    whole = await in_shards(spec, 4, Truthful(), without=(2, 4))
    with pytest.raises(UsageError, match=r"2 of 4 shards .* are missing: 2, 4\. .*--partial"):
        merge(whole)
    outcome = merge(whole, partial=True)
    assert not outcome.complete
    assert outcome.summary.counts.missing == 60 - sum(outcome.states.values()) > 0
    model = Truthful()
    assert (await run(spec, model)).complete
    assert model.asked.total() == outcome.summary.counts.missing


async def test_a_shard_that_was_killed_must_end_before_it_is_merged(spec):
    whole = await in_shards(spec, 2)
    part = whole.parts[0]
    cut = replace(part.manifest.sessions[-1], status="running", ended=None)
    part.manifest.with_session(cut).write(part.folder)
    (whole,) = find_wholes([spec.out])
    with pytest.raises(UsageError, match=r"have not ended: 1\. Wait for them"):
        merge(whole)
    assert merge(whole, partial=True).states


async def test_a_question_answered_twice_and_not_alike_is_refused(spec):
    whole = await in_shards(spec, 2, Truthful())
    done = merge(whole)
    with Journal.open(done.folder / "journal.sqlite") as journal:
        (record,) = journal.records(["r7"])
        call = replace(record.calls[0], response=record.calls[0].response | {"text": "A"})
        await journal.put_call("r7", 0, "x", call)
        await journal.put_record(replace(record, score=0.0, read="A"), [0])
    with pytest.raises(RunError, match=r"'r7' was answered twice, and not alike: 'D' in .*'A' in "):
        merge(whole)


async def test_what_shards_answered_after_a_merge_is_not_asked_again_by_the_whole_run(spec):
    few = replace(spec, limit=20)
    whole = await in_shards(few, 2)
    merge(whole)
    await in_shards(replace(spec, limit=40), 2)
    with pytest.raises(UsageError, match="would be asked again"):
        await run(replace(spec, limit=40))
    (whole,) = find_wholes([spec.out])
    merge(whole)
    model = Truthful()
    await run(spec, model)
    failed = {f"r{i}" for i in range(60) if i % 11 == 5}
    assert 20 <= len(set(model.asked) - failed) <= 20 + len(failed)


async def test_a_shard_that_ended_after_a_merge_is_told_as_ended_by_the_next_one(spec):
    whole = await in_shards(spec, 2)
    (part, _) = whole.parts
    running = replace(part.manifest.sessions[-1], ended=None, status="running")
    replace(part.manifest, sessions=(running,)).write(part.folder)
    (unended,) = find_wholes([spec.out])
    merge(unended, partial=True)
    part.manifest.write(part.folder)
    manifest = Manifest.read(merge(whole).folder)
    assert [session.status for session in manifest.sessions].count("running") == 0


async def test_shards_of_other_settings_are_not_of_the_same_run(spec):
    await run(replace(spec, shard=Shard(1, 2), max_tokens=8))
    whole = await in_shards(spec, 2, without=(1,))
    with pytest.raises(RunChangedError, match="max_tokens"):
        merge(whole)
    await run(replace(spec, shard=Shard(1, 2), limit=9, fresh=True))
    (whole,) = find_wholes([spec.out])
    with pytest.raises(UsageError, match="asked with limit"):
        merge(whole)


async def test_shards_from_several_disks_meet_where_out_says(spec, still, tmp_path):
    alone = await run(replace(spec, out=tmp_path / "alone"), mixed)
    for index in (1, 2):
        await run(replace(spec, shard=Shard(index, 2), out=tmp_path / f"node{index}"), mixed)
    nodes = [tmp_path / "node1", tmp_path / "node2"]
    with pytest.raises(UsageError, match=r"lie in 2 places\. Say where the run goes with --out"):
        find_wholes(nodes)
    (whole,) = find_wholes(nodes, tmp_path / "all")
    assert contents(merge(whole).folder) == contents(alone.folder)
    shutil.copytree(whole.parts[0].folder, tmp_path / "node2" / whole.parts[0].folder.relative_to(tmp_path / "node1"))
    with pytest.raises(UsageError, match=r"shard 1/2 of .* is there twice"):
        find_wholes(nodes, tmp_path / "all")


async def test_runs_cut_in_different_ways_are_refused(spec):
    await in_shards(spec, 2)
    with pytest.raises(UsageError, match=r"different ways \(1 of 2 and 1 of 3 shards\)|2 of 2 and 1 of 3"):
        await in_shards(spec, 3, without=(1, 2))


# as a user meets it


def test_the_commands_of_a_job_array_ask_each_question_once(tmp_path):
    with serving() as server:
        command = ("run", *letters(tmp_path, rows=40), *at(server), "--out", tmp_path / "out")
        for index in (1, 2, 3):
            ran = spatialeval(*command, "--shard", f"{index}/3")
            assert ran.code == 0, ran
            assert f"Shard {index}/3: 13 samples" in ran.out or "14 samples" in ran.out
        assert server.total == 40
        place = tmp_path / "out" / "letters" / "openai-m" / "official.plain.shards"
        assert "spatialeval merge out/letters/openai-m/official.plain.shards" in refused("report", tmp_path / "out")
        assert f"spatialeval merge {place}" in refused("compare", place / "1-of-3", place / "2-of-3")
        assert f"spatialeval merge {place}" in spatialeval("show", tmp_path / "out").out
        with pytest.raises(UsageError, match="spatialeval merge"):
            load_results(tmp_path / "out")
        assert "would be asked again" in refused(*command)
        ran = spatialeval("merge", tmp_path / "out")
        assert ran.code == 0, ran
        assert "3 of 3 shards are in" in ran.out
        assert summary_of(tmp_path / "out")["score"]["mean"] == 1
        assert spatialeval(*command).code == 0
        assert server.total == 40


def test_shards_without_samples_end_well(tmp_path):
    with serving() as server:
        command = ("run", *letters(tmp_path, rows=2), *at(server), "--out", tmp_path / "out")
        ran = [spatialeval(*command, "--shard", f"{index}/4") for index in range(1, 5)]
    assert [one.code for one in ran] == [0, 0, 0, 0]
    assert sum("no samples: there are fewer groups than shards" in one.out for one in ran) == 2
    assert spatialeval("merge", tmp_path / "out").code == 0
    assert summary_of(tmp_path / "out")["total"] == 2


def test_merging_without_shards_says_where_they_come_from(tmp_path):
    assert "run --shard 1/16" in refused("merge", tmp_path)
    assert "there is no folder" in refused("merge", tmp_path / "nothing")
