"""A run with a cache of answers, as a process of its own. Usage: cache_worker.py FOLDER CACHE LOG ITEMS.

Every request is written to LOG before it is answered.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from run_fakes import answering, make_items, run

from spatialeval.run.cache import AnswerCache


async def main(folder: Path, cache: Path, log: Path, count: int) -> None:
    """Ask; print what the cache had to say."""
    requests = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def answer(request):
        os.write(requests, f"{request.sample.id}\n".encode())
        await asyncio.sleep(0.001)
        return answering(request)

    with AnswerCache(cache, tell=print) as held:
        await run(make_items(count), folder, answer, cache=held)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
