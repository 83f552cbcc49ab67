"""Many calls that cost money are asked about first; what a strategy and its views multiply to is said."""

from __future__ import annotations

import click
import pytest
from run_letters import ROWS, letters_run

from spatialeval.cli import confirm
from spatialeval.cli.confirm import announce, announce_all
from spatialeval.models.base import FunctionModel
from spatialeval.run.prepare import prepare


@pytest.fixture
def ready(tmp_path):
    from dataclasses import replace

    return lambda asking: prepare(replace(letters_run(tmp_path), strategy=asking))


def model(*, hosted):
    made = FunctionModel(lambda _: "A", "openai:dear")
    made.hosted = hosted
    return made


def test_one_call_per_sample_needs_no_words(ready, capsys):
    announce(ready("plain"), model(hosted=True), yes=False)
    assert capsys.readouterr().err == ""


def test_the_product_of_forms_and_calls_is_said_with_its_tokens(ready, capsys):
    announce(ready("self-consistency(k=3)+circular"), model(hosted=False), yes=False)
    said = capsys.readouterr().err
    assert f"{ROWS} samples in {4 * ROWS} forms, up to 3 calls each: up to {12 * ROWS:,} calls" in said
    assert "prompt tokens" in said


@pytest.mark.parametrize(
    ("hosted", "yes", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_many_calls_that_cost_money_need_a_yes_where_nobody_can_be_asked(ready, monkeypatch, hosted, yes, refused):
    monkeypatch.setattr(confirm, "MANY_CALLS", 30)
    if refused:
        with pytest.raises(click.UsageError, match=r"more than 30 calls of openai:dear.*--yes"):
            announce(ready("plain"), model(hosted=hosted), yes=yes)
    else:
        announce(ready("plain"), model(hosted=hosted), yes=yes)


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked(ready, monkeypatch, answer):
    monkeypatch.setattr(confirm, "MANY_CALLS", 30)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda _: "y" if answer else "n")
    if answer:
        announce(ready("plain"), model(hosted=True), yes=False)
    else:
        with pytest.raises(click.Abort):
            announce(ready("plain"), model(hosted=True), yes=False)


@pytest.mark.parametrize(("limit", "refused"), [(30, True), (1_000_000, False)])
def test_several_runs_are_asked_about_by_what_they_come_to_together(ready, monkeypatch, capsys, limit, refused):
    runs = [ready("plain"), ready("plain+circular")]
    calls = sum(len(run.items) for run in runs)
    monkeypatch.setattr(confirm, "MANY_CALLS", min(limit, calls - 1) if refused else limit)
    if refused:
        with pytest.raises(click.UsageError, match="--yes"):
            announce_all(runs, model(hosted=True), yes=False)
    announce_all(runs, model(hosted=True), yes=refused)
    assert f"2 runs: up to {calls:,} calls" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("way", "calls", "upper"),
    [
        ("plain", 1, lambda first, cap: first),
        ("cot-2turn", 2, lambda first, cap: 2 * first + cap),
        ("self-consistency(k=3, of=cot-2turn)", 6, lambda first, cap: 3 * (2 * first + cap)),
        ("scene-graph(graph_max_tokens=10, max_tokens=30)", 2, lambda first, cap: 2 * first + cap),
        ("facts-solve(facts=rules)", 0, lambda first, cap: 0),
    ],
)
def test_later_calls_are_guessed_with_all_that_was_said_before(way, calls, upper):
    from spatialeval.run.asking import parse_asking

    strategy = parse_asking(way)[0]
    assert strategy.calls == calls
    assert strategy.prompt_tokens(100, 1000, 800) == upper(100, 1000)


def test_pictures_that_tools_may_add_are_in_the_guess(ready):
    from spatialeval.run.asking import parse_asking

    tools = parse_asking("tools(max_calls=3, max_pictures=2)")[0]
    assert tools.prompt_tokens(100, 1000, 800) == 3 * 100 + 3 * 1000 + 2 * 2 * 800


def test_answers_are_at_most_as_long_as_the_longest_cap(ready):
    import asyncio

    from spatialeval.run.execute import estimate

    run = ready("scene-graph(graph_max_tokens=10, max_tokens=30)+circular")
    plan = asyncio.run(estimate(run.spec, run))
    assert (plan.samples, plan.items, plan.calls) == (ROWS, 4 * ROWS, 8 * ROWS)
    assert plan.completion_tokens == 8 * ROWS * 30
