"""Take docs/report.png and docs/report-narrow.png, the pictures of a report in the README, with headless Chromium.

    spatialeval quickstart --out results/embedded
    spatialeval ablate embedded -t 'scenes:easy(rows=150)' -s plain,cot,ccot,self-consistency --out results/ablate
    spatialeval robust embedded -t 'scenes:easy(rows=150)' --transforms mirror,polarity,negation --out results/robust
    spatialeval run -t blink:answers -m replay:GPT4o.jsonl --data val_answers.json --out results/blink  # and so on
    spatialeval report results/blink results/ablate results/embedded results/robust -o report --samples
    python docs/report_picture.py report docs

The replies to BLINK are those that its authors published for six models, and the embedded model's are made here.
"""

from __future__ import annotations

import asyncio
import base64
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import chromium

COLOURS, GAP = 200, 14
TASK = "scenes:easy"
CHOOSE = f"""(() => {{
  const form = document.getElementById('sample-filters').elements;
  form.task.value = [...form.task.options].find((option) => option.textContent.startsWith('{TASK}')).value;
  form.task.dispatchEvent(new Event('input', {{bubbles: true}}));
}})()"""


async def part(page: Any, selector: str, width: int, height: int) -> Image.Image:
    """Return the picture of an element, at most `height` tall."""
    measured = f"(() => {{ const r = {selector}.getBoundingClientRect(); return [r.y + scrollY, r.height] }})()"
    top, tall = await page.js(measured)
    clip = {"x": 0, "y": top, "width": width, "height": min(tall, height), "scale": 1}
    shot = await page.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")


async def take(report: Path, width: int, look: str, parts: list[tuple[str, int]]) -> Image.Image:
    """Return parts of the page below each other."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with chromium(Path(profile)) as page:
            await page.open(report / "report.html", width=width)
            await page.js(f"document.documentElement.dataset.look = '{look}'")
            await page.js("document.documentElement.style.scrollBehavior = 'auto'")
            await page.until("document.getElementById('sample-count').textContent.includes('questions')")
            await page.js("document.querySelector('#board thead th[data-column=\"0\"] button').click()")
            await page.js(CHOOSE)
            await asyncio.sleep(0.5)
            await page.js("document.querySelectorAll('#sample-list .row')[5].click()")
            await page.until("document.querySelector('#sample .media img')?.naturalWidth")
            shots = [await part(page, selector, width, height) for selector, height in parts]
    whole = Image.new("RGB", (width, sum(shot.height + GAP for shot in shots) - GAP), "gray")
    top = 0
    for shot in shots:
        whole.paste(shot, (0, top))
        top += shot.height + GAP
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


def main(report: Path, folder: Path) -> None:
    """Write both pictures."""
    samples, top = "document.getElementById('samples')", "document.body"
    arms = "(one) => one.textContent.startsWith('Strategies.') && one.textContent.includes('self-consistency')"
    forest = f"[...document.querySelectorAll('figure')].find({arms})"
    wide = asyncio.run(take(report, 1280, "light", [(top, 980), (forest, 420), (samples, 780)]))
    wide.save(folder / "report.png", optimize=True)
    narrow = asyncio.run(take(report, 390, "dark", [(top, 1000), (samples, 1000)]))
    narrow.save(folder / "report-narrow.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
