"""`spatialeval power`: numbers from options and from finished runs, as text and JSON."""

from __future__ import annotations

import json

import pytest
from command import spatialeval
from graded_runs import make_items, make_manifest, make_records, make_task

import spatialeval as se
from spatialeval.run.results import write_results
from spatialeval.stats.power import Design, questions_needed


@pytest.fixture
def results(tmp_path):
    task, data = make_task(tmp_path)
    items, protocol = make_items(task, data), task.protocol()
    for name, wrong in (("one", {"near-0": "B", "near-1": "A", "far-0": "B"}), ("two", {"near-0": "B"})):
        write_results(tmp_path / name, task, protocol, items, make_records(items, protocol, wrong), make_manifest())
    return tmp_path / "one", tmp_path / "two"


def test_two_points_take_so_many_questions(tmp_path):
    ran = spatialeval("power", "--score", 60, "--points", 2, "--json", tmp_path / "p.json")
    assert ran.code == 0
    assert "+2.0 points" in ran.out
    row = json.loads((tmp_path / "p.json").read_text())["rows"][0]
    assert row["paired"] == questions_needed(0.02, Design(0.6))
    assert row["unpaired"] == questions_needed(0.02, Design(0.6, paired=False))
    assert f"{row['paired']:,}" in ran.out


def test_finished_runs_tell_score_groups_and_how_often_they_differ(results):
    one = se.power(results[0]).plan
    assert (one.measured.questions, one.measured.clusters) == (16, 8)
    assert one.paired.score == pytest.approx(13 / 16)
    assert (one.paired.differ, one.paired.group_size) == (None, 2)
    two = se.power(*results).plan
    assert two.paired.differ == pytest.approx(2 / 16)
    assert two.questions == 16


def test_options_replace_what_the_runs_tell(results):
    found = se.power(*results, score=50, differ=30, icc=0.1, group_size=4, questions=200, points=[5, -5]).plan
    assert (found.paired.score, found.paired.differ, found.paired.icc, found.paired.group_size) == (0.5, 0.3, 0.1, 4)
    assert (found.unpaired.icc, found.questions) == (0.1, 200)
    assert found.rows[0].paired == questions_needed(0.05, found.paired)
    assert found.rows[0].power == pytest.approx(found.rows[1].power)
    assert se.power(*results, correlation=0.2).plan.paired.differ is None


def test_differences_that_cannot_be_are_a_dash():
    plan = se.power(score=99, points=[0.5, 5]).plan
    assert plan.rows[0].paired > 0
    assert plan.rows[1].paired is None
    assert "\N{EN DASH}" in str(se.power(score=99, points=5))


@pytest.mark.parametrize(("arguments", "said"), [((), "--score 60"), (("--score", "60", "--points", "0"), "not 0")])
def test_what_cannot_be_counted_is_told(arguments, said):
    ran = spatialeval("power", *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_three_runs_are_one_too_many(results):
    ran = spatialeval("power", *results, results[0])
    assert ran.code == 2
    assert "one or two finished runs" in ran.err
