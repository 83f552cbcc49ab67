"""What `spatialeval report` costs: time and memory over many runs, and how quickly a browser shows the page.

python benchmarks/report.py FOLDER                                   # 100 runs x 5,000 samples
python benchmarks/report.py FOLDER --samples                         # the same, with every answer in the page
python benchmarks/report.py FOLDER --runs 200 --rows 50000           # 10 million rows
python benchmarks/report.py FOLDER --runs 4 --rows 50000 --samples --browser

The runs are made here, as `spatialeval run` writes them; FOLDER keeps them for the next time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import measuring
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spatialeval.run.samplefile import COLUMNS
from spatialeval.run.summary import About, Counts, Row, Summary, Tokens
from spatialeval.stats import Estimate

CATEGORIES, STRATEGIES = 6, ("plain", "cot")
TASKS = 5
PROMPT = "Seen from the door in room {0}, on which side of the table is the lamp? Options: A. left B. right. " * 3


def estimate(scores: np.ndarray) -> Estimate:
    """Return a mean with its normal interval: the benchmark needs numbers, not these."""
    mean, se = float(scores.mean()), float(scores.std() / np.sqrt(len(scores)))
    return Estimate(mean, mean - 2 * se, mean + 2 * se, se, len(scores), len(scores), "t")


def row(name: str, scores: np.ndarray, *, headline: bool = False) -> Row:
    """Return a row of a summary."""
    counts, found = Counts(scored=len(scores)), estimate(scores)
    facts = {"chance": 0.5, "majority": 0.5, "score": found, "answered_only": found}
    return Row(name=name, headline=headline, n=len(scores), counts=counts, **facts)


def make_run(folder: Path, number: int, rows: int) -> None:
    """Write one run of a model on a task under a strategy, as a run leaves it."""
    task, model = number % TASKS, number // (TASKS * len(STRATEGIES))
    strategy = STRATEGIES[number // TASKS % len(STRATEGIES)]
    dice = np.random.default_rng(number)
    scores = (dice.random(rows) < 0.4 + 0.02 * (model % 20)).astype(float)
    kinds = [f"kind {place % CATEGORIES}" for place in range(rows)]
    about = About(task=f"made{task}", title="Made for measuring", protocol="official", strategy=strategy,
                  model=f"model {model}", cap=64, data="0" * 64)  # fmt: skip
    categories = tuple(row(f"kind {kind}", scores[kind::CATEGORIES]) for kind in range(CATEGORIES))
    head = row("mean of kinds", scores, headline=True)
    summary = Summary(
        about=about, total=rows, samples=rows, counts=Counts(scored=rows), failures={}, messages={}, complete=True,
        headline=head.name, score=head.score, categories=categories, parts=(head,), missing_categories=(), calls=rows,
        attempts=rows, tokens=Tokens(prompt=300 * rows, completion=5 * rows), cap_sent=64, versions={},
    )  # fmt: skip
    identity = {"protocol": {"aggregate": [{"name": head.name, "mean_of": "categories", "headline": True}]}}
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(summary.model_dump_json())
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "identity": identity, "sessions": [], "totals": {}}))
    replies = ["A" if score else "B, since the lamp stands left of the table" for score in scores]
    held = {
        "key": (ids := [f"made-{place:06}" for place in range(rows)]), "sample_id": ids, "view": [""] * rows,
        "category": kinds, "group": [""] * rows, "answer": ["choice"] * rows,
        "question": (asked := [PROMPT.format(place) for place in range(rows)]), "target": ["A"] * rows,
        "state": ["scored"] * rows, "score": scores, "read": [reply[0] for reply in replies], "rule": ["letter"] * rows,
        "attempts": [1] * rows, "reply": replies, "finish": ["stop"] * rows, "prompt_tokens": [300] * rows,
        "completion_tokens": [5] * rows, "latency": [0.1] * rows, "calls": list(map(call, asked, replies)),
    }  # fmt: skip
    arrays = [pa.array(held.get(name, [None] * rows), pa.type_for_alias(kind)) for name, kind in COLUMNS.items()]
    table = pa.Table.from_arrays(arrays, list(COLUMNS))
    pq.write_table(table, folder / "samples.parquet", row_group_size=1000, compression="zstd")


def call(asked: str, reply: str) -> str:
    """Return the calls of a row."""
    request = {"messages": [{"role": "user", "parts": [{"type": "text", "text": asked}]}], "settings": {}}
    return json.dumps([{"request": request, "response": {"text": reply}, "latency": 0.1, "attempts": 1}])


async def browsed(page: Path) -> dict[str, float]:
    """Return the seconds until the page shows, a filter is done, a sample is open and a search is over."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from chromium import chromium

    count = "document.getElementById('sample-count').textContent"
    form = "document.getElementById('sample-filters').elements"
    told = "dispatchEvent(new Event('input', {bubbles: true}))"
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with chromium(Path(profile)) as tab:
            for name, act, done in (
                ("open", None, f"{count}.includes('questions')"),
                ("filter", f"{form}.state.value = 'u'; {form}.state.{told}", f"{count}.startsWith('0 of')"),
                ("unfilter", f"{form}.state.value = ''; {form}.state.{told}", f"!{count}.startsWith('0 of')"),
                ("scroll", "document.getElementById('sample-list').scrollTop = 1e6",
                 "document.querySelector('#sample-list .row').id !== 'row-0'"),
                ("a sample", "document.querySelector('#sample-list .row').click()",
                 "document.querySelector('#sample .reply')"),
                ("search", f"{form}.words.value = 'room 4321,'; {form}.words.{told}", f"{count}.startsWith('1 of')"),
            ):  # fmt: skip
                began = time.monotonic()
                await (tab.js(act) if act else tab.open(page))
                await tab.until(done, 120)
                times[name] = time.monotonic() - began
            if tab.problems:
                raise RuntimeError(f"the page logs errors: {tab.problems}")
    return times


def main() -> None:
    """Make the runs where they are not there yet, and print what a report over them costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--samples", action="store_true")
    parser.add_argument("--browser", action="store_true", help="Also open the page in Chromium.")
    asked = parser.parse_args()
    runs = asked.folder / f"{asked.runs}-runs-of-{asked.rows}"
    for number in range(asked.runs):
        if not (folder := runs / f"run{number:03}").exists():
            make_run(folder, number, asked.rows)
    out = asked.folder / "report"
    command = [Path(sys.executable).with_name("spatialeval"), "report", runs, "-o", out]
    cost = measuring.run([*command, *(["--samples"] if asked.samples else [])])
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    what = f"{asked.runs} runs x {asked.rows:,} samples{' with every answer' if asked.samples else ''}"
    print(
        f"{what}: {cost.wall:.1f} s, {cost.cpu:.1f} s of CPU, {cost.rss:,.0f} MB at the peak, {size / 1e6:.1f} MB out"
    )
    if asked.browser:
        times = asyncio.run(browsed(out / "report.html"))
        print("In Chromium:", ", ".join(f"{name} {seconds:.2f} s" for name, seconds in times.items()))


if __name__ == "__main__":
    main()
