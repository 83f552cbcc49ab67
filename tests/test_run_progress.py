"""What people see while a run goes."""

from __future__ import annotations

import io

from rich.console import Console
from run_fakes import make_items

from spatialeval.messages import Response, Usage
from spatialeval.run.events import Finished, Retrying, Started, Stopping
from spatialeval.run.progress import Bar, Lines, progress
from spatialeval.run.records import Call, Record
from spatialeval.run.standing import clock_time, short_number
from spatialeval.scores import Failure, Reading, Score

CALL = Call({}, Response("A", usage=Usage(1000, 50)).record(), 0.1)
OUTCOMES = [
    Score(1.0, Reading("A", "r"), "scored"),
    Score(0.0, Reading(None, "r"), "unparsed"),
    Score(0.5, Reading("A", "r"), "scored"),
    Score(None, Reading(None, "r"), "truncated"),
    Failure("timeout", "x"),
]


def finished(i, *, kept=False):
    outcome = OUTCOMES[i % len(OUTCOMES)]
    calls = [] if kept or isinstance(outcome, Failure) else [CALL]
    return Finished(Record.of(make_items(i + 1)[i], outcome, calls, "A"), kept)


def test_lines_tell_done_rate_time_left_score_and_what_is_no_answer():
    out, now = io.StringIO(), [100.0]
    with Lines("vsr", out, interval=10.0, clock=lambda: now[0]) as display:
        display(Started(105, 5))
        for i in range(5):
            display(finished(i, kept=True))
        for i in range(10):
            now[0] += 1.0
            display(finished(i))
        display(Retrying("s1", "busy", 1, 2.0))
    first, *_, last = out.getvalue().splitlines()
    assert first == "vsr: 0/105 · 0.0/s · no answers yet"
    # The score is the mean of (1 + 0 + 0.5) / 3: neither failures nor replies left out by the protocol count.
    assert last == (
        "vsr: 15/105 · 1.0/s · 1:30 left · score 50.0 · 3 unparsed · 3 truncated · 3 failed · 1 retry · 8.4k tokens"
    )
    assert len(out.getvalue().splitlines()) == 3


def test_a_stop_is_told_at_once_with_what_happens_next():
    out = io.StringIO()
    with Lines("vsr", out) as display:
        display(Started(10, 0))
        display(Stopping("SIGINT", 4))
    assert "SIGINT: no new questions" in out.getvalue()
    assert "interrupt again to end at once" in out.getvalue()


def test_the_bar_shows_the_same_numbers():
    console = Console(file=io.StringIO(), force_terminal=True, width=150)
    with Bar("vsr [odd]", console) as display:
        display(Started(10, 0))
        for i in range(5):
            display(finished(i))
        display(Stopping("SIGINT", 1))
    text = console.file.getvalue()
    for piece in ("vsr [odd]", "5/10", "score 50.0", "1 unparsed", "1 failed", "4.2k tokens", "SIGINT"):
        assert piece in text


def test_the_display_fits_where_it_goes():
    assert isinstance(progress("x", live=True), Bar)
    assert isinstance(progress("x", live=False), Lines)


def test_times_and_numbers_are_short():
    assert [clock_time(s) for s in (0, 59.6, 3725)] == ["0:00", "1:00", "1:02:05"]
    assert [short_number(n) for n in (999, 1234, 5_600_000, 7 * 10**9)] == ["999", "1.2k", "5.6M", "7.0G"]
