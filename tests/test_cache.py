"""Answers kept across runs: asked once, never mixed up, and never the reason for a run to end."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_crash_worker import TASK
from run_fakes import Counting, answering, make_items, run, timeout

from spatialeval.cli.run import command
from spatialeval.errors import ModelError
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text
from spatialeval.models.base import FunctionModel, ModelOptions, open_model
from spatialeval.run.cache import FILE_NAME, AnswerCache
from spatialeval.run.execute import RunSpec, execute
from spatialeval.run.manifest import Manifest
from spatialeval.strategies.base import Strategy


def spec_of(folder: Path, out: str) -> RunSpec:
    (folder / "letters.yaml").write_text(TASK)
    rows = [{"id": f"r{i}", "target": "A", "category": "c", "group": f"g{i}"} for i in range(20)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task, data = str(folder / "letters.yaml"), folder / "rows.jsonl"
    return RunSpec(task, "function:x", data=data, out=folder / out, cache=folder / "cache")


async def test_a_second_run_asks_nothing_and_says_where_its_answers_come_from(tmp_path):
    asked = Counting()
    first = await execute(spec_of(tmp_path, "one"), model=FunctionModel(asked, "function:x"))
    second = await execute(spec_of(tmp_path, "two"), model=FunctionModel(asked, "function:x"))
    assert asked.asked.total() == 20
    assert first.notes == ()
    assert "20 answers of 2" in second.notes[0]
    assert first.summary.score == second.summary.score
    totals = [Manifest.read(outcome.folder).totals for outcome in (first, second)]
    assert [(held["cached_answers"], held["attempts"], held["calls"]) for held in totals] == [(0, 20, 20), (20, 0, 20)]


async def test_a_cached_call_keeps_its_latency_and_tells_when_it_was_had(tmp_path):
    with AnswerCache(tmp_path / "cache") as cache:
        (asked,) = await run(make_items(1), tmp_path / "one", cache=cache)
    with AnswerCache(tmp_path / "cache") as cache:
        (found,) = await run(make_items(1), tmp_path / "two", cache=cache)
    assert (asked.calls[0].attempts, asked.calls[0].response["cached"]) == (1, None)
    assert found.calls[0].attempts == found.attempts == 0
    assert found.calls[0].latency == asked.calls[0].latency
    assert found.calls[0].response == asked.calls[0].response | {"cached": found.calls[0].response["cached"]}
    assert found.calls[0].response["cached"].startswith("2")


@dataclass(frozen=True)
class Thrice(Strategy):
    """Ask the same three times at once; the replies are the answer."""

    name = "thrice"

    async def run(self, sample, protocol, ask):
        settings = replace(protocol.settings, temperature=0.7)
        asked = [ask(protocol.request(sample, settings=settings)) for _ in range(3)]
        replies = await asyncio.gather(*asked)
        return replace(replies[0], text=" ".join(reply.text for reply in replies))


async def thrice(folder, cache_folder, model, *, sampled):
    with AnswerCache(cache_folder, sampled=sampled) as cache:
        return [r.reply for r in await run(make_items(4), folder, model, strategy=Thrice(), cache=cache)]


async def test_several_samples_of_one_request_stay_different_answers(tmp_path):
    numbers = count()
    model = lambda request: str(next(numbers))  # noqa: E731
    first = await thrice(tmp_path / "one", tmp_path / "cache", model, sampled=True)
    assert sorted(" ".join(first).split(), key=int) == [str(i) for i in range(12)]
    assert await thrice(tmp_path / "two", tmp_path / "cache", model, sampled=True) == first
    assert next(numbers) == 12


async def test_sampled_answers_are_kept_only_when_asked_for(tmp_path):
    asked = Counting()
    for name in ("one", "two"):
        await thrice(tmp_path / name, tmp_path / "cache", asked, sampled=False)
    assert asked.asked.total() == 24


def request_of(text="Where?", picture=b"\xff\xd8\xff1", **settings):
    return Request((Message("user", (Text(text), Image(Media("image", "i", picture)))),), Settings(**settings))


class Revised(FunctionModel):
    """A model of a revision."""

    def __init__(self, revision="1", body=None):
        super().__init__(answering, "m")
        self.told = {"spec": "m", "revision": revision, "body": body or {}}

    def identity(self):
        return self.told


def key_of(cache, request, model=None, item="a", index=0):
    return cache.of(model or Revised()).key(item, request.settings, request.digest, index)


@pytest.mark.parametrize(
    "other",
    [
        {"model": Revised("2")},
        {"model": Revised(body={"top_k": 1})},
        {"request": request_of("Where else?")},
        {"request": request_of(picture=b"\xff\xd8\xff2")},
        {"request": request_of(max_tokens=7)},
        {"request": request_of(seed=1)},
        {"index": 1},
    ],
)
def test_whatever_can_change_an_answer_changes_the_key(tmp_path, other):
    with AnswerCache(tmp_path) as cache:
        given = {"request": request_of()}
        assert key_of(cache, **given) == key_of(cache, **given, item="another item")
        assert key_of(cache, **given) != key_of(cache, **{**given, **other})


@pytest.mark.parametrize(
    "given",
    [
        {"request": request_of(temperature=0.7)},
        {"request": request_of(temperature=None)},
        {"request": request_of(), "model": Revised(body={"temperature": 1})},
    ],
)
def test_a_request_that_can_be_answered_differently_has_no_key_unless_told(tmp_path, given):
    with AnswerCache(tmp_path) as cache:
        assert key_of(cache, **given) is None
    with AnswerCache(tmp_path, sampled=True) as cache:
        assert key_of(cache, **given) not in {None, key_of(cache, **given, item="another item")}


def test_baselines_answer_from_the_sample_and_have_no_cache(tmp_path):
    with AnswerCache(tmp_path) as cache:
        assert cache.of(open_model("majority", ModelOptions())) is None


async def test_a_failure_is_never_kept(tmp_path):
    def fail(sample_id, times):
        if sample_id == "s1":
            return ModelError("no", kind="bad_request")
        return timeout() if sample_id == "s2" and times < 3 else None

    for name, model, failed in (("one", Counting(fail), 1), ("two", Counting(), 0)):
        with AnswerCache(tmp_path / "cache") as cache:
            records = await run(make_items(5), tmp_path / name, model, cache=cache)
        assert [record.state for record in records].count("failed") == failed
    assert dict(model.asked) == {"s1": 1}


def damage_header(path):
    path.write_bytes(b"not a database at all" * 100)


def damage_pages(path):
    data = bytearray(path.read_bytes())
    data[100:] = bytes(len(data) - 100)
    path.write_bytes(data)


def damage_answers(path):
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x78\x9c", b"\x78\x9d"))  # the first bytes of what zlib writes


@pytest.mark.parametrize("damage", [damage_header, damage_pages, damage_answers])
async def test_a_damaged_cache_is_mentioned_once_and_the_run_goes_on(tmp_path, damage):
    with AnswerCache(tmp_path / "cache") as cache:
        await run(make_items(30), tmp_path / "one", cache=cache)
    damage(tmp_path / "cache" / FILE_NAME)
    told, asked = [], Counting()
    with AnswerCache(tmp_path / "cache", tell=told.append) as cache:
        records = await run(make_items(30), tmp_path / "two", asked, cache=cache)
    assert {record.state for record in records} == {"scored"}
    assert asked.asked.total() == 30
    assert len(told) == 1
    assert "goes on without it" in told[0]


async def test_a_full_disk_ends_the_cache_and_not_the_run(tmp_path):
    told = []
    with AnswerCache(tmp_path / "cache", tell=told.append) as cache:
        cache._writing.execute("PRAGMA max_page_count = 4")
        records = await run(make_items(300), tmp_path / "one", cache=cache)
    assert {record.state for record in records} == {"scored"}
    assert len(told) == 1
    assert "full" in told[0]


async def test_a_folder_that_cannot_be_is_mentioned(tmp_path):
    (tmp_path / "cache").write_text("a file")
    told = []
    with AnswerCache(tmp_path / "cache", tell=told.append) as cache:
        await run(make_items(2), tmp_path / "one", cache=cache)
    assert len(told) == 1


def worker(tmp_path, name, items):
    folder = tmp_path / name
    script = Path(__file__).with_name("cache_worker.py")
    arguments = [str(folder), str(tmp_path / "cache"), str(tmp_path / f"{name}.log"), str(items)]
    return subprocess.Popen([sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True)


def asked_by(tmp_path, name):
    log = tmp_path / f"{name}.log"
    return log.read_text().split() if log.exists() else []


def test_processes_share_a_cache_at_once(tmp_path):
    with worker(tmp_path, "one", 400) as one, worker(tmp_path, "two", 400) as two:
        said = [process.communicate(timeout=60)[0] for process in (one, two)]
        assert (one.returncode, two.returncode, said) == (0, 0, ["", ""])
    with worker(tmp_path, "three", 400) as three:
        assert (three.communicate(timeout=60)[0], three.returncode) == ("", 0)
    assert asked_by(tmp_path, "three") == []


def test_a_process_killed_while_it_writes_leaves_a_sound_cache(tmp_path):
    items, before = 3000, 0
    for name in ("one", "two", "three"):
        with worker(tmp_path, name, items) as process:
            while len(asked_by(tmp_path, name)) < 150:
                assert process.poll() is None
                time.sleep(0.005)
            process.kill()
        before += len(asked_by(tmp_path, name))
    with worker(tmp_path, "last", items) as process:
        assert (process.communicate(timeout=120)[0], process.returncode) == ("", 0)
    # of each killed run, at most the four requests in flight and the answers of one commit are asked again
    assert items <= before + len(asked_by(tmp_path, "last")) <= items + 3 * 8


def test_the_command_takes_a_cache(tmp_path):
    spec = spec_of(tmp_path, "one")
    arguments = ["-t", spec.task, "-m", "random", "--data", str(spec.data), "--cache", str(tmp_path / "cache")]
    done = CliRunner().invoke(command, [*arguments, "--cache-sampled", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "cache" / FILE_NAME).is_file()
