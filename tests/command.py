"""The command line as a user meets it: run in this process, or in one of its own where signals and limits matter."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from fault_server import FaultServer
from run_letters import TASK, write_rows

from spatialeval.cli.main import main

ROWS = 12
REPOSITORY = Path(__file__).parents[1]


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self):
        """Everything printed, in one line: terminals wrap messages."""
        return " ".join(f"{self.out} {self.err}".split())


def spatialeval(*arguments):
    """Run a command in this process. An exception that is not an exit is a traceback to a user, and fails the test."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as leave:
            code = leave.code
    return Ran(code or 0, out.getvalue(), err.getvalue())


def refused(*arguments):
    """Run a command that must end with code 2, one message and nothing on standard output; return the message."""
    ran = spatialeval(*arguments)
    assert ran.code == 2, ran
    assert ran.out == ""
    message = ran.err.partition("Error: ")[2].strip()
    assert message, ran
    assert "Traceback" not in ran.err
    assert "Error: " not in message
    return message


def process(*arguments, before="", **options):
    """Start a command in a process of its own; `before` is code that runs first."""
    code = f"{before}\nfrom spatialeval.cli.main import main\nmain()"
    places = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        **options,
    )


@contextlib.contextmanager
def serving(answer=None, **options):
    """A FaultServer in a thread; the default answer is right for the letters task."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = FaultServer(answer or right, **options)

    def wait(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    try:
        wait(server.__aenter__())
        try:
            yield server
        finally:
            wait(server.__aexit__())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def right(prompt):
    """The right answer to a question of the letters task."""
    return prompt.partition("Which is ")[2][0]


def letters(folder, rows=ROWS, task=TASK):
    """Write the letters task and its rows; return the options that name both."""
    (folder / "letters.yaml").write_text(task)
    choices = ["w", "x", "y", "z"]
    write_rows(
        folder / "rows.jsonl",
        [
            {"id": f"r{i}", "target": "ABCD"[i % 4], "choices": choices, "category": "ab"[i % 2], "image": f"{i}.png"}
            for i in range(rows)
        ],
    )
    return "-t", folder / "letters.yaml", "--data", folder / "rows.jsonl"


def pictures(folder, rows=ROWS):
    """The letters task with a picture for each question."""
    import PIL.Image

    (folder / "pics").mkdir()
    for i in range(rows):
        PIL.Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / "pics" / f"{i}.png")
    task = TASK.replace("  category:", '  images: "{{ row.image }}"\n  category:')
    return *letters(folder, rows, task), "--media", folder / "pics"


def at(server, name="m"):
    """The options that name a model behind a server."""
    return "-m", f"openai:{name}", "--base-url", server.base_url


def summary_of(out):
    """The one summary.json below a folder."""
    (file,) = Path(out).rglob("summary.json")
    return json.loads(file.read_text())


def replies(rows=ROWS):
    """Right replies to the letters task."""
    return [{"id": f"r{i}", "response": "ABCD"[i % 4]} for i in range(rows)]
