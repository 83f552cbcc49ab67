"""The loop: base, SFT and GRPO on the embedded model, each evaluated, told in one page; once more, it adds nothing."""

from __future__ import annotations

import json

import pytest
from chromium import chromium
from command import refused, spatialeval
from training_recipes import GRPO, SFT, write_recipe

from spatialeval.stats.paired import holm

pytestmark = pytest.mark.slow

TITLE = "Tiny <script>alert('no')</script> & co"
MODELS = ("base", "sft", "grpo")


@pytest.fixture(scope="module")
def looped(tmp_path_factory):
    """The recipe, what its loop printed, and the folder of its results."""
    folder = tmp_path_factory.mktemp("loop")
    few = {"max_steps": 2, "save_steps": 2, "learning_rate": 1e-5}
    file = write_recipe(
        folder,
        title=TITLE,
        base="embedded",
        prompt={},
        data=[{"task": "scenes(rows=16)"}],
        stages=[
            {"name": "sft", "method": "sft", "trl": {**SFT, **few}},
            {"name": "grpo", "method": "grpo", "trl": {**GRPO, **few}},
        ],
        evaluate=[
            {"task": "scenes(rows=12, seed=5)", "samples": 2, "temperature": 1.0, "max_tokens": 8},
            {"task": "scenes(rows=12, seed=5)", "kind": "ood", "strategy": "plain+mirror", "max_tokens": 8},
        ],
    )
    ran = spatialeval("loop", file, "--out", folder / "out")
    assert ran.code == 0, ran.err
    return file, ran, folder / "out" / "tiny"


def told(looped):
    return json.loads((looped[2] / "loop.json").read_text())


def test_every_exam_is_sat_before_the_training_and_after_each_stage(looped):
    lines = told(looped)["lines"]
    assert [(line["exam"]["kind"], line["model"]) for line in lines] == [
        (kind, model) for kind in ("held_out", "ood") for model in MODELS
    ]
    for line in lines:
        assert line["estimates"]["score"]["mean"] == pytest.approx(line["scores"][0])
        assert len(line["pass_k"]) == (line["exam"]["samples"] > 1)
        assert all(k >= one for one, k in zip(line["pass_1"], line["pass_k"], strict=True))
        assert all((looped[2] / folder / "summary.json").is_file() for folder in line["folders"])


def test_gains_are_differences_of_what_the_lines_say_corrected_together(looped):
    lines = told(looped)["lines"]
    pairs = [
        (line["exam"]["kind"], line["model"], gain["over"], gain["measure"]) for line in lines for gain in line["gains"]
    ]
    measures = {"held_out": ("score", "pass_1", "pass_k"), "ood": ("score",)}
    assert pairs == [
        (kind, model, over, measure)
        for kind in measures
        for model, over in (("sft", "base"), ("grpo", "base"), ("grpo", "sft"))
        for measure in measures[kind]
    ]
    for line in lines:
        for gain in line["gains"]:
            other = next(one for one in lines if one["exam"] == line["exam"] and one["model"] == gain["over"])
            difference = line["estimates"][gain["measure"]]["mean"] - other["estimates"][gain["measure"]]["mean"]
            assert gain["paired"]["difference"] == pytest.approx(difference)
    gains = [gain for line in lines for gain in line["gains"]]
    assert [gain["p"] for gain in gains] == holm([gain["paired"]["p"] for gain in gains])


def test_the_cost_of_each_stage_is_what_it_logged(looped):
    costs = {cost["stage"]: cost for cost in told(looped)["stages"]}
    assert [(cost["steps"], cost["completions"]) for cost in costs.values()] == [(2, 0), (2, 8)]
    for name, cost in costs.items():
        log = [json.loads(line) for line in (looped[2] / "seed-0" / name / "log.jsonl").read_text().splitlines()]
        assert cost["tokens"] == max(line.get("num_tokens", 0) for line in log) > 0
        assert cost["seconds"] > 0
    for cost in told(looped)["exams"]:
        assert cost["calls"] == 12 + 2 * 12 + 12
        assert min(cost["prompt_tokens"], cost["completion_tokens"], cost["seconds"]) > 0


def test_the_table_names_every_pair_and_the_stage_before(looped):
    table = (looped[2] / "loop.md").read_text()
    assert table in looped[1].out
    assert "| Pass@2 | grpo over sft |" in table
    first = next(line for line in table.splitlines() if line.startswith("| scenes") and "| sft |" in line)
    assert first.rstrip(" |").endswith("(base)")


async def test_the_page_shows_it_all_and_loads_nothing(looped, tmp_path):
    file = looped[2] / "loop.html"
    async with chromium(tmp_path) as page:
        await page.open(file)
        assert await page.js("document.title") == f"tiny: {TITLE}"
        rows = "[...document.querySelectorAll('#loop-scores tbody tr:not(.group)')]"
        assert await page.js(f"{rows}.map((row) => row.cells[0].textContent)") == [*MODELS, *MODELS]
        shown = await page.js("[...document.querySelectorAll('#pairs tbody th')].map((cell) => cell.textContent)")
        pairs = ("sft over base", "grpo over base", "grpo over sft")
        assert shown == [pair for many in (3, 1) for pair in pairs for _ in range(many)]  # score, Pass@1, Pass@2
        assert await page.js("document.querySelectorAll('#pairs svg circle').length") == len(shown)
        await page.until("[...document.querySelectorAll('#curves img')].every((one) => one.naturalWidth > 300)")
        assert await page.js("document.querySelectorAll('#curves img').length") == 2
        links = await page.js("[...document.querySelectorAll('#loop-scores a')].map((link) => link.hash)")
        assert len(set(links)) == len(links) == 9  # six greedy runs, three with drawn replies
        for link in links:
            assert await page.js(f"document.querySelector('{link}').matches('details.run')")
        await page.until("document.getElementById('sample-count').textContent === '12 of 12 questions'")
        await page.js("document.querySelector('#sample-list .row').click()")
        await page.until("document.querySelectorAll('#sample .answer').length === 9")
        names = await page.js("[...document.querySelectorAll('#board tbody th')].map((cell) => cell.textContent)")
        assert all(any(name.startswith(model) for name in names) for model in MODELS)
        assert page.problems == []
        assert all(request.startswith("data:image/") for request in page.requests if request != file.as_uri())


def test_the_same_command_trains_and_asks_nothing_again(looped):
    before = {name: (looped[2] / name).read_bytes() for name in ("loop.json", "loop.md")}
    again = spatialeval("loop", looped[0], "--out", looped[2].parent)
    assert again.code == 0, again.err
    assert again.out.count("trained before") == 2
    told_now, told_then = json.loads((looped[2] / "loop.json").read_text()), json.loads(before["loop.json"])
    assert {**told_now, "exams": None} == {**told_then, "exams": None}
    assert [{**cost, "seconds": 0} for cost in told_now["exams"]] == [
        {**cost, "seconds": 0} for cost in told_then["exams"]
    ]


def test_a_recipe_that_evaluates_nothing_is_refused(tmp_path):
    file = write_recipe(tmp_path, base="embedded")
    assert f"{file} evaluates nothing: add `evaluate`" in refused("loop", file, "--out", tmp_path)
