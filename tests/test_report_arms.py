"""What a report says about strategies, changed questions, abilities and cost: the numbers of `ablate` and `robust`."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from command import spatialeval

from spatialeval.messages import Response, Usage
from spatialeval.models.base import FunctionModel
from spatialeval.report.html.arms import Stored, arms_of, survivals_of
from spatialeval.report.html.making import make_board
from spatialeval.report.html.plots import Effect, Point, forest, scatter
from spatialeval.report.html.runs import find_runs
from spatialeval.report.html.tables import abilities
from spatialeval.run.ablation import ablate
from spatialeval.run.prepare import RunSpec
from spatialeval.run.retry import RetryPolicy
from spatialeval.run.robustness import robust
from spatialeval.stats import Estimate

YAML = """\
spec: 1
id: sides
about: {title: "Sides, a test", license: none, abilities: [relation, depth]}
data: {source: local}
sample:
  id: "{{ row.id }}"
  category: "{{ row.kind }}"
  answer: yesno
  question: "Is the lamp left of {{ row.id }}?"
  target: "yes"
protocols:
  official: {source: here, instruction: " Answer yes or no.", generate: {max_tokens: 16}}
aggregate: [{name: overall, mean_of: [near, far], headline: true}]
robustness: {negation: {}, polarity: {pair: [left], exhaustive: true}}
"""
ROWS = [{"id": f"{kind}{number}", "kind": kind} for kind in ("near", "far") for number in range(20)]


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "sides.yaml").write_text(YAML)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return RunSpec(
        str(tmp_path / "sides.yaml"),
        "function",
        data=tmp_path / "rows.jsonl",
        out=tmp_path / "out",
        retry=RetryPolicy(attempts=1),
    )


def thoughtful(request):
    """Be right on some questions, on others under cot, and say yes whatever is changed."""
    number = int(re.search(r"(?:near|far)(\d+)", request.messages[-1].text)[1])
    plain = "Answer yes or no." in request.messages[-1].text
    text = "yes" if number < (8 if plain else 14) else "no"
    return Response(text if plain else f"<answer>{text}</answer>", usage=Usage(30, 2 if plain else 90))


def found_in(folder):
    found = find_runs([folder])
    board = make_board(found)
    return board, {shown.id: run for shown, run in zip(board.runs, found.runs, strict=True)}


def test_strategies_are_compared_as_ablate_compares_them(spec):
    told = ablate(spec, ["plain", "cot"], model=FunctionModel(thoughtful))
    board, sources = found_in(spec.out)
    (arms,) = arms_of(board.runs, Stored(sources, None))
    assert [run.strategy for run in arms.runs] == ["plain", "cot"]
    assert arms.rows[1] == tuple(
        replace(cell, readable=arms.rows[1][place].readable) for place, cell in enumerate(told.rows[1])
    )
    assert arms.headline[1].name == "overall"
    assert arms.headline[1].paired.difference == pytest.approx(0.3)


def test_changed_questions_are_compared_as_robust_compares_them(spec):
    told = robust(spec, ["negation", "polarity"], model=FunctionModel(thoughtful))
    board, sources = found_in(spec.out)
    assert sorted(run.kind for run in board.runs) == ["changed", "changed", "model"]
    found = {one.told.name: one.told for one in survivals_of(board.runs, Stored(sources, None))}
    assert set(found) == {"negation", "polarity"}
    for row in told.rows:
        here = found[row.name]
        for name in ("kind", "family", "applied", "total", "plain", "changed", "both", "gap"):
            assert getattr(here, name) == getattr(row, name), name
    assert [run.rank.of for run in board.runs if run.rank] == [1]  # runs on changed questions are not ranked


def test_the_page_has_both_and_the_cost_in_charts_with_names_and_descriptions(spec, tmp_path):
    ablate(spec, ["plain", "cot"], model=FunctionModel(thoughtful))
    robust(replace(spec, out=spec.out / "robust"), ["negation"], model=FunctionModel(thoughtful))
    made = spatialeval("report", spec.out, "-o", tmp_path / "report")
    assert made.code == 0, made
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Strategies of function, official" in page
    assert "+30.0" in page
    assert "Robustness: scores in percent" in page
    assert "tokens out per question" in page
    for chart in re.findall(r"<svg class=\"bars\".*?</svg>", page, re.DOTALL):
        assert 'role="img"' in chart
        assert re.search(r"<title>[^<]+</title><desc>[^<]+</desc>", chart)


def test_an_ability_over_a_part_of_its_tasks_says_so(spec):
    ablate(spec, ["plain", "cot"], model=FunctionModel(thoughtful))
    board, _ = found_in(spec.out)
    (task,) = board.tasks
    plain = next(run for run in board.runs if run.strategy == "plain")
    asking = task.model_copy(update={"abilities": ("relation",)})
    other = asking.model_copy(update={"name": "other"})
    names, lines = abilities(board.model_copy(update={"tasks": (asking, other), "runs": (plain,)}))
    ((_, (cell,)),) = lines
    assert names == ["relation"]
    assert (cell.mean, cell.held, cell.wanted) == (pytest.approx(plain.score.mean), 1, 2)


@pytest.mark.parametrize("reach", [0.0, 0.004, 0.07, 0.6, 1.0])
def test_a_forest_plot_holds_every_whisker(reach):
    drawn = forest([Effect("<b>cot", -reach, max(-1, -reach - 0.1), min(1, reach), 40)], "a title")
    assert "<b>" not in drawn
    places = [float(x) for x in re.findall(r'(?:[MH]|x1="|cx=")(-?[\d.]+)', drawn)]
    assert all(0 <= place <= 750 for place in places)


@pytest.mark.parametrize("costs", [(1.0, 1.0), (0.5, 2.0), (1.0, 5000.0)])
def test_a_scatter_plot_keeps_its_dots_inside_and_in_order(costs):
    score = Estimate(0.5, 0.4, 0.6, 0.05, 100, 100, "t")
    drawn = scatter([Point(f"run {cost}", "model", cost, score) for cost in costs], "a title", "tokens")
    places = [float(x) for x in re.findall(r'cx="([\d.]+)"', drawn)]
    assert places == sorted(places)
    assert all(60 <= place <= 700 for place in places)
    assert ("logarithmic" in drawn) == (costs[1] / costs[0] > 20)
    assert ("1, 2</text>" in drawn) == (costs[0] == costs[1])  # dots in one place share a label
