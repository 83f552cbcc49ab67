"""The terminal tables at several widths: what they say, and that no number is ever broken."""

# ruff: noqa: RUF001  # the dash is what the tables show

from __future__ import annotations

import io
import re

import pytest
from graded_runs import make_items, make_manifest, make_records, make_task

from spatialeval.report import make_console, print_overview, print_summary
from spatialeval.report.cells import count, fold, interval, percent, score, some
from spatialeval.report.notes import notes
from spatialeval.run.results import write_results
from spatialeval.scores import Failure
from spatialeval.stats import estimate
from spatialeval.text import printable

TIMEOUT, REFUSED = Failure("timeout", "no reply in 300 s\n\x1b[2J"), Failure("content_filter", "blocked " + "x" * 500)
WIDTHS = [80, 100, 140]


def summary_of(folder, replies=None, *, protocol="official", cap=16, manifest=None, limit=None):
    task, data = make_task(folder)
    items = make_items(task, data)[:limit]
    records = make_records(items, task.protocol(protocol), replies, cap=cap)
    summary = write_results(folder, task, task.protocol(protocol), items, records, manifest or make_manifest())
    return summary.model_copy(update={"about": summary.about.model_copy(update={"task": "sides"})})


def shown(print_it, *what, width=100):
    stream = io.StringIO()
    print_it(*what, console=make_console(stream, width=width))
    return stream.getvalue()


def line_of(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_one_run_shows_every_number_of_a_category(tmp_path):
    summary = summary_of(tmp_path, {"near-0": "B", "near-1": "no idea", "near-2": "A...", "near-3": TIMEOUT})
    near = summary.row("near").score
    cells = line_of(shown(print_summary, summary), "near").split()
    assert cells == ["near", "7", percent(near.mean), *interval(near).split(), "50.0", "50.0", "1", "1", "1"]


def test_a_cell_without_a_value_is_a_dash(tmp_path):
    summary = summary_of(tmp_path, {f"far-{i}": TIMEOUT for i in range(4)})
    text = shown(print_summary, summary)
    assert line_of(text, "far").split() == ["far", "0", "–", "–", "50.0", "75.0", "0", "0", "4"]
    assert line_of(text, "size").split()[-5] == "–"  # nobody guesses a number


def test_the_headline_is_the_last_line_of_the_table_and_set_apart(tmp_path):
    summary = summary_of(tmp_path)
    lines = [line.rstrip() for line in shown(print_summary, summary, width=140).splitlines()]
    names = [line.split("  ")[0] for line in lines]
    start = next(i for i, line in enumerate(lines) if line.startswith("───"))
    assert names[start + 1 : start + 10] == [
        "near", "far", "size", "", "sides", "macro (categories)", "micro (samples)", "", "overall",
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_the_names_of_the_run_stand_above_and_the_folder_below(tmp_path, width):
    lines = shown(print_summary, summary_of(tmp_path), tmp_path, width=width).splitlines()
    assert lines[1:3] == [
        "Sides, a test",
        "task sides · protocol official · strategy plain · model openai:gpt-4o-mini",
    ]
    assert f"Results: {tmp_path}" in lines


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("missing", [False, True])
def test_no_number_wraps_and_no_line_is_wider_than_the_terminal(tmp_path, width, missing):
    summary = summary_of(tmp_path, {"near-0": "B", "near-1": None if missing else TIMEOUT})
    large = summary.counts.model_copy(update={"unparsed": 123_456, "truncated": 123_456})
    long = [
        row.model_copy(update={"name": f"a_category_with_quite_a_long_name_{row.name}", "counts": large, "n": 123_456})
        for row in summary.categories
    ]
    text = shown(print_summary, summary.model_copy(update={"categories": tuple(long)}), width=width)
    table = [line for line in text.split("───\n")[1].split("\n\n")[0].splitlines() if line.strip()]
    assert all(len(line) <= width for line in table)
    assert text.count("123,456") == 9
    for row in summary.categories:
        assert f"{percent(row.score.mean)} {interval(row.score)}" in re.sub(" +", " ", text)
    # A folded name is still all there.
    names = "".join(line[: re.search(r"\s{2}|\s\d|$", line).start()] for line in table)
    assert "".join(names.split()).count("a_category_with_quite_a_long_name_") == 3


@pytest.mark.parametrize("width", [30, 60])
def test_a_terminal_that_is_too_narrow_loses_no_column(tmp_path, width):
    text = shown(print_summary, summary_of(tmp_path, {"near-0": TIMEOUT, "near-1": "?"}), width=width)
    near = line_of(text, "near").split()
    assert (len(near), near[-3:]) == (10, ["1", "0", "1"])
    assert line_of(text, "category").split()[-1] == "failed"


def test_the_column_of_missing_replies_shows_only_where_some_are_missing(tmp_path):
    complete = shown(print_summary, summary_of(tmp_path))
    partial = shown(print_summary, summary_of(tmp_path, {"near-0": None}))
    assert line_of(complete, "category").split()[-1] == "failed"
    assert line_of(partial, "category").split()[-1] == "missing"
    assert line_of(partial, "near").split()[-1] == "1"


def test_numbers_of_a_column_end_below_each_other(tmp_path):
    text = shown(print_summary, summary_of(tmp_path, {"near-0": "B"}))
    ends = {line.index("]") for line in text.splitlines() if re.match(r"(near|far|size|overall) ", line)}
    assert len(ends) == 1


def test_an_incomplete_run_says_so_first_with_kinds_and_what_to_do(tmp_path):
    failures = {"near-0": TIMEOUT, "near-1": TIMEOUT, "far-0": REFUSED, "size-0": None}
    first, *others = notes(summary_of(tmp_path, failures))
    assert first.grave
    assert first.text == (
        "INCOMPLETE: of 16 questions, 3 failed (1 content_filter, 2 timeout) and 1 has no reply. "
        "None of these is in any mean. Run the same command again: it asks only them."
    )
    assert others[0].text == f"content_filter, for example: blocked {'x' * 292}..."
    assert others[1].text == "timeout, for example: no reply in 300 s \ufffd[2J"


def test_a_complete_run_over_all_questions_has_only_the_remark_on_intervals(tmp_path):
    remarks = notes(summary_of(tmp_path))
    assert [(note.text, note.grave) for note in remarks] == [
        ("95 % intervals in brackets, over 8 groups of questions that share something.", False)
    ]


@pytest.mark.parametrize(
    ("options", "remark"),
    [
        ({"limit": 9}, "Partial: 9 of the task's 16 questions were asked."),
        ({"limit": 8}, "Missing categories: sides lacks far; overall lacks size, far. The others share their weight."),
        ({"protocol": "lenient"}, "Protocol lenient is not verified: the wording is guessed."),
        (
            {"cap": 1024, "manifest": make_manifest({"name": "cot"})},
            "Strategy cot raised the token cap from 16 to 1,024.",
        ),
        ({"replies": {"near-0": "?"}, "protocol": "lenient"}, "The protocol leaves 1 unread answer out of the mean."),
        ({"replies": {"size-0": "?"}}, "Over the 15 of 16 answers that were read, overall is 100.0 "),
    ],
)
def test_what_a_reader_must_know_is_said(tmp_path, options, remark):
    texts = [note.text for note in notes(summary_of(tmp_path, **options))]
    assert any(text.startswith(remark) for text in texts), texts


def test_a_floating_revision_is_said_with_the_fingerprint_of_the_data(tmp_path):
    summary = summary_of(tmp_path)
    floating = summary.model_copy(update={"about": summary.about.model_copy(update={"floating": True})})
    assert any("pins no revision" in note.text and "0123abcd" in note.text for note in notes(floating))


def test_output_that_is_no_terminal_has_no_control_codes(tmp_path):
    text = shown(print_summary, summary_of(tmp_path, {"near-0": TIMEOUT}))
    assert "\x1b" not in text


def test_output_that_is_no_terminal_is_wide_enough_for_most_tables_unless_somebody_set_its_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert make_console(io.StringIO()).width == 120
    monkeypatch.setenv("COLUMNS", "90")
    assert make_console(io.StringIO()).width == 90


def test_names_from_strangers_cannot_steer_the_terminal_or_the_markup(tmp_path):
    summary = summary_of(tmp_path)
    evil = "[red]\x1b[2J\x07evil"
    rows = (summary.categories[0].model_copy(update={"name": evil}), *summary.categories[1:])
    about = summary.about.model_copy(update={"title": evil, "model": evil})
    text = shown(print_summary, summary.model_copy(update={"categories": rows, "about": about}))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count("[red]\ufffd[2J\ufffdevil") == 3


@pytest.mark.parametrize("width", WIDTHS)
def test_several_runs_stand_under_their_task_and_protocol(tmp_path, width):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    good = summary_of(tmp_path / "a")
    bad = summary_of(tmp_path / "b", {"near-0": TIMEOUT}, manifest=make_manifest({"name": "cot"}))
    other = summary_of(tmp_path / "c", protocol="lenient")
    text = shown(print_overview, [other, bad, good], width=width)
    lines = [line.strip() for line in text.splitlines()]
    assert lines.index("sides · lenient (not verified)") < lines.index("sides · official")
    end = text.index("sides · official · ")
    under = text[text.index("sides · official") : end]
    assert all(len(line) <= width for line in under.splitlines())
    assert re.findall(r"openai:gpt-4o-mini\s.*?(plain|cot INCOMPLETE)", under, re.DOTALL) == ["cot INCOMPLETE", "plain"]
    remark = " ".join(text[end:].split())
    start = "sides · official · openai:gpt-4o-mini · cot: INCOMPLETE: of 16 questions, 1 failed (1 timeout)."
    assert remark.startswith(start)
    assert remark.count("INCOMPLETE") == 1


def test_a_run_without_any_score_stands_in_the_overview_with_dashes(tmp_path):
    items = [item.key for item in make_items(*make_task(tmp_path))]
    text = shown(print_overview, [summary_of(tmp_path, dict.fromkeys(items, TIMEOUT))], width=140)
    assert re.search(r"plain INCOMPLETE +0 +– +– +– +– +0 +0 +16", text)


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("short", 8, ["short"]),
        ("object_rel_direction_easy", 16, ["object_rel_", "direction_easy"]),
        ("macro (categories)", 12, ["macro", "(categories)"]),
        ("unbreakablename", 5, ["unbreakablename"]),
        ("hf:Qwen/Qwen2.5-VL-3B", 12, ["hf:Qwen/", "Qwen2.5-VL-", "3B"]),
    ],
)
def test_names_fold_at_their_joints(name, width, lines):
    assert fold(name, width).split("\n") == lines


def test_numbers_are_written_the_same_everywhere():
    assert (percent(0.71234), percent(1.0), percent(None), count(5130)) == ("71.2", "100.0", "–", "5,130")
    assert score(estimate([1.0, 0.0, 1.0], ["a", "a", "a"])) == "66.7"
    assert score(estimate([1.0] * 8 + [0.0] * 2, range(10))) == "80.0 [49.0, 94.3]"
    assert score(None) == "–"
    assert (some(1, "reply", "replies"), some(2, "reply", "replies"), some(1000, "group")) == (
        "1 reply", "2 replies", "1,000 groups",
    )  # fmt: skip
    assert printable("a\tb\u202ec") == "a\ufffdb\ufffdc"


def test_replies_of_saved_files_are_not_told_to_run_again(tmp_path):
    summary = summary_of(tmp_path, {"near-0": None})
    saved = summary.model_copy(update={"about": summary.about.model_copy(update={"strategy": "saved"})})
    assert "Run the same command" not in notes(saved)[0].text
