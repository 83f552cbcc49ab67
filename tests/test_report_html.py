"""`spatialeval report`: the leaderboard's files and the page, with models and data that try to break out of it."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import jsonschema
import pytest
from chromium import binary, chromium
from command import REPOSITORY, refused, spatialeval
from PIL import Image
from run_letters import TASK, write_rows

from spatialeval.report.html.board import Board, BoardRun, schema
from spatialeval.report.html.making import make_board
from spatialeval.report.html.page import policy
from spatialeval.report.html.ranking import by_intervals, ranked
from spatialeval.report.html.runs import Found, find_runs
from spatialeval.report.html.thumbs import Pictures
from spatialeval.stats import Estimate

EVIL = "<script>boom()</script><img src=x onerror=boom()>"
MODEL = "=cmd|<img src=x onerror=boom()>.jsonl"
CATEGORY = "a</title></script><script>boom()</script>"
REPLIES = (
    f"A {EVIL}",
    "</script><script>boom()</script>",
    "left \u202eright\u202c \x1b[31mred\x1b[0m",
    "needle " + "x" * 1_000_000,
)
ROWS = 12


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two scored files of replies: one hostile, one that answers half of the questions."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "letters.yaml").write_text(TASK.replace("title: Letters", f"title: '{EVIL}'"))
    rows = [
        {"id": f"r{i}", "target": "ABCD"[i % 4], "choices": ["w", "x", "y", "z"], "category": [CATEGORY, "b"][i % 2]}
        for i in range(ROWS)
    ]
    write_rows(folder / "rows.jsonl", rows)
    write_rows(folder / MODEL, [{"id": f"r{i}", "reply": REPLIES[i % 4]} for i in range(ROWS)])
    write_rows(folder / "half.jsonl", [{"id": f"r{i}", "reply": "ABCD"[i % 4]} for i in range(0, ROWS, 2)])
    for name in (MODEL, "half.jsonl"):
        made = spatialeval(
            "score", folder / "letters.yaml", folder / name, "--data", folder / "rows.jsonl",
            "--out", folder / "results" / ("one" if name == MODEL else "two"),
        )  # fmt: skip
        assert "Results:" in made.text, made
    return folder / "results"


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    made = spatialeval("report", results, "-o", out, "--samples")
    assert made.code == 0, made
    assert "2 runs on 1 task" in made.out
    return out


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text outside of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self._raw = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._raw = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self._raw = False

    def handle_data(self, data):
        if not self._raw:
            self.text.append(data)


def test_the_four_files_are_written_and_the_json_fits_its_schema(report):
    assert {file.name for file in report.iterdir()} == {
        "leaderboard.md", "leaderboard.csv", "leaderboard.json", "report.html"
    }  # fmt: skip
    content = json.loads((report / "leaderboard.json").read_text())
    jsonschema.Draft202012Validator(json.loads(schema())).validate(content)
    assert [run["model"] for run in content["runs"]] == [MODEL, "half.jsonl"]
    assert Board.model_validate(content).runs[0].score.n == ROWS


def test_the_schema_in_the_docs_is_the_one_of_the_code():
    assert (REPOSITORY / "docs" / "leaderboard.schema.json").read_text() == schema()


def test_no_csv_cell_is_a_formula_and_no_markdown_cell_is_markup(report):
    rows = list(csv.DictReader(io.StringIO((report / "leaderboard.csv").read_text())))
    assert rows[0]["model"] == f"'{MODEL}"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]
    text = (report / "leaderboard.md").read_text()
    assert "<" not in text
    assert r"=cmd\|&lt;img" in text
    header = next(line for line in text.splitlines() if line.startswith("| rank"))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {len(header.split("|"))}


def test_hostile_names_make_no_element_and_no_attribute(report):
    page = Elements((report / "report.html").read_text())
    tags = {tag for tag, _ in page.elements}
    assert "img" not in tags
    scripts = [attrs.get("type") for tag, attrs in page.elements if tag == "script"]
    assert scripts.count(None) == 1
    assert set(scripts) == {None, "application/gzip+base64"}
    names = {name for _, attrs in page.elements for name in attrs}
    assert not [name for name in names if name.startswith("on")]
    assert "style" not in names
    assert CATEGORY in "".join(page.text)
    assert EVIL in "".join(page.text)


def test_the_page_refers_to_nothing_outside_and_its_policy_allows_nothing_else(report):
    text = (report / "report.html").read_text()
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", re.sub(r'base64">[^<]*', "", text))
    page = Elements(text)
    links = [attrs[name] for _, attrs in page.elements for name in ("href", "src", "action") if name in attrs]
    assert links
    assert all(link.startswith("#") or link == "data:," for link in links)
    stated = next(attrs["content"] for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    assert stated == policy(style, script)
    assert "unsafe" not in stated
    assert stated.startswith("default-src 'none'")


def test_every_answer_is_in_the_page_and_long_ones_say_what_is_cut(report):
    text = (report / "report.html").read_text()
    packed = dict(re.findall(r'<script type="application/gzip\+base64" id="([\w-]+)">([^<]*)</script>', text))
    chunks = {name: json.loads(gzip.decompress(base64.b64decode(data))) for name, data in packed.items()}
    (task,) = chunks["samples-index"]["tasks"]
    assert task["states"][1] == "1-" * (ROWS // 2)
    assert set(task["states"][0]) <= set("01u")
    items = chunks["samples-0-0"]["items"]
    assert [item["answers"][0]["reply"] for item in items[:3]] == list(REPLIES[:3])
    assert "more characters are in samples.parquet" in items[3]["answers"][0]["reply"]
    assert len(items[3]["answers"][0]["reply"]) < 21_000


def test_an_incomplete_run_is_marked_and_has_no_rank(report):
    runs = Board.model_validate_json((report / "leaderboard.json").read_text()).runs
    assert [run.complete for run in runs] == [True, False]
    assert runs[0].rank is not None
    assert runs[1].rank is None
    assert "incomplete" in (report / "leaderboard.md").read_text()
    assert '<span class="badge warn">incomplete: 6 of 12</span>' in (report / "report.html").read_text()


def board_run(results, number, low, high, **changes):
    (plain, *_) = make_board(find_runs([results])).runs
    score = Estimate((low + high) / 2, low, high, (high - low) / 4, 100, 100, "t")
    return BoardRun(**{**dict(plain), "id": f"r{number}", "score": score, "rank": None, **changes})


@pytest.mark.parametrize(
    ("intervals", "ranks"),
    [
        ([(0.8, 0.9), (0.5, 0.6), (0.1, 0.2)], [(1, 1), (2, 2), (3, 3)]),
        ([(0.8, 0.9), (0.5, 0.82), (0.4, 0.6)], [(1, 2), (1, 3), (2, 3)]),
        ([(0.4, 0.6), (0.4, 0.6)], [(1, 2), (1, 2)]),
    ],
)
def test_runs_are_tied_where_their_intervals_overlap(results, intervals, ranks):
    scores = [Estimate((low + high) / 2, low, high, 0.02, 100, 100, "t") for low, high in intervals]
    assert by_intervals(scores) == ranks


def test_runs_on_the_same_questions_are_ranked_by_drawing_them_again(tmp_path):
    """Two runs whose intervals overlap, of which one is never worse than the other, have sure places."""
    (tmp_path / "letters.yaml").write_text(TASK)
    choices = ["w", "x", "y", "z"]
    write_rows(
        tmp_path / "rows.jsonl",
        [{"id": f"r{i}", "target": "A", "choices": choices, "category": "a"} for i in range(60)],
    )
    for name, right in (("better", 40), ("worse", 30), ("same", 30)):
        write_rows(tmp_path / f"{name}.jsonl", [{"id": f"r{i}", "reply": "A" if i < right else "B"} for i in range(60)])
        spatialeval(
            "score", tmp_path / "letters.yaml", tmp_path / f"{name}.jsonl", "--data", tmp_path / "rows.jsonl",
            "--out", tmp_path / "results" / name,
        )  # fmt: skip
    runs = make_board(find_runs([tmp_path / "results"])).runs
    assert runs[0].score.low < runs[1].score.high
    told = {run.model: (run.rank.best, run.rank.worst, run.rank.tied, run.rank.method) for run in runs}
    assert told == {
        "better.jsonl": (1, 1, False, "bootstrap"),
        "worse.jsonl": (2, 2, True, "bootstrap"),
        "same.jsonl": (2, 2, True, "bootstrap"),
    }


@pytest.mark.parametrize("change", [{"data": "other"}, {"protocol": "strict"}, {"scores_version": 2}, {"samples": 3}])
def test_runs_that_cannot_be_compared_are_not_ranked_against_each_other(results, change):
    runs = [board_run(results, 1, 0.1, 0.2), board_run(results, 2, 0.8, 0.9, **change)]
    assert [(run.rank.best, run.rank.of) for run in ranked(runs, {}, {})] == [(1, 1), (1, 1)]


def test_baselines_and_blind_runs_are_shown_and_not_ranked(results):
    runs = [board_run(results, 1, 0.1, 0.2), board_run(results, 2, 0.8, 0.9, kind="blind")]
    assert [run.rank and run.rank.of for run in ranked(runs, {}, {})] == [1, None]


def test_people_and_published_rows_come_from_the_task_file(results):
    run = find_runs([results]).runs[0]
    about = run.summary.about.model_copy(update={"task": "blink"})
    summary = run.summary.model_copy(update={"about": about, "headline": "Total"})
    board = make_board(Found((type(run)(run.place, run.name, summary, None),), ()))
    assert board.tasks[0].human == pytest.approx(0.957)
    assert board.tasks[0].abilities
    assert {row.role for row in board.tasks[0].published} == {"model", "human", "chance", "baseline"}


def test_a_picture_is_embedded_only_where_its_digest_agrees(tmp_path):
    Image.new("RGB", (800, 40), "red").save(tmp_path / "a.png")
    digest = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    assert Pictures(tmp_path, 100_000).thumb(digest, "deep/a.png").startswith("data:image/webp;base64,")
    assert Pictures(tmp_path, 100_000).thumb("0" * 64, "a.png") is None
    assert Pictures(tmp_path, 10).thumb(digest, "a.png") is None
    (tmp_path / "inside").mkdir()
    assert Pictures(tmp_path / "inside", 100_000).thumb(digest, "../a.png") is None


def test_a_folder_without_runs_is_refused_and_nothing_is_written(tmp_path):
    assert "No run with results" in refused("report", tmp_path, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_run_is_left_out_by_name(results, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "summary.json").write_text("{")
    made = spatialeval("report", results, tmp_path, "-o", tmp_path / "out")
    assert made.code == 0
    assert f"Left out: {tmp_path.name}/broken: " in made.err
    assert str(tmp_path) not in (tmp_path / "out" / "report.html").read_text()
    assert "1 left out" in (tmp_path / "out" / "report.html").read_text()


async def test_chromium_sorts_filters_searches_and_opens_a_sample_without_an_error(report, tmp_path):
    binary()
    async with chromium(tmp_path) as page:
        await page.open(report / "report.html")
        first = "document.querySelector('#board tbody tr th').textContent"
        sort = "document.querySelector('#board thead th button').click()"
        await page.js(sort)
        assert MODEL in await page.js(first)
        await page.js(sort)
        assert "half" in await page.js(first)
        assert await page.js("document.querySelector('#board thead th').getAttribute('aria-sort')") == "descending"
        await page.js("const m = document.querySelector('#filters [name=model]'); m.value = 'half'")
        await page.js("m.dispatchEvent(new Event('input', {bubbles: true}))")
        assert await page.js("document.getElementById('shown').textContent") == "1 of 2 rows, 1 of 1 tasks"
        back = "getComputedStyle(document.body).backgroundColor"
        await page.js("document.getElementById('look').click()")
        light = await page.js(back)
        await page.js("document.getElementById('look').click()")
        assert await page.js(back) != light
        counted = "document.getElementById('sample-count').textContent"
        await page.until(f"{counted} === '{ROWS} of {ROWS} questions'")
        await page.js("const w = document.querySelector('#sample-filters [name=words]'); w.value = 'NEEDLE'")
        await page.js("w.dispatchEvent(new Event('input', {bubbles: true}))")
        await page.until(f"{counted} === '3 of {ROWS} questions'")
        await page.js("w.value = ''; w.dispatchEvent(new Event('input', {bubbles: true}))")
        await page.until(f"{counted} === '{ROWS} of {ROWS} questions'")
        await page.js("document.getElementById('sample-list').focus()")
        for _ in range(3):
            await page.send("Input.dispatchKeyEvent", type="rawKeyDown", key="ArrowDown", code="ArrowDown")
        await page.until("document.querySelector('#sample .reply')?.textContent.includes('⟨U+202E⟩right')")
        assert "⟨U+001B⟩[31mred" in await page.js("document.querySelector('#sample .reply').textContent")
        assert await page.js("typeof boom") == "undefined"
        assert await page.js("document.querySelectorAll('#sample script, #sample img').length") == 0
        assert page.problems == []
        assert page.requests == [(report / "report.html").as_uri()]
