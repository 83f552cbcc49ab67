"""A page in headless Chromium, driven over its own debugging port: what it logs, asks the network for, and shows."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time

import aiohttp
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def binary():
    """Return Chromium's path, or skip the test with the reason."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or pytest.skip("no Chromium is installed")


class Page:
    """One page. `problems` has every console error, refused resource and exception; `requests` every address asked."""

    def __init__(self, socket):
        self.socket, self.numbers, self.waiting = socket, itertools.count(1), {}
        self.problems, self.requests = [], []

    async def listen(self):
        async for message in self.socket:
            told = json.loads(message.data)
            if "id" in told:
                self.waiting.pop(told["id"]).set_result(told)
            elif told["method"] == "Runtime.exceptionThrown":
                self.problems.append(str(told["params"]["exceptionDetails"]))
            elif told["method"] == "Log.entryAdded":
                self.problems.append(told["params"]["entry"]["text"])
            elif told["method"] == "Runtime.consoleAPICalled" and told["params"]["type"] in {"error", "warning"}:
                self.problems.append(str(told["params"]["args"]))
            elif told["method"] == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])

    async def send(self, method, **params):
        number = next(self.numbers)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": params})
        answer = await asyncio.wait_for(self.waiting[number], 30)
        assert "error" not in answer, answer
        return answer["result"]

    async def open(self, file, width=1280, height=900):
        """Show a file, or an address."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.send("Page.navigate", url=file if isinstance(file, str) else file.as_uri())
        await self.until("document.readyState === 'complete'")

    async def js(self, code):
        """Return what an expression gives; a promise is waited for."""
        done = await self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def change(self, element, value):
        """Give a field of a form another value, as a user does."""
        shown = json.dumps(value)
        await self.js(f"{element}.value = {shown}, {element}.dispatchEvent(new Event('input', {{bubbles: true}}))")

    async def press(self, key):
        """Press a key."""
        more = {"text": "\r", "windowsVirtualKeyCode": 13} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, **more)

    async def until(self, code, seconds=20):
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not await self.js(f"!!({code})"):
            assert time.monotonic() < end, f"never true: {code}"
            await asyncio.sleep(0.05)

    async def picture(self, file, *, whole=True):
        """Write a screenshot."""
        shot = await self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def chromium(folder):
    """Yield an empty page; `folder` keeps the browser's profile."""
    command = [
        binary(), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run",
        "--disable-background-networking", "--hide-scrollbars", "--disable-dev-shm-usage",
        f"--user-data-dir={folder}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        port = folder / "DevToolsActivePort"
        end = time.monotonic() + 30
        while not (port.exists() and port.read_text().count("\n")):
            assert time.monotonic() < end, "Chromium does not start"
            assert process.poll() is None, "Chromium ended"
            await asyncio.sleep(0.05)
        async with aiohttp.ClientSession() as session:
            number = port.read_text().split()[0]
            async with session.get(f"http://127.0.0.1:{number}/json/list") as answer:
                pages = [one for one in await answer.json(content_type=None) if one["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                listener = asyncio.create_task(page.listen())
                try:
                    yield page
                finally:
                    listener.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await listener
    finally:
        process.terminate()
        process.wait(20)
