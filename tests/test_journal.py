"""The journal keeps what it confirmed, and says what is wrong when it cannot."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading

import pytest
from run_fakes import make_items

from spatialeval.errors import StorageError
from spatialeval.messages import Response, Usage
from spatialeval.run.journal import Journal
from spatialeval.run.records import Call, Record
from spatialeval.run.recover import recover
from spatialeval.scores import Failure, Reading, Score


def a_call(text="A", **facts):
    return Call(
        {"messages": [{"role": "user", "parts": [{"type": "text", "text": f"{text}?" * 20}]}]},
        Response(text, usage=Usage(10, 2)).record(),
        0.25,
        **facts,
    )


async def fill(path, count):
    """Store `count` finished items of one call each."""
    with Journal.open(path) as journal:

        async def one(item):
            call = a_call(item.key)
            await journal.put_call(item.key, 0, "d", call)
            record = Record.of(item, Score(1.0, Reading("A", "letter"), "scored"), [call], item.key)
            await journal.put_record(record, [0], ["x.png:3"])

        await asyncio.gather(*(one(item) for item in make_items(count)))


async def test_a_confirmed_call_is_seen_by_a_process_that_opens_the_file_after_a_kill(tmp_path):
    script = f"""
import asyncio, os, signal
from pathlib import Path
from spatialeval.run.journal import Journal
from spatialeval.run.records import Call
async def main():
    journal = Journal.open(Path({str(tmp_path)!r}) / "j.sqlite")
    await journal.put_call("s1", 0, "digest", Call({{"q": 1}}, {{"text": "B"}}, 0.5, 2))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], check=False)
    assert done.returncode < 0
    with Journal.open(tmp_path / "j.sqlite") as journal:
        assert journal.call("s1", 0, "digest") == Call({"q": 1}, {"text": "B"}, 0.5, 2)


async def test_a_call_that_asked_something_else_is_not_reused(tmp_path):
    with Journal.open(tmp_path / "j") as journal:
        await journal.put_call("s1", 0, "old", a_call())
        assert journal.call("s1", 0, "new") is None
        assert journal.call("s1", 1, "old") is None
        await journal.put_call("s1", 0, "new", a_call("B"))
        assert journal.call("s1", 0, "old") is None
        assert journal.call("s1", 0, "new").response["text"] == "B"


async def test_records_come_back_as_they_were_with_their_calls(tmp_path):
    first, second, third = make_items(3)
    calls = [a_call("A"), a_call("B", attempts=3)]
    path = Record.of(first, Score(0.5, Reading(("up", "left"), "moves"), "scored"), calls, "a vote")
    failed = Record.of(second, Failure("timeout", "no reply in 5 s", 6), [calls[0]])
    unread = Record.of(third, Score(None, Reading(None, "none"), "unparsed"), calls, "B")
    with Journal.open(tmp_path / "j") as journal:
        for record in (path, failed, unread):
            for step, call in enumerate(record.calls):
                await journal.put_call(record.key, step, "d", call)
            await journal.put_record(record, range(len(record.calls)))
        assert list(journal.records()) == [path, failed, unread]
        assert list(journal.records([third.key, "absent", first.key])) == [unread, path]
        assert [record.calls for record in journal.records(calls=False)] == [[], [], []]
    assert (path.reply, failed.reply, unread.reply) == ("a vote", None, "B")


async def test_a_record_has_only_the_calls_of_its_own_steps(tmp_path):
    (item,) = make_items(1)
    with Journal.open(tmp_path / "j") as journal:
        for step in range(3):
            await journal.put_call(item.key, step, "d", a_call(str(step)))
        await journal.put_record(Record.of(item, Failure("timeout", "x"), []), [0, 2])
        (record,) = journal.records()
    assert [call.response["text"] for call in record.calls] == ["0", "2"]


async def test_replies_with_broken_unicode_are_kept(tmp_path):
    with Journal.open(tmp_path / "j") as journal:
        await journal.put_call("s1", 0, "d", a_call("\ud800 \0 \u2028"))
        assert journal.call("s1", 0, "d").response["text"] == "\ud800 \0 \u2028"


async def test_what_cannot_be_written_is_an_error_and_nobody_waits_for_ever(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        async with asyncio.timeout(10):
            with pytest.raises(StorageError, match="surrogates not allowed"):
                await journal.put_call("half a character: \ud800", 0, "d", a_call())
            await journal.put_call("s1", 0, "d", a_call())
        assert journal.call("s1", 0, "d") == a_call()


async def test_many_writes_at_once_share_few_commits(tmp_path):
    commits = []
    with Journal.open(tmp_path / "j") as journal:
        journal._writing.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        await asyncio.gather(*(journal.put_call(f"s{i}", 0, "d", a_call()) for i in range(300)))
        assert len(list(journal._rows("SELECT * FROM calls"))) == 300
    assert 1 <= len(commits) < 30


async def test_closing_commits_what_was_waiting_and_ends_the_thread(tmp_path):
    journal = Journal.open(tmp_path / "j")
    waiting = [asyncio.create_task(journal.put_call(f"s{i}", 0, "d", a_call())) for i in range(50)]
    await asyncio.sleep(0)
    journal.close()
    await asyncio.gather(*waiting)
    with Journal.open(tmp_path / "j", readonly=True) as again:
        assert all(again.call(f"s{i}", 0, "d") for i in range(50))
    assert not [thread for thread in threading.enumerate() if thread.name == "journal-writer"]


async def test_a_closed_journal_and_a_read_only_one_refuse_writes(tmp_path):
    journal = Journal.open(tmp_path / "j")
    journal.close()
    with pytest.raises(StorageError, match="already closed"):
        await journal.put_call("s1", 0, "d", a_call())
    with Journal.open(tmp_path / "j", readonly=True) as reader, pytest.raises(StorageError, match="reading only"):
        await reader.put_call("s1", 0, "d", a_call())


def test_opening_an_absent_journal_for_reading_says_so_and_creates_nothing(tmp_path):
    with pytest.raises(StorageError, match="no journal"):
        Journal.open(tmp_path / "j", readonly=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_that_is_no_journal_is_left_alone_and_the_way_out_is_named(tmp_path, readonly):
    path = tmp_path / "j"
    path.write_bytes(b"this is no database " * 500)
    with pytest.raises(StorageError, match=r"damaged.*--recover.*--fresh"):
        Journal.open(path, readonly=readonly)
    assert path.read_bytes() == b"this is no database " * 500


def test_a_journal_of_another_format_is_refused(tmp_path):
    Journal.open(tmp_path / "j").close()
    connection = sqlite3.connect(tmp_path / "j")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match=r"format 99.*knows format 1.*--fresh"):
        Journal.open(tmp_path / "j")


def test_a_foreign_database_is_not_taken_over(tmp_path):
    connection = sqlite3.connect(tmp_path / "j")
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="format 0"):
        Journal.open(tmp_path / "j")


async def test_a_full_disk_is_an_error_with_advice_and_loses_nothing_confirmed(tmp_path):
    with Journal.open(tmp_path / "j") as journal:
        await journal.put_call("kept", 0, "d", a_call())
        (pages,) = journal._writing.execute("PRAGMA page_count").fetchone()
        journal._writing.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageError, match=r"disk is full.*Free some space"):
            await journal.put_call("large", 0, "d", a_call("x" * 100_000))
        journal._writing.execute("PRAGMA max_page_count = 100000")
        await journal.put_call("later", 0, "d", a_call())
        assert journal.call("kept", 0, "d") == journal.call("later", 0, "d") == a_call()


async def test_a_database_that_became_read_only_is_an_error_with_advice(tmp_path):
    with Journal.open(tmp_path / "j") as journal:
        journal._writing.execute("PRAGMA query_only = 1")
        with pytest.raises(StorageError, match=r"read-only.*--out"):
            await journal.put_call("s", 0, "d", a_call())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_an_error_with_advice(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match=r"read-only.*--out"):
        Journal.open(tmp_path / "j")


def test_a_file_where_the_folder_should_be_is_an_error_with_advice(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(StorageError, match=r"cannot be written.*--out"):
        Journal.open(tmp_path / "results" / "j")


async def test_half_a_journal_is_refused_and_what_is_readable_can_be_recovered(tmp_path):
    await fill(tmp_path / "j", 400)
    data = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(data[: len(data) // 2])
    with pytest.raises(StorageError, match="--recover"):
        Journal.open(tmp_path / "j")
    saved = recover(tmp_path / "j", tmp_path / "new")
    with Journal.open(tmp_path / "new") as journal:
        records = list(journal.records())
        assert len(records) == saved.records == len(journal.kept())
        assert all(record.reply == record.key and record.score == 1.0 for record in records)
        calls = [f"s{i}" for i in range(400) if journal.call(f"s{i}", 0, "d")]
    assert len(calls) == saved.calls > 50
    assert (tmp_path / "j").read_bytes() == data[: len(data) // 2]


async def test_a_damaged_page_costs_only_its_own_rows(tmp_path):
    await fill(tmp_path / "j", 400)
    data = bytearray((tmp_path / "j").read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = os.urandom(4096)
    (tmp_path / "j").write_bytes(data)
    saved = recover(tmp_path / "j", tmp_path / "new")
    assert saved.calls >= 370
    assert saved.records >= 350
    assert "asked again" in str(saved) if saved.dropped else "asked again" not in str(saved)


async def test_recovering_a_sound_journal_copies_all_of_it(tmp_path):
    await fill(tmp_path / "j", 20)
    assert str(recover(tmp_path / "j", tmp_path / "new")) == "recovered 20 answered calls and 20 finished samples"
    with Journal.open(tmp_path / "j") as old, Journal.open(tmp_path / "new") as new:
        assert list(old.records()) == list(new.records())
        assert old.kept() == new.kept()


def test_recovering_from_garbage_says_that_nothing_is_readable_and_leaves_no_file(tmp_path):
    (tmp_path / "j").write_bytes(os.urandom(20000))
    with pytest.raises(StorageError, match=r"Nothing in .* is readable.*--fresh"):
        recover(tmp_path / "j", tmp_path / "new")
    assert not (tmp_path / "new").exists()
