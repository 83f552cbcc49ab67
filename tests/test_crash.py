"""A run that is killed again and again ends with the same result, and asks again only what was in flight."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from run_crash_worker import CONCURRENCY, ROWS, prepare

from spatialeval.run.journal import Journal

KILLS = 10
RUN = Path("results", "letters", "function-letters", "official.two_steps")


def start(folder, log, latency):
    worker = Path(__file__).with_name("run_crash_worker.py")
    # Relative names, so that results of different folders can be compared whole.
    return subprocess.Popen([sys.executable, worker, ".", str(log), str(latency)], cwd=folder)


def lines(log):
    return log.read_text().splitlines() if log.exists() else []


def journalled(folder):
    """The calls that are safe on disk, as they are written to the log."""
    if not (folder / RUN / "journal.sqlite").exists():
        return set()
    with Journal.open(folder / RUN / "journal.sqlite") as journal:
        return {f"{item} {step}" for item, step in journal._rows("SELECT item, step FROM calls")}


def kill_at_a_random_moment(folder, log, dice):
    """Start the run, and kill it once it has sent a random number of requests."""
    enough = len(lines(log)) + dice.choice([0, *[dice.randrange(1, 350) for _ in range(9)]])
    with start(folder, log, 0.01) as process:
        deadline = time.monotonic() + 30
        while len(lines(log)) < enough:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.004)
        time.sleep(dice.random() * 0.02)
        process.kill()
    assert process.returncode == -9


def results(folder):
    """Everything in the results that does not depend on time."""
    with Journal.open(folder / RUN / "journal.sqlite", readonly=True) as journal:
        records = [(r.key, r.state, r.score, r.reply, len(r.calls)) for r in journal.records()]
    summary = json.loads((folder / RUN / "summary.json").read_text())
    return sorted(records), summary


def test_a_run_killed_ten_times_ends_like_an_uninterrupted_one(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        folder.mkdir()
        prepare(folder)
    dice, log, in_flight = random.Random(20261), killed / "log", 0
    for _ in range(KILLS):
        before = len(lines(log))
        kill_at_a_random_moment(killed, log, dice)
        lost = set(lines(log)[before:]) - journalled(killed)
        assert len(lost) <= CONCURRENCY
        in_flight += len(lost)
    assert start(killed, log, 0.0).wait(60) == 0
    assert start(whole, whole / "log", 0.0).wait(60) == 0

    records, summary = results(killed)
    assert (records, summary) == results(whole)
    assert [record[0] for record in records] == sorted(f"r{i}" for i in range(ROWS))
    assert {state for _, state, *_ in records} == {"scored", "unparsed"}

    sent = Counter(lines(log))
    assert len(sent) == 2 * ROWS
    assert sent.total() - len(sent) <= in_flight
    assert len(lines(whole / "log")) == 2 * ROWS
    # Killed somewhere in the middle, or this test has shown nothing.
    assert in_flight > KILLS
