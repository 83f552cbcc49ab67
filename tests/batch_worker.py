"""A run of questions in two steps by way of batches, as a process that tests can kill.

Usage: batch_worker.py FOLDER BASE_URL ITEMS. Prints what the model tells, then what became of each item, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from run_fakes import TwoSteps, make_items, run

from spatialeval.models.base import ModelOptions, open_model

SETTINGS = {"quiet": 0.1, "poll": 0.02}


def batch_model(folder, base_url, tell=lambda text: None, **settings):
    """A model that keeps its batches in a folder, not yet started."""
    model = open_model("openai:m", ModelOptions(base_url, 10.0, extra={"batch": {**SETTINGS, **settings}}))
    model.concurrency = 200
    model.keep_in(folder / "model", tell)
    return model


async def ask(folder, base_url, items, tell=lambda text: None, settings=None, **changes):
    """Run; return the records."""
    model = batch_model(folder, base_url, tell, **(settings or {}))
    try:
        await model.start()
        return await run(items, folder, model=model, **changes)
    finally:
        await model.close()


async def main(folder: Path, base_url: str, count: int) -> None:
    """Run in two steps, and print."""
    records = await ask(folder, base_url, make_items(count), print, strategy=TwoSteps())
    print(json.dumps([(r.key, r.state, r.score, r.reply, len(r.calls)) for r in records]))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
