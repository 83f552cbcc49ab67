"""A cache of answers that another process holds: whoever needs it waits, and nothing else does."""

from __future__ import annotations

import asyncio
import sqlite3

from run_fakes import Counting, make_items, run

from spatialeval.run import cache as caching
from spatialeval.run.cache import FILE_NAME, AnswerCache


def held(folder):
    """Keep a file of answers to oneself."""
    with AnswerCache(folder):
        pass
    other = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    return other


async def test_the_loop_goes_on_while_the_file_cannot_be_opened(tmp_path):
    other, told = held(tmp_path), []

    async def let_go():
        await asyncio.sleep(0.02)
        other.close()

    letting_go = asyncio.create_task(let_go())  # never comes to it where the loop waits for the file
    async with AnswerCache(tmp_path, tell=told.append):
        assert told == []
    await letting_go


async def test_a_file_that_stays_held_is_mentioned_once_and_the_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(caching, "_BUSY_SECONDS", 0.05)
    other, told, asked = held(tmp_path / "cache"), [], Counting()
    async with AnswerCache(tmp_path / "cache", tell=told.append) as cache:
        await run(make_items(5), tmp_path, asked, cache=cache)
    other.close()
    assert asked.asked.total() == 5
    assert len(told) == 1
    assert "the run goes on without it" in told[0]


class Busy:
    """A connection to a file that is held for some looks."""

    def __init__(self, reader, looks):
        self.reader, self.looks = reader, looks

    def execute(self, *question):
        self.looks -= 1
        if self.looks >= 0:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return self.reader.execute(*question)

    def close(self):
        self.reader.close()


async def test_an_answer_is_looked_for_again_while_the_file_is_held(tmp_path):
    asked, told = Counting(), []
    async with AnswerCache(tmp_path / "cache") as cache:
        await run(make_items(1), tmp_path / "one", asked, cache=cache)
    async with AnswerCache(tmp_path / "cache", tell=told.append) as cache:
        cache._reader = Busy(cache._reader, 3)
        await run(make_items(1), tmp_path / "two", asked, cache=cache)
    assert (asked.asked.total(), told) == (1, [])


async def test_reading_does_not_wait_inside_the_loop(tmp_path):
    async with AnswerCache(tmp_path) as cache:
        assert cache._reader.execute("PRAGMA busy_timeout").fetchone() == (0,)
