"""Client CPU per image request: the two transports against each other, beside what re-encoding the picture would cost.

    python benchmarks/http_client.py --requests 500

A loopback server in another process answers at once, so that what is measured is this process: building the body,
sending it, reading the reply. Figures are CPU milliseconds of one process; the ratios are what matters.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image as Picture

from spatialeval.generators.scenes import scenes
from spatialeval.media import Media
from spatialeval.messages import Image, Message, Request, Settings, Text
from spatialeval.models import ModelOptions, open_model

SERVER = Path(__file__).parents[1] / "tests" / "fault_server.py"


async def client_cpu(url: str, transport: str, images: list[bytes], requests: int) -> float:
    """Return CPU seconds per request over one transport, 16 in flight."""
    model = open_model("openai:m", ModelOptions(base_url=url, extra={"transport": transport}))
    await model.start()
    gate = asyncio.Semaphore(16)

    async def ask(index: int) -> None:
        picture = Image(Media("image", f"{index}.png", images[index % len(images)]))
        async with gate:
            await model.ask(Request((Message("user", (picture, Text("Which is closer?"))),), Settings(max_tokens=8)))

    await asyncio.gather(*(ask(i) for i in range(32)))  # connections are open before the clock starts
    start = time.process_time()
    await asyncio.gather(*(ask(i) for i in range(requests)))
    used = time.process_time() - start
    await model.close()
    return used / requests


def reencode_cpu(images: list[bytes], form: str) -> float:
    """Return CPU seconds for decoding a stored picture and encoding it again."""
    start = time.process_time()
    for data in images:
        Picture.open(io.BytesIO(data)).convert("RGB").save(io.BytesIO(), format=form)
    return (time.process_time() - start) / len(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=500)
    requests = parser.parse_args().requests
    images = [row["image"] for row in scenes(seed=1, rows=40, level="hard")]
    server = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        fast = asyncio.run(client_cpu(url, "aiohttp", images, requests))
        sdk = asyncio.run(client_cpu(url, "openai", images, requests))
    finally:
        server.terminate()
    print(f"{len(images)} pictures of {sum(map(len, images)) / len(images) / 1024:.0f} KiB, {requests} requests each")
    for name, value in (
        ("aiohttp transport", fast),
        ("openai SDK transport", sdk),
        ("PNG re-encode", reencode_cpu(images, "PNG")),
        ("JPEG re-encode", reencode_cpu(images, "JPEG")),
    ):
        print(f"{name:<22}{1000 * value:8.2f} ms   {value / fast:6.1f} x aiohttp")


if __name__ == "__main__":
    main()
