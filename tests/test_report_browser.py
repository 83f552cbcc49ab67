"""The report in Chromium, of real runs: the embedded model, a baseline, and six real models that answered BLINK."""

from __future__ import annotations

import gzip
import json
import threading

import pytest
from chromium import binary, chromium
from command import spatialeval

from spatialeval.report.html import write_report
from spatialeval.report.html.serving import open_server

SCENES = "scenes:easy(rows=12)"
FIELDS = "document.getElementById('sample-filters').elements"
COUNT = "document.getElementById('sample-count').textContent"
ROWS = "[...document.querySelectorAll('#board tbody:first-of-type tr')].filter((row) => !row.hidden)"


def ran(*arguments):
    made = spatialeval("run", *arguments)
    assert made.code == 0, made


@pytest.fixture(scope="module")
def results(realdata, tmp_path_factory):
    binary()
    folder = tmp_path_factory.mktemp("real")
    out = folder / "results"
    replies = {}
    with gzip.open(realdata / "blink" / "raw_outputs_val.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            replies.setdefault(row["model"], []).append({"id": row["idx"], "reply": row["full_prediction"]})
    for model, rows in replies.items():
        (folder / f"{model}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        ran("-t", "blink:answers", "-m", f"replay:{folder / model}.jsonl", "--data",
            realdata / "blink" / "val_answers.json", "--out", out)  # fmt: skip
    for options in (("embedded", "-s", "plain", "-s", "cot", "-s", "plain+mirror"), ("random",)):
        ran("-t", SCENES, "--out", out, "-m", *options)
    return out


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    write_report([results], out, samples=True)
    return out


async def texts(page, place):
    return await page.js(f"{ROWS}.map((row) => row.cells[{place}].textContent)")


async def test_the_leaderboard_sorts_filters_and_changes_its_look_by_keyboard(report, tmp_path):
    async with chromium(tmp_path) as page:
        await page.open(report / "report.html")
        before = await page.js("[...document.querySelectorAll('#board thead th')].map((head) => head.textContent)")
        column = before.index("blink:answers")
        await page.js(f"document.querySelectorAll('#board thead th')[{column}].querySelector('button').focus()")
        await page.press("Enter")
        scores = [float(text.split(maxsplit=1)[0]) for text in await texts(page, column) if text[0].isdigit()]
        assert len(scores) == 6
        assert scores == sorted(scores, reverse=True)
        await page.press("Enter")
        again = [float(text.split(maxsplit=1)[0]) for text in await texts(page, column) if text[0].isdigit()]
        assert again == scores[::-1]
        form = "document.getElementById('filters').elements"
        await page.change(f"{form}.strategy", "cot")
        assert await texts(page, 2) == ["cot"]
        await page.change(f"{form}.strategy", "")
        await page.change(f"{form}.ability", "multi_view")
        assert await page.js("document.getElementById('shown').textContent") == "6 of 9 rows, 1 of 2 tasks"
        await page.js(f"{form}.ability.form.reset()")
        await page.until("document.getElementById('shown').textContent === '9 of 9 rows, 2 of 2 tasks'")
        await page.js(f"{form}.baselines.click()")
        assert not [text for text in await texts(page, 0) if "random" in text]
        back = "getComputedStyle(document.body).backgroundColor"
        looks = set()
        for _ in range(3):
            await page.js("document.getElementById('look').click()")
            looks.add(await page.js(back))
        assert len(looks) == 2
        await page.js("document.querySelector('#board td a').click()")
        await page.until("document.activeElement.tagName === 'SUMMARY' && document.activeElement.parentElement.open")
        assert page.problems == []
        assert page.requests[:1] == [(report / "report.html").as_uri()]
        assert all(request.startswith(page.requests[0]) for request in page.requests)  # and places in the page


async def test_samples_are_filtered_searched_and_shown_with_picture_and_all_answers(report, tmp_path):
    async with chromium(tmp_path) as page:
        await page.open(report / "report.html")
        await page.until(f"{COUNT} === '1,901 of 1,901 questions'")
        await page.change(f"{FIELDS}.state", "u")
        unparsed = int((await page.js(COUNT)).split()[0].replace(",", ""))
        await page.change(f"{FIELDS}.run", "0")
        assert 0 < int((await page.js(COUNT)).split()[0].replace(",", "")) < unparsed < 1901
        await page.change(f"{FIELDS}.words", "cannot")
        await page.until(f"{COUNT}.includes('questions') && !{COUNT}.startsWith('{unparsed:,}')")
        await page.change(f"{FIELDS}.task", await page.js(f"[...{FIELDS}.task.options].at(-1).value"))
        await page.js(f"{FIELDS}.task.form.reset()")
        await page.change(f"{FIELDS}.task", await page.js(f"[...{FIELDS}.task.options].at(-1).value"))
        await page.until(f"{COUNT} === '12 of 12 questions'")
        await page.js("document.getElementById('sample-list').focus()")
        await page.press("ArrowDown")
        await page.until("document.querySelector('#sample .media img')?.naturalWidth > 100")
        shown = await page.js("document.getElementById('sample').textContent")
        assert await page.js("document.querySelectorAll('#sample .answer').length") == 4
        for text in (
            "embedded, cot",
            "embedded, plain+mirror",
            "random, plain",
            "asked as: mirror",
            "by rule",
            "[user]",
        ):
            assert text in shown, text
        names = await page.js(f"[...{FIELDS}.run.options].map((option) => option.textContent)")
        places = {name: str(place - 1) for place, name in enumerate(names)}
        await page.change(f"{FIELDS}.run", places["random, plain"])
        await page.change(f"{FIELDS}.other", places["embedded, plain"])
        flipped = int((await page.js(COUNT)).split()[0])
        assert 0 < flipped < 12
        marks = await page.js("[...document.querySelectorAll('#sample-list .row')].map((row) => row.textContent)")
        assert len(marks) == flipped
        assert page.problems == []
        assert page.requests == [(report / "report.html").as_uri(), *page.requests[1:]]
        assert all(request.startswith("data:image/webp") for request in page.requests[1:])


@pytest.mark.parametrize("served", [False, True])
async def test_pieces_beside_the_page_open_from_disk_and_from_a_server(results, tmp_path, served):
    out = tmp_path / "report"
    write_report([results], out, samples=True, inside=0)
    assert len(list((out / "report-samples").iterdir())) == 11
    server, address = open_server(out)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        async with chromium(tmp_path / "profile") as page:
            await page.open(address if served else out / "report.html")
            await page.until(f"{COUNT} === '1,901 of 1,901 questions'")
            await page.js("document.querySelector('#sample-list .row').click()")
            await page.until("document.querySelectorAll('#sample .answer').length === 6")
            await page.change(f"{FIELDS}.words", "val_jigsaw_99")
            await page.until(f"{COUNT} === '1 of 1,901 questions'")
            assert page.problems == []
            start = address if served else out.as_uri() + "/"
            assert all(request.startswith((start, "data:")) for request in page.requests)
            assert any("report-samples/samples-0-0.js" in request for request in page.requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
