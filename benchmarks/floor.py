"""The floor: the least that an evaluation of pictures can do. Reads rows, asks, writes a line per answer, durable.

    python benchmarks/floor.py rows.parquet out.jsonl --base-url http://127.0.0.1:8000/v1 --concurrency 64

No task file, no readers, no retries, no resume: what a run costs above this is the price of all those.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
from pathlib import Path

import aiohttp
import pyarrow.parquet as pq


def read(path: Path):
    """Yield rows, one row group at a time."""
    with pq.ParquetFile(path, pre_buffer=False) as table:
        for group in range(table.num_row_groups):
            yield from table.read_row_group(group).to_pylist()


def body(row: dict) -> bytes:
    """Return the request for one row."""
    options = "".join(f"{letter}. {text}\n" for letter, text in zip("ABCD", row["choices"], strict=True))
    text = f"{row['question']}\nOptions:\n{options}Answer with the letter of the right option."
    url = "data:image/jpeg;base64," + base64.b64encode(row["image"]["bytes"]).decode()
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}]
    messages = [{"role": "user", "content": parts}]
    return json.dumps({"model": "mock", "messages": messages, "max_tokens": 16, "temperature": 0.0}).encode()


async def main(rows: Path, out: Path, base_url: str, concurrency: int) -> None:
    """Ask every row."""
    todo, right, asked = read(rows), 0, 0
    timeout = aiohttp.ClientTimeout(total=300)
    with out.open("w") as file:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

            async def work() -> None:
                nonlocal right, asked
                for row in todo:
                    async with session.post(f"{base_url}/chat/completions", data=body(row)) as reply:
                        text = (await reply.json())["choices"][0]["message"]["content"]
                    asked, right = asked + 1, right + (text.strip()[:1] == row["answer"])
                    file.write(json.dumps({"id": row["id"], "reply": text, "right": text == row["answer"]}) + "\n")

            await asyncio.gather(*(work() for _ in range(concurrency)))
        file.flush()
        os.fsync(file.fileno())
    print(f"{asked} asked, {100 * right / asked:.1f} right")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    asyncio.run(main(given.rows, given.out, given.base_url, given.concurrency))
